"""The name of the permission that a call needs, as RBAC and its error messages spell it."""

from __future__ import annotations

from local.arm import ids

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_GROUP_DEPTH = 4  # subscriptions/{s}/resourceGroups/{g}


def needed(method: str, path: str) -> tuple[str, str]:
    """Return (action, scope) for a call, as in Microsoft.Storage/storageAccounts/write. Pure."""
    if method == "POST":
        target, _, verb = path.rpartition("/")
        rid = ids.parse(target)
        kind = rid.type if rid else _plain_type(target)
        return f"{kind}/{verb}/action", target
    rid = ids.parse(path)
    if rid is not None:
        return f"{rid.type}/{_VERBS.get(method, 'read')}", path
    parts = path.strip("/").split("/")
    if len(parts) > _GROUP_DEPTH and parts[-2].lower() in ("operations", "operationstatuses"):
        return "Microsoft.Resources/deployments/operations/read", "/" + "/".join(parts[:-2])
    if parts[-1].lower() in ("operations", "resources"):
        return f"{_plain_type(path)}/{parts[-1]}/read", "/" + "/".join(parts[:-1])
    return f"{_plain_type(path)}/{_VERBS.get(method, 'read')}", path


def _plain_type(path: str) -> str:
    parts = path.strip("/").lower().split("/")
    outer = ids.parse("/" + "/".join(parts[:-1])) if len(parts) > _GROUP_DEPTH else None
    if outer is not None:
        return outer.type
    if "resourcegroups" in parts:
        return "Microsoft.Resources/subscriptions/resourceGroups"
    if "providers" in parts:
        return "Microsoft.Resources/subscriptions/providers"
    return "Microsoft.Resources/subscriptions"
