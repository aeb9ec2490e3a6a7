"""Which ids lie inside which scopes: the one comparison behind every ARM write (rule 13)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_FORM = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(?:/resourceGroups/(?P<group>[^/]+))?/?", re.IGNORECASE
)


class Scope(NamedTuple):
    """A subscription or a resource group in it, as lower-case text for comparing."""

    subscription: str
    group: str | None


def parse(scope: str) -> Scope | None:
    """Return the scope that ``scope`` names exactly, or None when it is something else. Pure."""
    match = _FORM.fullmatch(scope)
    if match is None:
        return None
    group = match["group"]
    return Scope(match["subscription"].lower(), group.lower() if group else None)


def is_allowed(target: str, allowed: Iterable[str]) -> bool:
    """Tell whether ``target`` (a scope's id) lies in one of ``allowed``; what is unclear does not.

    Ids compare without case, as ARM does. Pure.
    """
    wanted = parse(target)
    if wanted is None:
        return False
    for entry in allowed:
        scope = parse(entry)
        if scope is None or scope.subscription != wanted.subscription:
            continue
        if scope.group is None or scope.group == wanted.group:
            return True
    return False


def subscription_of(resource_id: str) -> str | None:
    """Return the subscription's id in a resource id, or None. Pure."""
    parts = resource_id.split("/")
    if len(parts) > 2 and parts[1].lower() == "subscriptions":  # noqa: PLR2004 — /subscriptions/<id>
        return parts[2]
    return None
