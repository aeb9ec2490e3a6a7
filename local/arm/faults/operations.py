"""Long-running operations that do not end, end late, or end badly."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from local.arm import ids, lro
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.messages import Answer, Request
from local.arm.providers import locks, reads
from local.arm.rules import Call, Lro
from local.arm.script import Hold
from local.arm.state.records import Deployment, Job, Resource
from local.arm.tokens import FAR_FUTURE

Effect = Callable[[], Awaitable[Answer]]
_LOOK_EVERY_S = 0.05
_ENDED = ("Failed", "Canceled")


def due(asked: Lro) -> float:
    """Return when an operation that starts now ends, in seconds since the epoch."""
    return float(FAR_FUTURE) if asked.end == "never" else time.time() + asked.seconds


def error_of(asked: Lro) -> dict[str, Any] | None:
    """Return the error that the operation ends with, None for a good end. Pure."""
    if asked.end not in _ENDED:
        return None
    code = "OperationCanceled" if asked.end == "Canceled" else "InternalServerError"
    return asked.error or {"code": code, "message": f"The operation ended as {asked.end}."}


async def stick(cloud: Cloud, request: Request, asked: Lro, effect: Effect) -> Answer:
    """Let a client's call have its effect, and its operation the fate that was asked for."""
    if _is_deployment(request):
        key = ids.key_of(request.path)
        cloud.script.holds[key] = Hold(due(asked), asked.end, error_of(asked))
        try:
            answer = await effect()
        except ArmError:
            cloud.script.holds.pop(key, None)
            raise
    elif request.method == "DELETE":
        answer = await _slow_delete(cloud, request, asked, effect)
    else:
        answer = _slow(cloud, request, asked, await effect())
    if asked.says is not None:
        url = answer.headers.get("Azure-AsyncOperation") or answer.headers.get("Location", "")
        cloud.script.polls[urlsplit(url).path.lower()] = asked.says
    return answer


def _is_deployment(request: Request) -> bool:
    rid = ids.parse(request.path)
    return request.method == "PUT" and rid is not None and rid.type == ids.DEPLOYMENT_TYPE


def _slow(cloud: Cloud, request: Request, asked: Lro, answer: Answer) -> Answer:
    """Give an answer an operation if it has none, and the operation its end."""
    record = cloud.resource(request.path)
    if record is not None and request.method in ("PUT", "PATCH"):
        _mark(cloud, record, asked)
    job = _job(cloud, answer)
    if job is not None:
        _set(cloud, job, asked)
        return answer
    job = _set(cloud, lro.start(cloud, 0.0, 200, record.id if record else None), asked)
    if record is None or cloud.knowledge.type(record.type).write == "location":
        return Answer(202, None, lro.location_headers(cloud, request, job))
    headers = lro.async_headers(cloud, request, job, record)
    shown = reads.shown(cloud, record, request.api_version)
    return Answer(answer.status, shown, {**answer.headers, **headers})


def _mark(cloud: Cloud, record: Resource, asked: Lro) -> None:
    record.ready_at = due(asked)
    record.ended = asked.end if asked.end in _ENDED else "Succeeded"
    cloud.store.resources.put(record.id, record)


def _set(cloud: Cloud, job: Job, asked: Lro) -> Job:
    job.due_at, job.error = due(asked), error_of(asked)
    job.outcome = asked.end if asked.end in _ENDED else "Succeeded"
    cloud.store.jobs.put(job.id, job)
    return job


def _job(cloud: Cloud, answer: Answer) -> Job | None:
    """Return the job behind an answer's polling URL."""
    url = answer.headers.get("Azure-AsyncOperation") or answer.headers.get("Location")
    if not url:
        return None
    word = urlsplit(url).path.rpartition("/")[2]
    try:
        named = msgspec.json.decode(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
        word = str(named["jobId"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        pass
    return cloud.store.jobs.get(word)


def fail(cloud: Cloud, answer: Answer, error: dict[str, Any]) -> bool:
    """Let the operation that an answer speaks of fail; False if it speaks of none."""
    job = _job(cloud, answer)
    if job is None:
        return False
    job.outcome, job.error = "Failed", error
    cloud.store.jobs.put(job.id, job)
    return True


async def _slow_delete(cloud: Cloud, request: Request, asked: Lro, effect: Effect) -> Answer:
    """Delete late, or not at all where the operation is to fail."""
    record, pair = cloud.resource(request.path), ids.group_of(request.path)
    if record is None and (ids.parse(request.path) is not None or pair is None):
        return await effect()
    locks.check_delete(cloud, request.path)
    if record is not None:
        _mark(cloud, record, asked)
        record.pending = "Deleting"
        cloud.store.resources.put(record.id, record)
    job = _set(cloud, lro.start(cloud, 0.0, 204 if record else 200), asked)
    if asked.end not in _ENDED:
        if record is not None:
            cloud.leave_at(job.due_at, record.id)
        elif pair is not None:
            group = cloud.group(*pair)
            group.deleting_at = job.due_at
            group_id = ids.group_id(group.subscription, group.name)
            cloud.store.groups.put(group_id, group)
            cloud.leave_at(job.due_at, group_id)
    return Answer(202, None, lro.location_headers(cloud, request, job))


async def stick_step(
    call: Call, asked: Lro, effect: Effect, given_up: Callable[[], bool]
) -> Answer:
    """Let a deployment's write of a resource take as long as was asked, and end so.

    `given_up` ends the wait early. Raises the error that the provider's operation ends with.
    """
    answer = await effect()
    end = due(asked)
    while time.time() < end and not given_up():  # noqa: ASYNC110 - the end is a time, mostly
        await asyncio.sleep(min(_LOOK_EVERY_S, max(end - time.time(), 0.0)))
    error = error_of(asked)
    if error is None or time.time() < end:
        return answer
    raise ArmError(
        409,
        "ResourceDeploymentFailure",
        f"The resource operation completed with terminal provisioning state '{asked.end}'.",
        target=call.path,
        details=[error],
        gateway=False,
    )


async def held(cloud: Cloud, record: Deployment) -> Hold | None:
    """Wait while a deployment is held up; return how it has to end, None for its own end."""
    key = ids.key_of(record.id)
    while (hold := cloud.script.holds.get(key)) is not None and not record.cancel:
        rest = hold.due - time.time()
        if rest <= 0:
            break
        await asyncio.sleep(min(_LOOK_EVERY_S, rest))
    cloud.script.holds.pop(key, None)
    return hold if hold is not None and hold.end in _ENDED and not record.cancel else None


def poll(cloud: Cloud, path: str) -> Answer | None:
    """Return what a poll is told instead of the truth, or None."""
    says = cloud.script.polls.get(path.lower()) if cloud.script.polls else None
    if says is None:
        return None
    if says == "":
        return Answer(200)
    if says == "{":
        return Answer(200, "{", {"Content-Type": "application/json; charset=utf-8"})
    return Answer(200, {"status": says}, lro.wait_headers(cloud))
