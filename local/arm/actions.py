"""The name of the permission that a call needs, as RBAC and its error messages spell it."""

from __future__ import annotations

import re

from local.arm import ids

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}

# Paths that are no plain id: pattern -> (type, group of the pattern that is the scope).
_SPECIAL: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (
            r"(.+/deployments/[^/]+)/operations(?:/[^/]+)?",
            "Microsoft.Resources/deployments/operations",
        ),
        (r"(.*)/providers/Microsoft\.Resources/deployments", "Microsoft.Resources/deployments"),
        (
            r"(/subscriptions/[^/]+/resourcegroups/[^/]+)/resources",
            "Microsoft.Resources/subscriptions/resourceGroups/resources",
        ),
        (r"(/subscriptions/[^/]+)/resources", "Microsoft.Resources/subscriptions/resources"),
        (
            r"(/subscriptions/[^/]+/resourcegroups(?:/[^/]+)?)",
            "Microsoft.Resources/subscriptions/resourceGroups",
        ),
        (
            r"(/subscriptions/[^/]+)/providers(?:/[^/]+)?",
            "Microsoft.Resources/subscriptions/providers",
        ),
    )
)
_PROVIDER_VERB = re.compile(r"(/subscriptions/[^/]+)/providers/([^/]+)/([^/]+)", re.IGNORECASE)


def needed(method: str, path: str) -> tuple[str, str]:
    """Return (action, scope) for a call, as in Microsoft.Storage/storageAccounts/write. Pure."""
    if method == "POST":
        provider = _PROVIDER_VERB.fullmatch(path)
        if provider:
            return f"{provider[2]}/{provider[3]}/action", provider[1]
        target, _, verb = path.rpartition("/")
        kind, scope = _kind(target)
        return f"{kind}/{verb}/action", scope
    kind, scope = _kind(path)
    return f"{kind}/{_VERBS.get(method, 'read')}", scope


def _kind(path: str) -> tuple[str, str]:
    for pattern, kind in _SPECIAL:
        match = pattern.fullmatch(path)
        if match:
            return kind, match[1]
    rid = ids.parse(path)
    return (rid.type if rid else "Microsoft.Resources/subscriptions"), path
