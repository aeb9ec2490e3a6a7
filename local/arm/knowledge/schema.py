"""The shape of the knowledge files; the package's docstring says what each member means."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Style = Literal["sync", "async", "location", "body"]


class GlobalName(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The refusal of a name that exists elsewhere in Azure."""

    code: str
    message: str


class NameRule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What names a type allows."""

    pattern: str
    code: str
    message: str
    unique: GlobalName | None = msgspec.field(default=None, name="global")


class Lookup(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Properties that follow from another one: the value at `by` picks what fills `into`."""

    by: str
    values: dict[str, Any]
    into: str = ""


class Normaliser(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a provider rewrites the value at `path` (see `knowledge.normal`).

    `late` waits until the lookups have read the value as it was given: S2 says how much capacity
    there is, and is shown as Standard.
    """

    path: str
    how: str
    values: dict[str, Any] = {}
    among: list[Any] = []
    by: str | None = None
    late: bool = False


class Element(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a provider makes of each element of an array; `key` is the member that names it."""

    key: str | None = None
    defaults: dict[str, Any] = {}
    computed: dict[str, Any] = {}
    lookups: list[Lookup] = []
    etag: bool = False


class VersionRule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What api-versions `before` a date do not show."""

    before: str
    drop: list[str]


class Spill(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A property that a provider keeps in a child resource instead: `source` goes into `child`."""

    source: str = msgspec.field(name="from")
    child: str = msgspec.field(name="to")
    how: Literal["object", "pairs", "connections"] = "object"


class SoftDelete(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a deleted resource is kept, refuses to be made anew, and comes back or goes for good.

    It is kept for `days` (or what stands at `daysAt`), `unless` one of these paths has that value,
    and shown in `collection`, as its id in `named` or with its whole body. A PUT of the same name
    is refused with `code`, or recovers it; it always does with `recoverValue` at `recoverAt`.
    `protectedAt` is the path of what forbids to purge it. `global` names are taken everywhere,
    `byGroup` puts the resource group into the path of the deleted one.
    """

    days: int
    days_at: str | None = msgspec.field(default=None, name="daysAt")
    unless: dict[str, Any] = {}
    collection: str
    named: str | None = None
    recreate: Literal["refuse", "recover"] = "refuse"
    recover_at: str | None = msgspec.field(default=None, name="recoverAt")
    recover_value: Any = msgspec.field(default="recover", name="recoverValue")
    protected_at: str | None = msgspec.field(default=None, name="protectedAt")
    unique: bool = msgspec.field(default=False, name="global")
    by_group: bool = msgspec.field(default=False, name="byGroup")
    code: str = "Conflict"
    message: str = "A resource named {name} exists in a deleted state: recover or purge it."


class InUse(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a resource cannot be deleted: one of `types` refers to it (paths of ids).

    `shown` is where GET lists who does, one only if `single`. Without a `code` it may be deleted.
    """

    types: dict[str, list[str]]
    code: str = ""
    message: str = ""
    status: int = 400
    shown: str | None = None
    single: bool = False


class Companion(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A resource that a provider makes beside another one, unasked (noise N12)."""

    type: str
    name: str
    body: dict[str, Any] = {}


class Serial(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The refusal of a write while the parent or a sibling is being written."""

    code: str = "AnotherOperationInProgress"
    message: str = (
        "Another operation on this or dependent resource is in progress. To retrieve status of"
        " the operation look at '{busy}'."
    )
    status: int = 409


class ResourceType(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, dict=True):
    """What is known about one type; the defaults describe a type nothing is known about."""

    versions: list[str] = msgspec.field(default_factory=lambda: ["2025-04-01"])
    tracked: bool = False
    etag: bool = False
    systemData: bool = True  # noqa: N815 - ARM's spelling
    provisioningState: bool = True  # noqa: N815 - ARM's spelling
    name: NameRule | None = None
    defaults: dict[str, Any] = {}
    computed: dict[str, Any] = {}
    lookups: list[Lookup] = []
    drop: list[str] = []
    embeds: dict[str, str] = {}
    keeps: dict[str, str] = {}
    flat: list[str] = []
    parentless: bool = False
    managedGroup: str | None = None  # noqa: N815 - as in the files
    implicit: list[str] = []
    bodies: dict[str, dict[str, Any]] = {}
    companions: list[Companion] = []
    spills: list[Spill] = []
    write: Style = "sync"
    delete: Style | None = None
    actions: dict[str, Any] = {}
    unreadable: list[str] = []
    readOnly: list[str] = []  # noqa: N815 - as in the files
    secrets: list[str] = []
    normalise: list[Normaliser] = []
    elements: dict[str, Element] = {}
    immutable: list[str] = []
    noEffect: list[str] = []  # noqa: N815 - as in the files
    merges: list[str] = []
    volatile: dict[str, Any] = {}
    withVersion: list[VersionRule] = []  # noqa: N815 - as in the files
    complete: bool = True
    leaks: dict[str, list[str] | dict[str, Any]] = {}
    members: list[str] = []
    softDelete: SoftDelete | None = None  # noqa: N815 - as in the files
    inUse: list[InUse] = []  # noqa: N815 - as in the files
    serial: Serial | None = None


class Provider(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One provider's types."""

    namespace: str
    types: dict[str, ResourceType]
