"""Which ids lie inside which scopes: the one comparison behind every ARM write (rule 13)."""

import re
import string
from collections.abc import Iterable
from typing import NamedTuple

_FORM = re.compile(
    r"/subscriptions/(?P<subscription>[0-9a-z-]{1,64})"
    r"(?:/resourceGroups/(?P<group>[^/\\%?#\s]{1,90}))?/?",
    re.IGNORECASE | re.ASCII,
)


_RESOURCE = re.compile(
    r"(?P<scope>/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?)"
    r"(?P<path>(?:/providers/[\w.-]+(?:/[\w.-]+/[^/]+)+)+)",
    re.IGNORECASE | re.ASCII,
)
_UNCLEAR = re.compile(r"[%\\?#\x00-\x1f\x7f]|/\.{1,2}(?:/|$)")
_NO_RESOURCES = re.compile(
    r"/providers/(?:microsoft\.resources/"
    r"(?:resourcegroups|subscriptions|deployments|deploymentstacks)|microsoft\.management/[^/]+)/",
    re.IGNORECASE | re.ASCII,
)
"""Scopes in the form of resources, and the memory of stacks."""

_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def fold(text: str) -> str:
    """Return a text for comparing as ARM compares ids: ASCII letters without case. Pure.

    Python's own folding makes more letters equal, such as the Kelvin sign and k: to ARM those are
    two names.
    """
    return text.lower() if text.isascii() else text.translate(_FOLD)


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
    if group in {".", ".."}:
        return None
    return Scope(fold(match["subscription"]), fold(group) if group else None)


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


def of_resource(resource_id: str) -> str | None:
    """Return the scope that a resource is in, None for what is the id of no resource. Pure.

    A scope and a deployment are none, in whichever form they are written, and neither is an id that
    could be read in two ways, such as one with ``..``: on its way it would become another one.
    """
    match = _RESOURCE.fullmatch(resource_id)
    if match is None or _UNCLEAR.search(resource_id) or _NO_RESOURCES.search(resource_id):
        return None
    return match["scope"]


def subscription_of(resource_id: str) -> str | None:
    """Return the subscription's id in a resource id, or None. Pure."""
    parts = resource_id.split("/")
    if len(parts) > 2 and parts[1].lower() == "subscriptions":  # noqa: PLR2004 — /subscriptions/<id>
        return parts[2]
    return None
