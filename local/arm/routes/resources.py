"""Resources of any type, by id: the most general routes, tried last."""

from __future__ import annotations

import asyncio
from typing import Any

from local.arm import errors, ids, lro
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.faults import lag
from local.arm.filters import Shown, page
from local.arm.ids import ResourceId
from local.arm.knowledge import answers
from local.arm.messages import Answer, Request
from local.arm.providers import actions, locks, reads, versions, writes
from local.arm.providers.writes import Write
from local.arm.routes.table import Words, route
from local.arm.state.records import Resource

_ARMS_OWN = frozenset(
    f"microsoft.resources/{name}"
    for name in ("deployments", "deploymentstacks", "deploymentstackswhatifresults")
)


def _rid(cloud: Cloud, request: Request, path: str = "") -> ResourceId:
    rid = ids.parse(path or request.path)
    if rid is None:
        raise errors.route_not_found(request.method, request.path)
    _check_simulated(rid)
    versions.check_version(cloud, rid, request.api_version)
    return rid


def _check_simulated(rid: ResourceId) -> None:
    """Refuse what ARM does itself and the simulator does not (yet): better than a false success."""
    first = f"{rid.namespace}/{rid.types[0]}".lower()
    if first in _ARMS_OWN:
        raise ArmError(
            501, "NotSimulated", f"The simulator does not have this operation of '{rid.type}'."
        )


async def get_resource(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Show a resource, or list one type of them where the path ends in a type."""
    rid = ids.parse(request.path)
    if rid is None:
        return _list_type(cloud, request, words["scope"], words["rest"])
    rid = _rid(cloud, request)
    if reads.is_unreadable(cloud, rid):
        raise errors.method_not_allowed(request.method, request.path)
    record = reads.find(cloud, reads.canonical(cloud, rid))
    headers = {"ETag": record.etag} if cloud.knowledge.type(record.type).etag else {}
    # A client that polls by body looks here again and wants to know when.
    wait = lro.wait_headers(cloud) if reads.is_busy(record) else {}
    return Answer(200, reads.shown(cloud, record, request.api_version), {**wait, **headers})


async def head_resource(cloud: Cloud, request: Request, _: Words) -> Answer:
    """Say whether a resource exists."""
    reads.find(cloud, reads.canonical(cloud, _rid(cloud, request)))
    return Answer(204)


def _list_type(cloud: Cloud, request: Request, scope: str, rest: str) -> Answer:
    """List the resources of one type below a scope or a parent."""
    parts = rest.split("/")
    if len(parts) % 2 == 1:
        raise errors.route_not_found(request.method, request.path)
    kind = "/".join((parts[0], *parts[1::2])).lower()
    shape = ResourceId(scope, parts[0], tuple(parts[1::2]), tuple(parts[2::2]))
    versions.check_version(cloud, shape, request.api_version)
    if len(parts) > 2:  # noqa: PLR2004 - namespace and type alone have no parent
        parent = ids.parse(f"{scope}/providers/{'/'.join(parts[:-1])}")
        if parent is not None:
            reads.find(cloud, reads.canonical(cloud, parent))
        scope = f"{scope}/providers/{'/'.join(parts[:-1])}"
    elif (pair := ids.group_of(scope)) is not None:
        cloud.group(*pair)
    version = request.api_version
    found = lag.listed(
        cloud, scope, lambda one: one.type.lower() == kind, lambda key: ids.type_in(key) == kind
    )
    return Answer(200, page(request, Shown(found, lambda one: reads.shown(cloud, one, version))))


async def put_resource(cloud: Cloud, request: Request, _: Words) -> Answer:
    """Create or replace a resource."""
    write = Write(_rid(cloud, request), request.json(), request.api_version, request.caller)
    locks.check_write(cloud, write.rid.id)
    record, new = writes.put(cloud, write)
    return await _written(cloud, request, record, answers.created(record.type) if new else 200)


async def patch_resource(cloud: Cloud, request: Request, _: Words) -> Answer:
    """Merge into a resource."""
    write = Write(_rid(cloud, request), request.json(), request.api_version, request.caller)
    locks.check_write(cloud, write.rid.id)
    return await _written(cloud, request, writes.patch(cloud, write), 200)


async def _written(cloud: Cloud, request: Request, record: Resource, status: int) -> Answer:
    """Answer a write in the manner of its provider."""
    known = cloud.knowledge.type(record.type)
    headers = {"ETag": record.etag} if known.etag else {}
    seconds = cloud.knobs.seconds_for(record.type)
    if seconds > 0 and known.write == "sync":
        await asyncio.sleep(seconds)
        record = cloud.resource(record.id) or record
    body: dict[str, Any] = reads.shown(cloud, record, request.api_version)
    if seconds <= 0 or known.write == "sync":
        return Answer(status, body, headers)
    if known.write == "location":
        job = lro.start(cloud, seconds, 200, record.id)
        return Answer(202, None, lro.location_headers(cloud, request, job))
    if known.write == "async":
        job = lro.start(cloud, seconds, 200)
        headers.update(lro.async_headers(cloud, request, job, record))
    return Answer(status, body, {**lro.wait_headers(cloud), **headers})


async def delete_resource(cloud: Cloud, request: Request, _: Words) -> Answer:
    """Delete a resource in the manner of its provider; 204 if it is not there."""
    rid = _rid(cloud, request)
    if rid.subscription is not None and rid.group is not None:
        cloud.writable_group(rid.subscription, rid.group)
    locks.check_delete(cloud, rid.id)
    known = cloud.knowledge.type(rid.type)
    for_good = request.query.get("force", "").lower() == "true" and known.softDelete is not None
    seconds = 0.0 if for_good else cloud.knobs.seconds_for(rid.type)
    record = writes.delete(cloud, rid, request.caller, for_good=for_good)
    if record is None:
        return Answer(204)
    if seconds <= 0:
        return Answer(200)
    style = known.delete or known.write
    if style == "sync":
        await asyncio.sleep(seconds)
        cloud.settle()
        return Answer(200)
    job = lro.start(cloud, seconds, 204)
    headers = lro.location_headers(cloud, request, job)
    if style == "async":
        headers.update(lro.async_headers(cloud, request, job, record))
    return Answer(202, None, headers)


async def act(cloud: Cloud, request: Request, __: Words) -> Answer:
    """Answer POST {id}/{action}: the secrets that GET does not show, and commands."""
    target, _, verb = request.path.rpartition("/")
    record = reads.find(cloud, reads.canonical(cloud, _rid(cloud, request, target)))
    locks.check_write(cloud, record.id)
    asked = request.json() if request.body.strip() else {}
    status, body, changed = actions.perform(cloud, record, verb, asked)
    if changed:
        writes.rewrite(cloud, record)
    return Answer(status, body)


ROUTES = (
    route(
        "resource",
        "(?P<scope>.*)/providers/{rest*}",
        {
            "GET": get_resource,
            "HEAD": head_resource,
            "PUT": put_resource,
            "PATCH": patch_resource,
            "DELETE": delete_resource,
            "POST": act,
        },
    ),
)
