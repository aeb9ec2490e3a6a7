"""Writing the Activity Log: one function for every way in which something is done.

An operation is a pair of entries at least: Started and its end, with Accepted between them where
the end comes later. An end that is already known (a provider that works for three seconds) is
written at once with the time at which it will be, and is not shown before.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from local.arm import actions, ids
from local.arm.activity.bodies import shown_body
from local.arm.clock import new_guid
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.messages import Answer, Caller, Request
from local.arm.state.records import Deployment, Event

STARTED, ACCEPTED, SUCCEEDED, FAILED = "Started", "Accepted", "Succeeded", "Failed"

_DEPLOY = f"{ids.DEPLOYMENT_TYPE}/write"
_WRITES = frozenset({"PUT", "PATCH", "DELETE", "POST"})
_DATA_PLANE = "/v1/"
_ASKING = re.compile(
    r"/providers/(Microsoft\.ResourceGraph/.+|Microsoft\.Resources/calculateTemplateHash"
    r"|Microsoft\.Insights/(metrics|logs).*)",
    re.IGNORECASE,
)
# What never reaches the log: no caller, no such call, too many calls, not simulated.
_UNSEEN = frozenset({401, 405, 429, 501})
_DAY_SECONDS = 86_400
_KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class _Deed:
    """What all entries of one operation have in common."""

    action: str
    scope: str
    caller: Caller
    correlation_id: str
    actor: str = ""
    method: str = ""
    client_request_id: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class _Phase:
    """One entry of an operation; `after_seconds` from now."""

    status: str
    code: int = 0
    error: dict[str, Any] | None = None
    after_seconds: float = 0.0


def _note(cloud: Cloud, deed: _Deed, *phases: _Phase) -> None:
    now = cloud.clock.now().timestamp()
    events = cloud.store.events
    caller = deed.caller
    request_id = new_guid()
    for number, phase in enumerate(phases):
        error = phase.error
        events.add(
            Event(
                at=now + phase.after_seconds,
                action=deed.action,
                scope=deed.scope,
                status=phase.status,
                correlation_id=deed.correlation_id,
                request_id=request_id,
                actor=deed.actor or caller.upn,
                oid=caller.oid,
                appid=caller.appid,
                tid=caller.tid,
                code=phase.code,
                error={key: str(error[key]) for key in ("code", "message") if key in error}
                if error
                else None,
                method=deed.method,
                client_request_id=deed.client_request_id,
                body="" if number else deed.body,
            )
        )
    events.keep(cloud.knobs.activity_limit)
    oldest = events.first()
    while oldest is not None and oldest.at < now - _KEPT_DAYS * _DAY_SECONDS:
        events.keep(len(events) - 1)
        oldest = events.first()


# ------------------------------------------------------------------ calls of clients


def _deed_of(cloud: Cloud, request: Request) -> _Deed | None:
    """Return what a call does; None if it only asks, or is none of ARM's."""
    path = request.path
    if request.method not in _WRITES or path.startswith(_DATA_PLANE) or _ASKING.fullmatch(path):
        return None
    action, scope = actions.needed(request.method, _spelled_call(cloud, request))
    return _Deed(
        action=action,
        scope=scope,
        caller=request.caller,
        correlation_id=request.correlation_id,
        method=request.method,
        client_request_id=request.headers.get("x-ms-client-request-id", ""),
        body=shown_body(action, request.body),
    )


def _spelled_call(cloud: Cloud, request: Request) -> str:
    """Return a call's path with the id in it in ARM's spelling."""
    if request.method != "POST":
        return _spelled(cloud, request.path)
    target, _, verb = request.path.rpartition("/")
    return f"{_spelled(cloud, target)}/{verb}"


def _spelled(cloud: Cloud, path: str) -> str:
    """Return an id in ARM's spelling, as far as it is one and whether it exists or not."""
    record = cloud.resource(path) or cloud.store.deployments.get(path)
    if record is not None:
        return record.id
    rid, pair = ids.parse(path), ids.group_of(path)
    scope = path if rid is None else rid.scope
    if pair is not None:
        group = cloud.store.groups.get(ids.group_id(*pair))
        rest = "/".join(scope.split("/")[5:])
        scope = ids.group_id(pair[0], group.name if group else pair[1]) + (
            f"/{rest}" if rest else ""
        )
    if rid is None:
        return scope
    namespace, *types = cloud.knowledge.spell(rid.type).split("/")
    return ids.ResourceId(scope, namespace, tuple(types), rid.names).id


class Witness:
    """Sees one call of a client through and notes what really came of it.

    That may be more than the client is told: its connection may break after the effect.
    """

    def __init__(self, cloud: Cloud, request: Request) -> None:
        self._cloud = cloud
        self._request = request
        self._outcome: Answer | ArmError | None = None

    async def watch(self, effect: Callable[[], Awaitable[Answer]]) -> Answer:
        """Let the call have its effect."""
        try:
            self._outcome = await effect()
        except ArmError as error:
            self._outcome = error
            raise
        return self._outcome

    def note(self, said: Answer | ArmError | None) -> None:
        """Note what was done, or what was said instead: the answer, None for none at all."""
        outcome = self._outcome or said
        if outcome is None or outcome.status in _UNSEEN:
            return
        deed = _deed_of(self._cloud, self._request)
        if deed is not None:
            _note(self._cloud, deed, _Phase(STARTED), *_phases(self._cloud, deed, outcome))


def _phases(cloud: Cloud, deed: _Deed, outcome: Answer | ArmError) -> list[_Phase]:
    if isinstance(outcome, ArmError):
        return [_Phase(FAILED, outcome.status, outcome.body())]
    if outcome.status >= HTTPStatus.BAD_REQUEST:
        error = outcome.body.get("error") if isinstance(outcome.body, dict) else None
        return [_Phase(FAILED, outcome.status, error)]
    polled = {"azure-asyncoperation", "location"} & {name.lower() for name in outcome.headers}
    if outcome.status != HTTPStatus.ACCEPTED and not polled:
        return [_Phase(SUCCEEDED, outcome.status)]
    accepted = _Phase(ACCEPTED, outcome.status)
    if deed.method == "PUT" and deed.scope in cloud.store.deployments:
        # Its end is noted when it comes.
        return [accepted]
    return [accepted, _later(cloud, deed.scope)]


def _later(cloud: Cloud, scope: str) -> _Phase:
    """Return how the work on a resource or group ends, and when."""
    record, group = cloud.resource(scope), cloud.store.groups.get(scope)
    due = record.ready_at if record else group.deleting_at if group else None
    after = max((due or 0.0) - time.time(), 0.0)
    if record is not None and record.ended not in ("", SUCCEEDED):
        return _Phase(record.ended, HTTPStatus.CONFLICT, after_seconds=after)
    return _Phase(SUCCEEDED, HTTPStatus.OK, after_seconds=after)


# ------------------------------------------------------------------ what goes with a group


def group_deleted(cloud: Cloud, group: str, request: Request) -> None:
    """Note what leaves with a group (its canonical id): the deletion of each resource in it."""
    end = _later(cloud, group)
    for record in cloud.store.resources.below(group, _is_top_level):
        deed = _Deed(f"{record.type}/delete", record.id, request.caller, request.correlation_id)
        _note(cloud, deed, _Phase(STARTED), end)


def _is_top_level(key: str) -> bool:
    return key.count("/") == 8 and key.count("/providers/") == 1  # noqa: PLR2004 - /s/S/r/R/p/N/t/n


# ------------------------------------------------------------------ deployments


def _caller(record: Deployment) -> Caller:
    return Caller(**record.caller) if record.caller else Caller("", "", "")


def deployment_began(cloud: Cloud, record: Deployment, caller: Caller) -> None:
    """Note that a deployment was begun by another deployment."""
    deed = _Deed(_DEPLOY, record.id, caller, record.correlation_id)
    _note(cloud, deed, _Phase(STARTED), _Phase(ACCEPTED, HTTPStatus.CREATED))


def deployment_ended(cloud: Cloud, record: Deployment) -> None:
    """Note how a deployment ended."""
    code = HTTPStatus.OK if record.state == SUCCEEDED else HTTPStatus.CONFLICT
    deed = _Deed(_DEPLOY, record.id, _caller(record), record.correlation_id)
    _note(cloud, deed, _Phase(record.state, code, record.error))


def step_taken(
    cloud: Cloud, deployment: Deployment, resource_id: str, outcome: ArmError | HTTPStatus
) -> None:
    """Note what a step of a deployment wrote, or what it was refused with."""
    action, scope = actions.needed("PUT", _spelled(cloud, resource_id))
    deed = _Deed(action, scope, _caller(deployment), deployment.correlation_id)
    _note(cloud, deed, _Phase(STARTED), _end(outcome))


def _end(outcome: ArmError | HTTPStatus) -> _Phase:
    if isinstance(outcome, ArmError):
        return _Phase(FAILED, outcome.status, outcome.body())
    return _Phase(SUCCEEDED, outcome)


def resource_deleted(
    cloud: Cloud, deployment: tuple[Caller, str], resource_id: str, outcome: ArmError | HTTPStatus
) -> None:
    """Note a deletion that a deployment (its caller and correlation id) made or was refused."""
    action, scope = actions.needed("DELETE", resource_id)
    _note(cloud, _Deed(action, scope, *deployment), _Phase(STARTED), _end(outcome))


# ------------------------------------------------------------------ the portal


def done_by_hand(cloud: Cloud, method: str, resource_id: str, actor: str) -> None:
    """Note what a person did: `method` PUT, PATCH or DELETE to a resource or group."""
    action, scope = actions.needed(method, _spelled(cloud, resource_id))
    caller = Caller("", "", cloud.identity.tenant)
    deed = _Deed(action, scope, caller, new_guid(), actor=actor, method=method)
    _note(cloud, deed, _Phase(STARTED), _Phase(SUCCEEDED, HTTPStatus.OK))
