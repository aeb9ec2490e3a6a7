"""Lists of Microsoft.Authorization, which look above and below a scope, and locks, whose ids echo.

All else of these types (PUT, GET, DELETE by id) is what any resource does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from local.arm import filters, ids
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.messages import Answer, Request
from local.arm.providers import locks, model, reads, role_assignments, role_definitions
from local.arm.routes import resources
from local.arm.routes.table import Words, route
from local.arm.state.records import Resource

_CALLS = re.compile(r"\s*(atScopeAndBelow|atScope)\(\)\s*(?:and\s+|$)", re.IGNORECASE)
_ASSIGNED = re.compile(r"assignedTo\(\s*'([^']*)'\s*\)", re.IGNORECASE)
_TAKES_ALL = re.compile(r"exactScope\(\)|atExactScope\(\)", re.IGNORECASE)


def _check_scope(cloud: Cloud, scope: str) -> str:
    """Return a scope in canonical spelling; raises `ArmError` if it is not there."""
    rid = ids.parse(scope)
    if rid is not None:
        return reads.find(cloud, reads.canonical(cloud, rid)).id
    pair = ids.group_of(scope)
    if pair is not None:
        group = cloud.group(*pair)
        return ids.group_id(group.subscription, group.name)
    parts = scope.split("/")
    if len(parts) > 2 and parts[1].lower() == "subscriptions":  # noqa: PLR2004 - "", word, value
        return f"/subscriptions/{cloud.check_subscription(parts[2])}"
    return scope


def _found(cloud: Cloud, kind: str, scope: str, *, above: bool, below: bool) -> list[Resource]:
    """Return the records of one type whose scope is `scope`, above it or below it."""
    here = ids.key_of(scope)
    mark = f"/providers/{kind}/".lower()
    found = []
    for record in cloud.store.resources.below("", lambda key: mark in key):
        rid = ids.parse(record.id)
        if rid is None or rid.type.lower() != kind.lower():
            continue
        own = ids.key_of(rid.scope)
        if own == here or (above and _stands_in(here, own)) or (below and _stands_in(own, here)):
            found.append(record)
    return sorted(found, key=lambda one: one.serial)


def _stands_in(inner: str, outer: str) -> bool:
    return not outer or inner.startswith(f"{outer}/")


def _filtered(
    request: Request, bodies: list[dict[str, Any]], expression: str, names: dict[str, str]
) -> Answer:
    """Answer a list, filtered by what is left of the expression; `names` are short for paths."""
    for short, path in names.items():
        expression = re.sub(rf"\b{short}\b(?=\s+(eq|ne)\b)", path, expression, flags=re.IGNORECASE)
    return Answer(200, filters.page(request, bodies, expression))


def _calls(expression: str) -> tuple[frozenset[str], str]:
    """Take atScope() and the like off a filter. Pure."""
    found = frozenset(match[1].lower() for match in _CALLS.finditer(expression))
    left = _TAKES_ALL.sub("", _CALLS.sub("", expression)).strip()
    return found, re.sub(r"\s+and$", "", left, flags=re.IGNORECASE)


async def list_role_assignments(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List who may do what at a scope: here, above and (without atScope()) below."""
    scope = _check_scope(cloud, words["scope"])
    calls, left = _calls(request.query.get("$filter", ""))
    left = _ASSIGNED.sub(lambda match: f"principalId eq '{match[1]}'", left)
    found = _found(cloud, role_assignments.TYPE, scope, above=True, below="atscope" not in calls)
    bodies = [reads.shown(cloud, one, request.api_version) for one in found]
    return _filtered(request, bodies, left, {"principalId": "properties.principalId"})


async def list_role_definitions(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the roles that can be assigned at a scope: Azure's own and custom ones."""
    scope = _check_scope(cloud, words["scope"])
    calls, left = _calls(request.query.get("$filter", ""))
    below = "atscopeandbelow" in calls
    custom = _found(cloud, role_definitions.TYPE, scope, above=True, below=below)
    subscription = scope.split("/")[2] if scope.lower().startswith("/subscriptions/") else None
    bodies = role_definitions.at(subscription)
    bodies += [reads.shown(cloud, one, request.api_version) for one in custom]
    names = {"roleName": "properties.roleName", "type": "properties.type"}
    return _filtered(request, bodies, left, names)


async def _assignment(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Delete an assignment and show what it was; 204 if it was not there."""
    rid = ids.parse(request.path)
    record = cloud.resource(request.path)
    if rid is None or record is None:
        return await resources.delete_resource(cloud, request, words)
    body = reads.body(cloud, record, request.api_version)
    answer = await resources.delete_resource(cloud, request, words)
    return Answer(200, body, answer.headers)


def _lister(kind: str) -> Callable[..., Any]:
    async def listed(cloud: Cloud, request: Request, words: Words) -> Answer:
        """List what applies to a scope: here and above, and below unless atScope() is asked."""
        scope = _check_scope(cloud, words["scope"])
        calls, left = _calls(request.query.get("$filter", ""))
        found = _found(cloud, kind, scope, above=True, below="atscope" not in calls)
        bodies = [reads.shown(cloud, one, request.api_version) for one in found]
        return _filtered(
            request, bodies, left, {"policyDefinitionId": "properties.policyDefinitionId"}
        )

    return listed


async def list_locks(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the locks at a scope and below it; with atScope() those at it and above."""
    scope = _check_scope(cloud, words["scope"])
    calls, left = _calls(request.query.get("$filter", ""))
    only_here = "atscope" in calls
    found = _found(cloud, locks.TYPE, scope, above=only_here, below=not only_here)
    bodies: list[dict[str, Any]] = []
    for record in found:
        rid = model.rid_of(record)
        bodies.append(dict(locks.shown(rid, words["scope"], record, listed=True)))
    return _filtered(request, bodies, left, {})


async def _lock(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Read or write a lock: as any resource, and shown with the scope as it was asked for."""
    handlers = {
        "PUT": resources.put_resource,
        "GET": resources.get_resource,
        "DELETE": resources.delete_resource,
    }
    if request.method == "PUT":
        _check_lock(request.json())
    answer = await handlers[request.method](cloud, request, words)
    rid = ids.parse(request.path)
    record = cloud.resource(request.path)
    if rid is not None and record is not None and isinstance(answer.body, dict):
        answer.body = locks.shown(rid, words["scope"], record)
    return answer


def _check_lock(body: dict[str, Any]) -> None:
    level = model.find(body, "properties.level")
    if str(level).lower() not in {"cannotdelete", "readonly", "notspecified"}:
        raise ArmError(
            400,
            "LockLevelInvalid" if level else "LockLevelRequired",
            f"The lock level '{level}' is invalid: it must be CanNotDelete or ReadOnly.",
        )


async def permissions(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Say what the caller may do at a scope: everything, for nothing here is forbidden."""
    _check_scope(cloud, words["scope"])
    every = {"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []}
    return Answer(200, {"value": [every]})


_AT = "(?P<scope>.*)/providers/Microsoft.Authorization/"
ROUTES = (
    route("role-assignments", _AT + "roleAssignments", {"GET": list_role_assignments}),
    route(
        "role-assignment",
        _AT + "roleAssignments/{rest}",
        {
            "GET": resources.get_resource,
            "HEAD": resources.head_resource,
            "PUT": resources.put_resource,
            "DELETE": _assignment,
        },
    ),
    route("role-definitions", _AT + "roleDefinitions", {"GET": list_role_definitions}),
    *(
        route(f"{name}-list", _AT + name, {"GET": _lister(f"Microsoft.Authorization/{name}")})
        for name in (
            "policyAssignments",
            "policyDefinitions",
            "policySetDefinitions",
            "policyExemptions",
        )
    ),
    route("locks", _AT + "locks", {"GET": list_locks}),
    route("lock", _AT + "locks/{rest}", {"GET": _lock, "PUT": _lock, "DELETE": _lock}),
    route("permissions", _AT + "permissions", {"GET": permissions}),
)
