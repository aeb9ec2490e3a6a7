"""Resource ids as paths: what lies inside of what, and of which type it is. All are pure."""

from collections.abc import Iterable, Iterator

from shared.core.scopes import fold

_PROVIDERS = "providers"
_GROUP_PARTS = 5
"""``/subscriptions/<id>/resourceGroups/<name>`` in parts, the empty one before it included."""


def _resources(resource_id: str) -> Iterator[tuple[int, str]]:
    """Yield where the id of each resource in an id's path ends, and its type, from the outside in."""
    parts = resource_id.split("/")
    folded = [fold(part) for part in parts]
    if _PROVIDERS not in folded:
        return
    at, kind = folded.index(_PROVIDERS), ""
    while at + 1 < len(parts):
        if folded[at] == _PROVIDERS:
            kind, at = parts[at + 1], at + 2
            continue
        kind, at = f"{kind}/{parts[at]}", at + 2
        yield at, kind


def above(resource_id: str) -> tuple[str, ...]:
    """Return the ids of the resources that a resource lies inside of, the outermost first."""
    parts = resource_id.split("/")
    ends = [end for end, _ in _resources(resource_id)]
    return tuple("/".join(parts[:end]) for end in ends[:-1])


def type_of(resource_id: str) -> str:
    """Return the type in a resource's id; empty for what is no resource of a provider."""
    return next((kind for _, kind in reversed(list(_resources(resource_id)))), "")


def name_of(resource_id: str) -> str:
    """Return the name in a resource's id, with those of its parents of the same provider."""
    kind = type_of(resource_id)
    if not kind:
        return ""
    own = resource_id.split("/")[-2 * kind.count("/") :]
    return "/".join(own[1::2])


def is_inside(resource_id: str, other: str) -> bool:
    """Tell whether a resource lies inside of another: it goes when that one does."""
    return fold(resource_id).startswith(f"{fold(other)}/")


def group_of(resource_id: str) -> str:
    """Return the resource group's id in a resource's, or the subscription's where it has none."""
    parts = resource_id.split("/")
    in_group = len(parts) >= _GROUP_PARTS and fold(parts[3]) == "resourcegroups"
    return "/".join(parts[: _GROUP_PARTS if in_group else _GROUP_PARTS - 2])


def inside_of(resource_ids: Iterable[str]) -> frozenset[str]:
    """Return the folded ids of all that these lie inside of, but for those that are among them."""
    own = {fold(one) for one in resource_ids}
    return frozenset(fold(outer) for one in own for outer in above(one)) - own
