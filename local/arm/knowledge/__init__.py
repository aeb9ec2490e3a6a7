"""What the simulator knows about resource types, as data: one JSON file per provider.

The data says how a provider makes the body that GET returns out of the body that was PUT. A
file looks like this (all parts but the types optional)::

    {"namespace": "Microsoft.Storage",
     "types": {"storageAccounts": {
        "versions": ["2025-06-01"],      newest first, as the providers list shows them
        "tracked": true,                 a location is required, tags are shown
        "etag": true, "systemData": false, "provisioningState": false,
        "name": {"pattern", "code", "message", "global": {"code", "message"}},
        "defaults": {...},               filled in where the body is silent
        "computed": {...},               always the provider's own
        "lookups": [{"by": "sku.name", "into": "sku", "values": {...}}], "*" is any value, `by`
                                         may be words; it is filled in before the defaults
        "drop": ["properties.x"],        never echoed
        "embeds": {"subnets": "subnets"} property of the parent -> type of child
        "keeps": {"subnets": "2025-01-01"}, from this version on a PUT without the property
                                         leaves the embedded children alone
        "flat": ["agentPoolProfiles"],   embedded children whose properties stand beside the name
        "implicit": ["blobServices/default"], children that come with it; words are filled in
        "bodies": {"databases/master": {...}}, what they are made of, where that is not nothing
        "parentless": true,              its parent need not be there
        "managedGroup": "properties.nodeResourceGroup", where the name (or id) of a group stands that
                                         the provider makes for the resource
        "companions": [{"type", "name", "body"}], resources beside it that come with it (N12)
        "spills": [{"from": "properties.siteConfig", "to": "config/web"}], kept in a child
        "write": "sync|async|location|body", "delete": the same
        "unreadable": ["appsettings"],   names that GET refuses (405); POST list shows them
        "actions": {"listKeys": {...}},  what POST answers (see `providers.actions`)
        "readOnly": ["properties.state"], ignored in a PUT; the leaves of `computed` are, anyway
        "secrets": ["properties.password"], written, never shown; what-if masks them
        "normalise": [{"path": "sku.name", "how": "map", "values": {"s2": "S2"}, "late": true}],
        "elements": {"properties.rules": {"key": "name", "defaults": {}, "computed": {},
                     "lookups": [], "etag": true}},
        "immutable": ["properties.isHnsEnabled"], a change is refused with PropertyChangeNotAllowed
        "noEffect": ["sku.tier"],        follows from something else, whatever the body says
        "merges": ["properties.logs"],   arrays that a PUT adds to instead of replacing
        "volatile": {...},               like `computed`, and different at every GET (noise N20)
        "withVersion": [{"before": "2021-01-01", "drop": [...]}], what older versions do not show
        "complete": false,               mode Complete does not delete it
        "leaks": {"N2": ["properties.x"]}, where what-if is known to be noisy, by class of noise;
                                         {"properties.x": 30} is the value that it expects there
        "members": ["x"],                more members of the properties; others are dropped (N16)
        "softDelete": {"days": 90, "collection": "deletedVaults", ...}, (see `schema.SoftDelete`)
        "inUse": [{"types": {"Microsoft.Network/networkInterfaces": ["properties.x.id"]},
                   "code", "message", "shown": "properties.ipConfigurations"}],
        "serial": {}}}}                  one write at a time below one parent

Paths are dotted, keys match in any case, and ``[*]`` stands for every element of an array.
Strings may hold ``{name}``, ``{id}``, ``{guid:word}`` and the like: see `knowledge.words`.
The ways to normalise are in `knowledge.normal`. A wrong file is refused when it is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources

import msgspec

from local.arm.knowledge import normal, paths, words
from local.arm.knowledge.paths import Path
from local.arm.knowledge.schema import NameRule, Provider, ResourceType

__all__ = ["UNKNOWN", "Knowledge", "KnowledgeError", "NameRule", "Provider", "ResourceType"]

UNKNOWN = ResourceType(write="body")


class KnowledgeError(ValueError):
    """A knowledge file is wrong; the text says which, at which type, where and why."""


class Knowledge:
    """All providers known, found without regard to case."""

    def __init__(self, providers: list[Provider]) -> None:
        self.providers = {provider.namespace.lower(): provider for provider in providers}
        self._types: dict[str, tuple[str, ResourceType]] = {}
        for provider in providers:
            for name, known in provider.types.items():
                full = f"{provider.namespace}/{name}"
                self._types[full.lower()] = (full, known)
        self.references = _references(self._types.values())
        """Type in lower case -> the paths at which its bodies hold ids that somebody looks for."""
        self.buried = {
            full.lower(): known.softDelete
            for full, known in self._types.values()
            if known.softDelete
        }
        """Type in lower case -> how its deleted resources are kept."""

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


def _references(types: Iterable[tuple[str, ResourceType]]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for _, known in types:
        for rule in known.inUse:
            for source, listed in rule.types.items():
                found.setdefault(source.lower(), []).extend(map(paths.steps, listed))
    return found


def _path_lists(known: ResourceType) -> dict[str, list[str]]:
    return {
        "drop": known.drop,
        "readOnly": known.readOnly,
        "secrets": known.secrets,
        "immutable": known.immutable,
        "noEffect": known.noEffect,
        "merges": known.merges,
        "elements": list(known.elements),
        "inUse": [
            path for rule in known.inUse for listed in rule.types.values() for path in listed
        ],
        "spills": [spill.source for spill in known.spills],
        "normalise": [rule.path for rule in known.normalise],
        "lookups": [lookup.by for lookup in known.lookups if not words.has_words(lookup.by)],
        "withVersion": [path for rule in known.withVersion for path in rule.drop],
        "leaks": [path for leaked in known.leaks.values() for path in leaked],
    }


def check(known: ResourceType) -> None:
    """Raise ValueError, with the place, if something in a type's description is wrong."""
    for member, listed in _path_lists(known).items():
        for path in listed:
            try:
                paths.steps(path)
            except ValueError as error:
                raise ValueError(f"{member}: {error}") from None
    for rule in known.normalise:
        try:
            normal.normaliser(rule, str)
        except ValueError as error:
            raise ValueError(f"normalise, {rule.path}: {error}") from None
    filled = msgspec.to_builtins(
        (known.defaults, known.computed, known.lookups, known.volatile, known.elements)
    )
    unexplained = words.unexplained([*filled, known.implicit, known.bodies, known.actions])
    if unexplained:
        raise ValueError(f"nothing explains {', '.join(sorted(set(unexplained)))}")


def read(text: bytes, name: str) -> Provider:
    """Return the provider that a file describes. Raises `KnowledgeError`: file, type, place."""
    try:
        provider = msgspec.json.decode(text, type=Provider)
    except msgspec.DecodeError as error:
        raise KnowledgeError(f"{name}: {error}") from error
    for kind, known in provider.types.items():
        try:
            check(known)
        except ValueError as error:
            raise KnowledgeError(f"{name}: {provider.namespace}/{kind}: {error}") from error
    return provider


@cache
def load() -> Knowledge:
    """Return the knowledge that comes with the simulator. Raises `KnowledgeError`."""
    folder = resources.files(__name__)
    files = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".json")),
        key=lambda entry: entry.name,
    )
    return Knowledge([read(entry.read_bytes(), entry.name) for entry in files])
