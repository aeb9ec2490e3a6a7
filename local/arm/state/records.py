"""The records: what is kept of a group, a resource, a deployment, an operation, a job.

Times are ARM time stamps (see `clock.stamp`), except fields called `*_at`, which are seconds since
the epoch in real time: they say when something comes due, whatever a test does to the clock.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Group(msgspec.Struct, kw_only=True):
    """A resource group. `deleting_at` is when it will be gone; None while it is meant to stay."""

    subscription: str
    name: str
    location: str
    tags: dict[str, str]
    managed_by: str | None = None
    created: str = ""
    changed: str = ""
    deleting_at: float | None = None


class ManagementGroup(msgspec.Struct, kw_only=True):
    """A management group; `parent` is the name of the one above, None at the root.

    `subscriptions` are the ids of those that stand directly under it.
    """

    name: str
    display_name: str
    parent: str | None
    subscriptions: list[str] = msgspec.field(default_factory=list)
    version: int = 1
    changed: str = ""
    changed_by: str = ""


class Resource(msgspec.Struct, kw_only=True):
    """A resource: the body as last written and as read, which differ as providers make them.

    `serial` is the order of creation. `ready_at` is when a long-running write ends, and `ended`
    the provisioningState that it leaves.
    """

    id: str
    type: str
    name: str
    put: dict[str, Any]
    got: dict[str, Any]
    api_version: str
    etag: str
    created: str
    changed: str
    created_by: str
    changed_by: str
    serial: int
    ready_at: float = 0.0
    pending: str = "Updating"
    own: dict[str, Any] | None = None
    """What actions changed: `rotations` of keys, and what they `set` at paths; and where the
    resource was `born`, if it has moved since."""
    ended: str = "Succeeded"


class Grave(msgspec.Struct, kw_only=True):
    """A deleted resource that can be recovered `until` a time, and what hung on it."""

    resource: Resource
    below: list[Resource]
    location: str
    deleted: str
    until: str


class ResourceDue(msgspec.Struct, kw_only=True):
    """What has to be known of every resource when a folder is opened, and no more."""

    id: str
    serial: int
    ready_at: float
    pending: str


class Deployment(msgspec.Struct, kw_only=True):
    """A deployment of the history; `run` tells the runs of one name apart (20 digits).

    `error` is the ARM error object of a failed run. `parent` is the id of the deployment that
    this one is nested in.
    """

    id: str
    name: str
    run: str
    subscription: str
    group: str | None
    state: str
    mode: str
    correlation_id: str
    template_hash: str
    started: str
    changed: str
    seconds: float = 0.0
    location: str | None = None
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)
    outputs: dict[str, Any] | None = None
    resources: list[str] = msgspec.field(default_factory=list)
    providers: list[dict[str, Any]] = msgspec.field(default_factory=list)
    dependencies: list[dict[str, Any]] = msgspec.field(default_factory=list)
    error: dict[str, Any] | None = None
    extra: dict[str, Any] = msgspec.field(default_factory=dict)
    parent: str | None = None
    api_version: str = ""
    cancel: bool = False
    secure_outputs: dict[str, Any] = msgspec.field(default_factory=dict)
    """The values of the secure outputs: for listOutputsWithSecureValues and nobody else."""
    caller: dict[str, str] = msgspec.field(default_factory=dict)
    """Who asked for it: oid, appid and tid."""
    rolls_back: str | None = None
    """The id of the failed deployment that this run is the `onErrorDeployment` of."""


class Submission(msgspec.Struct, kw_only=True):
    """What it takes to carry a deployment on after a restart, or to run it once more.

    With `utc_now` and `seed` the template comes to the same plan again. `linked` is the template
    with its linked templates filled in, if it has such. `inputs` are the external inputs that its
    parameters are computed from.
    """

    parameters: dict[str, Any]
    utc_now: str
    seed: str
    caller: dict[str, str]
    linked: dict[str, Any] | None = None
    inputs: dict[str, Any] = msgspec.field(default_factory=dict)


class Operation(msgspec.Struct, kw_only=True):
    """One step of a deployment."""

    id: str
    operation_id: str
    action: str
    state: str
    started: str
    changed: str
    seconds: float
    request_id: str
    status_code: str
    status_message: dict[str, Any] | None = None
    target: dict[str, Any] | None = None
    serial: int = 0
    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None


class Job(msgspec.Struct, kw_only=True):
    """A long-running operation other than a deployment; `due_at` is when it ends.

    `resource` is the id whose body a Location poll answers at the end, `body` the answer itself;
    with neither there is no content. `scope` is where the job is asked about. `outcome` is
    Succeeded, Failed or Canceled, the last two with an `error`.
    """

    id: str
    due_at: float
    resource: str | None = None
    api_version: str = ""
    done_status: int = 200
    body: dict[str, Any] | None = None
    scope: str = ""
    outcome: str = "Succeeded"
    error: dict[str, Any] | None = None


class Registration(msgspec.Struct, kw_only=True):
    """A provider in a subscription: its state, and when that turns into `then`."""

    namespace: str
    state: str
    then: str | None = None
    due_at: float = 0.0


class Event(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """One entry of the Activity Log, as far as the rest does not follow from it.

    `at` is when it happened, in seconds since the epoch as the simulator's clock told them.
    `action` is the permission's name, `status` one of Started, Accepted, Succeeded, Failed,
    Canceled. `actor` is who did it by hand; else the token's `oid`, `appid` and `tid` say who.
    `code` is the HTTP status; a refusal has an `error`. `body` is what was asked for, without
    secrets.
    """

    at: float
    action: str
    scope: str
    status: str
    correlation_id: str
    request_id: str
    actor: str = ""
    oid: str = ""
    appid: str = ""
    tid: str = ""
    code: int = 0
    error: dict[str, str] | None = None
    method: str = ""
    client_request_id: str = ""
    body: str = ""
