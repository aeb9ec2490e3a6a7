"""Bodies for a type, made of what its knowledge speaks of: raw values for every rule in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.arm.knowledge import ResourceType
from local.arm.knowledge.words import has_words

_RAW: dict[str, list[Any]] = {
    "lower": ["AbC", 1, None],
    "upper": ["AbC"],
    "location": ["North Europe"],
    "displayLocation": ["northeurope", "North Europe"],
    "integer": ["60", 60, 60.0, "x"],
    "number": ["1.50", -1.0, 7],
    "string": [443, True, "443"],
    "boolean": ["true", "False", True],
    "cidr": ["10.1.2.3/16", "10.0.0.4/32", "Internet", "*"],
    "duration": ["PT60M", "P7D", "PT90S"],
    "kindOrder": ["linux,functionapp", "app"],
    "slash": ["https://a.b"],
    "sort": [[{"name": "b", "objectId": "2"}, {"name": "a", "objectId": "1"}], ["b", "A"]],
    "unique": [["Get", "get", "List"]],
    "roleDefinition": ["/providers/Microsoft.Authorization/roleDefinitions/r", "r"],
    "canonicalId": [
        "/subscriptions/s/resourcegroups/g/providers/microsoft.network/virtualnetworks/V",
        "/SUBSCRIPTIONS/s/resourcegroups/g",
        "word",
    ],
}


def samples(known: ResourceType) -> Iterator[dict[str, Any]]:
    """Yield bodies: an empty one, and some that give each rule in turn something to do."""
    yield {"location": "West Europe"}
    yield {"location": "westeurope", "kind": "x", "sku": {"name": "y"}, "properties": {"own": 1}}
    for rule in known.normalise:
        spoken = [*rule.values, *(str(one).upper() for one in rule.among)]
        for value in [*_RAW.get(rule.how, []), *rule.among, *spoken]:
            yield _with(known, rule.path, value)
    for lookup in known.lookups:
        if not has_words(lookup.by):
            for value in lookup.values:
                yield _with(known, lookup.by, "any" if value == "*" else value)
    for path in (*known.noEffect, *known.immutable, *known.drop, *known.secrets, *known.readOnly):
        yield _with(known, path, "said")


def _with(known: ResourceType, path: str, value: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"location": "westeurope"}
    for array, element in known.elements.items():
        items = [{element.key or "name": name, "weight": 9} for name in ("e1", "E2")]
        _write(body, array.split("."), items)
    _write(body, path.split("."), value)
    return body


def _write(body: Any, way: list[str], value: Any) -> None:
    """Write a value at a path; where it meets no array it makes one of one element."""
    part, *rest = way
    name = part.removesuffix("[*]")
    if not isinstance(body, dict):
        return
    if part == name:
        if not rest:
            body[name] = value
        else:
            if not isinstance(body.get(name), dict):
                body[name] = {}
            _write(body[name], rest, value)
        return
    if not isinstance(body.get(name), list):
        body[name] = [{}]
    if not rest:
        body[name] = [value]
        return
    for item in body[name]:
        _write(item, rest, value)
