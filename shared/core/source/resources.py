"""Which resource types a template deploys: to register their providers and to read them back."""

from collections.abc import Iterator, Mapping

from shared.core.source.arm_json import Json, member, resources_of
from shared.core.source.evaluation import HOLE, Frame, Scope, frame_of

_NOWHERE = Scope(HOLE, HOLE)
_LEGACY = "/providers/"


def api_versions(template: Json) -> Mapping[str, str]:
    """Return the newest api-version that each type is deployed with, types in lower case. Pure.

    Nested and linked templates are included; what only ARM can know is left out.
    """
    found: dict[str, str] = {}
    for kind, version in _types(template, frame_of(template, _NOWHERE, {}), ""):
        if version and HOLE not in version:
            key = kind.lower()
            found[key] = max(found.get(key, ""), version.lower())
    return found


def namespaces(template: Json) -> frozenset[str]:
    """Return the resource providers that a template needs registered, as it spells them. Pure."""
    by_lower: dict[str, str] = {}
    for kind, _ in _types(template, frame_of(template, _NOWHERE, {}), ""):
        name = kind.split("/", 1)[0]
        by_lower.setdefault(name.lower(), name)
    return frozenset(by_lower.values())


def _types(holder: Json, frame: Frame, parent: str) -> Iterator[tuple[str, str]]:
    for _, resource in resources_of(holder, ""):
        kind = _full_type(resource, frame, parent)
        if HOLE not in kind and "/" in kind and member(resource, "existing") is not True:
            version = member(resource, "apiVersion")
            yield kind, "" if version is None else frame.text(version)
        yield from _types(resource, frame, kind)
        properties = member(resource, "properties")
        nested = member(properties, "template") if isinstance(properties, dict) else None
        if isinstance(nested, dict):
            options = member(properties, "expressionEvaluationOptions")
            inner = isinstance(options, dict) and str(member(options, "scope")).lower() == "inner"
            inside = frame_of(nested, _NOWHERE, {}) if inner else frame
            yield from _types(nested, inside, "")


def _full_type(resource: Json, frame: Frame, parent: str) -> str:
    """Return a type as ARM's ids have it: with its parent's, and an old extension's own provider."""
    kind = frame.text(member(resource, "type"))
    if _LEGACY in kind:  # Microsoft.Storage/storageAccounts/providers/roleAssignments
        name = frame.text(member(resource, "name"))
        provider = next(
            (part for part in name.split("/") if "." in part and HOLE not in part), HOLE
        )
        return f"{provider}/{kind.split(_LEGACY, 1)[1]}"
    if parent and "." not in kind.split("/", 1)[0]:
        return f"{parent}/{kind}"
    return kind
