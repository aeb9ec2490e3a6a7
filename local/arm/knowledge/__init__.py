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
        "actions": {"listKeys": {...}}}}}

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
