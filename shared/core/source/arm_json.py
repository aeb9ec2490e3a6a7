"""What ARM's JSON has of its own: names without case, expressions in strings, a few known shapes."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.core.scopes import fold

__all__ = [
    "DEPLOYMENT_TYPES",
    "Json",
    "as_literal",
    "fold",
    "is_expression",
    "may_deploy",
    "member",
    "member_key",
    "resources_of",
]

DEPLOYMENT_TYPES = frozenset(
    {"microsoft.resources/deployments", "microsoft.resources/deploymentstacks"}
)
"""Resource types (lower case) that carry a template of their own."""

Json = Mapping[str, Any]


def member_key(holder: Json, name: str) -> str | None:
    """Return the key of ``holder`` that ARM takes for ``name``, or None. Pure."""
    if name in holder:
        return name
    lower = fold(name)
    return next((key for key in holder if fold(key) == lower), None)


def member(holder: Json, name: str) -> Any:
    """Return the member that ARM takes for ``name``, or None. Pure."""
    key = member_key(holder, name)
    return None if key is None else holder[key]


def is_expression(value: Any) -> bool:
    """Tell whether ARM evaluates a string: ``[...]``, but not ``[[...``. Pure."""
    return (
        isinstance(value, str)
        and value.startswith("[")
        and value.endswith("]")
        and not value.startswith("[[")
    )


def as_literal(value: Any) -> Any:
    """Return a value such that ARM, which evaluates it, gets the value as it was. Pure."""
    if isinstance(value, str):
        return f"[{value}" if value.startswith("[") and value.endswith("]") else value
    if isinstance(value, list):
        return [as_literal(each) for each in value]
    if isinstance(value, dict):
        return {as_literal(key): as_literal(each) for key, each in value.items()}
    return value


def resources_of(holder: Json, path: str) -> Iterator[tuple[str, Json]]:
    """Yield the resources of a template or of a parent resource with their JSON paths. Pure.

    ``resources`` is a list, or an object by symbolic name; what is neither yields nothing.
    """
    key = member_key(holder, "resources")
    found = holder[key] if key is not None else None
    if isinstance(found, list):
        for index, each in enumerate(found):
            if isinstance(each, dict):
                yield f"{path}.{key}[{index}]" if path else f"{key}[{index}]", each
    elif isinstance(found, dict):
        for name, each in found.items():
            if isinstance(each, dict):
                yield f"{path}.{key}.{name}" if path else f"{key}.{name}", each


def may_deploy(resource: Json) -> bool:
    """Tell whether a resource carries a template, or could, its type being an expression. Pure."""
    kind = member(resource, "type")
    if isinstance(kind, str) and not is_expression(kind):
        return fold(kind) in DEPLOYMENT_TYPES
    properties = member(resource, "properties")
    if not isinstance(properties, dict):
        return properties is not None
    return any(
        member_key(properties, name) for name in ("template", "templateLink", "parametersLink")
    )
