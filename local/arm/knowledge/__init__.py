"""What the simulator knows about resource types, as data: one JSON file per provider.

The data says how a provider makes the body that GET returns out of the body that was PUT. A
file looks like this (all parts but the types optional)::

    {"namespace": "Microsoft.Storage",
     "types": {"storageAccounts": {
        "versions": ["2025-06-01"],      newest first, as the providers list shows them
        "tracked": true,                 a location is required, tags are shown
        "etag": true, "systemData": false,
        "name": {"pattern", "code", "message", "global": {"code", "message"}},
        "defaults": {...},               filled in where the body is silent
        "computed": {...},               always the provider's own
        "lookups": [{"by": "sku.name", "into": "sku", "values": {...}}],
        "drop": ["properties.x"],        never echoed
        "embeds": {"subnets": "subnets"} property of the parent -> type of child
        "implicit": ["blobServices/default"],
        "write": "sync|async|location",
        "unreadable": ["appsettings"],   names that GET refuses (405); POST list shows them
        "actions": {"listKeys": {...}},
        "readOnly": ["properties.state"], ignored in a PUT; the leaves of `computed` are, anyway
        "secrets": ["properties.password"], written, never shown; what-if masks them
        "normalise": [{"path": "sku.name", "how": "map", "values": {"s2": "S2"}}],
        "elements": {"properties.rules": {"key": "name", "defaults": {}, "computed": {}}},
        "immutable": ["properties.isHnsEnabled"], a change is refused with PropertyChangeNotAllowed
        "noEffect": ["sku.tier"],        follows from something else, whatever the body says
        "merges": ["properties.logs"],   arrays that a PUT adds to instead of replacing
        "volatile": {...},               like `computed`, and different at every GET (noise N20)
        "withVersion": [{"before": "2021-01-01", "drop": [...]}], what older versions do not show
        "complete": false,               mode Complete does not delete it
        "leaks": {"N2": ["properties.x"]}}}} where what-if is known to be noisy, by class

Paths are dotted, keys match in any case, and ``[*]`` stands for every element of an array.

Strings may hold ``{name}``, ``{id}``, ``{location}``, ``{guid:word}``, ``{now}``,
``{created}`` and the like (see `knowledge.words`).
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import msgspec


class GlobalName(msgspec.Struct, kw_only=True):
    """The refusal of a name that exists elsewhere in Azure."""

    code: str
    message: str


class NameRule(msgspec.Struct, kw_only=True):
    """What names a type allows."""

    pattern: str
    code: str
    message: str
    unique: GlobalName | None = msgspec.field(default=None, name="global")


class Lookup(msgspec.Struct, kw_only=True):
    """Properties that follow from another one: the value at `by` picks what fills `into`."""

    by: str
    into: str
    values: dict[str, dict[str, Any]]


class Normaliser(msgspec.Struct, kw_only=True):
    """How a provider rewrites the value at `path`; `values` is the table of `how` "map"."""

    path: str
    how: str
    values: dict[str, Any] = {}


class Element(msgspec.Struct, kw_only=True):
    """What a provider makes of each element of an array; `key` is the member that names it."""

    key: str | None = None
    defaults: dict[str, Any] = {}
    computed: dict[str, Any] = {}


class VersionRule(msgspec.Struct, kw_only=True):
    """What api-versions `before` a date do not show."""

    before: str
    drop: list[str]


class ResourceType(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is known about one type; the defaults describe a type nothing is known about."""

    versions: list[str] = msgspec.field(default_factory=lambda: ["2025-04-01"])
    tracked: bool = False
    etag: bool = False
    systemData: bool = True  # noqa: N815 - ARM's spelling
    name: NameRule | None = None
    defaults: dict[str, Any] = {}
    computed: dict[str, Any] = {}
    lookups: list[Lookup] = []
    drop: list[str] = []
    embeds: dict[str, str] = {}
    implicit: list[str] = []
    write: str = "sync"
    actions: dict[str, dict[str, Any]] = {}
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
    leaks: dict[str, list[str]] = {}


class Provider(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One provider's types."""

    namespace: str
    types: dict[str, ResourceType]


UNKNOWN = ResourceType()


class Knowledge:
    """All providers known, found without regard to case."""

    def __init__(self, providers: list[Provider]) -> None:
        self.providers = {provider.namespace.lower(): provider for provider in providers}
        self._types: dict[str, tuple[str, ResourceType]] = {}
        for provider in providers:
            for name, known in provider.types.items():
                full = f"{provider.namespace}/{name}"
                self._types[full.lower()] = (full, known)

    def type(self, name: str) -> ResourceType:
        """Return what is known about a full type; `UNKNOWN` if nothing is."""
        return self._types.get(name.lower(), (name, UNKNOWN))[1]

    def spell(self, name: str) -> str:
        """Return a full type in the provider's own spelling, or as given."""
        known = self._types.get(name.lower())
        if known:
            return known[0]
        head, _, tail = name.partition("/")
        return f"{self.spell_namespace(head)}/{tail}" if tail else name

    def spell_namespace(self, namespace: str) -> str:
        """Return a namespace in the provider's own spelling, or as given."""
        known = self.providers.get(namespace.lower())
        return known.namespace if known else namespace


@cache
def load() -> Knowledge:
    """Return the knowledge that comes with the simulator."""
    decoder = msgspec.json.Decoder(Provider)
    folder = resources.files(__name__)
    files = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".json")),
        key=lambda entry: entry.name,
    )
    return Knowledge([decoder.decode(entry.read_bytes()) for entry in files])
