"""The shape of the operator's configuration, from which its schema is made, too."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from shared.core import names
from shared.core.budget import RESERVES, Purpose
from shared.core.document import Document
from shared.core.record import Freeze

SECRET_PREFIX = "PLUMBLINE_SECRET_"  # noqa: S105 — the name's beginning, not a secret
_SecretName = Annotated[str, msgspec.Meta(pattern=f"^{SECRET_PREFIX}[A-Z0-9_]+$")]


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to sign in to a Git host; ``token`` is the *name* of an app setting, never a value."""

    user: Annotated[str, msgspec.Meta(min_length=1)]
    token: _SecretName


class Statuses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where commit statuses are sent.

    ``github`` is the repository's address in GitHub's API, as in
    ``https://api.github.com/repos/contoso/shop``; ``token`` is the *name* of an app setting.
    """

    github: str
    token: _SecretName


class Ceilings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most that the manifest may ask for; it can only ask for less (part 4).

    ``create_resource_groups``: whether missing groups are created for it. ``timeout_minutes``: how
    long a release may run; also where the manifest says nothing. None leaves it to the manifest.
    ``heal``: whether drift may be healed; ``prune``: whether resources may be deleted, and for one
    release the larger of ``delete_resources`` and ``delete_percent`` of the stack at most, unless
    somebody approves more.
    """

    create_resource_groups: bool = True
    timeout_minutes: Annotated[int, msgspec.Meta(ge=5, le=1440)] | None = None
    heal: bool = True
    prune: bool = True
    delete_resources: Annotated[int, msgspec.Meta(ge=0, le=800)] = 3
    delete_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 10


class Repository(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One followed branch of one repository.

    ``url`` carries no credentials. ``hook`` is the last part of the webhook's path, hard to guess.
    ``hook_secrets`` are names of app settings; several during a rotation. ``scopes`` are the ids
    that this repository's stacks may write to, everything below them included.
    """

    url: str
    branch: str
    hook: Annotated[str, msgspec.Meta(pattern=f"^{names.HOOK_FORM.pattern}$")]
    hook_secrets: Annotated[list[_SecretName], msgspec.Meta(min_length=1)]
    default_subscription: str
    scopes: Annotated[list[str], msgspec.Meta(min_length=1)]
    manifest: str = "plumbline.yaml"
    credential: Credential | None = None
    statuses: Statuses | None = None
    ceilings: Ceilings = Ceilings()


class FreezeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stacks that are left alone until a moment.

    ``stacks`` are ``*``, ``<repository>.*`` or ``<repository>.<stack>``; ``until`` has an offset or Z.
    """

    stacks: Annotated[list[str], msgspec.Meta(min_length=1)]
    by: Annotated[str, msgspec.Meta(min_length=1)]
    why: Annotated[str, msgspec.Meta(min_length=1)]
    until: Annotated[datetime, msgspec.Meta(tz=True)]

    def names(self, repository: str, stack: str) -> bool:
        """Tell whether the rule is about a stack. Pure."""
        return not {"*", f"{repository}.*", names.identity(repository, stack)}.isdisjoint(
            self.stacks
        )


_Reserve = Annotated[int, msgspec.Meta(ge=0, le=150)]


class Budgets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many calls in each of ARM's buckets a kind of work leaves to others.

    A bucket is that of one subscription for one identity: 200 writes, 250 reads. Others are those
    who use the same identity, and of Plumbline's own work what comes first: a release before a
    snapshot, and a snapshot before a scan.
    """

    release: _Reserve = int(RESERVES["release"])
    snapshot: _Reserve = int(RESERVES["snapshot"])
    scan: _Reserve = int(RESERVES["scan"])

    @property
    def reserves(self) -> Mapping[Purpose, float]:
        """What each purpose leaves. Pure."""
        return {"release": self.release, "snapshot": self.snapshot, "scan": self.scan}


class ActivityRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the Activity Log is read.

    ``workspaces`` maps a subscription's id to the id of the Log Analytics workspace that it sends its
    Activity Log to. Any other is asked for through ARM.
    """

    workspaces: Mapping[str, str] = msgspec.field(default_factory=dict)

    def workspace(self, subscription: str) -> str | None:
        """Return the workspace of a subscription, None: there is none. Pure."""
        wanted = subscription.lower()
        return next((one for key, one in self.workspaces.items() if key.lower() == wanted), None)


class Configuration(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the operator decides."""

    installation: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
    repositories: Mapping[str, Repository]
    freezes: tuple[FreezeRule, ...] = ()
    budgets: Budgets = Budgets()
    activity: ActivityRules = ActivityRules()

    def freeze(self, repository: str, stack: str, at: datetime) -> Freeze | None:
        """Return the freeze that holds a stack back longest, if any does. Pure."""
        held = [rule for rule in self.freezes if rule.until > at and rule.names(repository, stack)]
        if not held:
            return None
        rule = max(held, key=lambda one: one.until)
        return Freeze(by=rule.by, why=rule.why, at=at, until=rule.until)
