"""Long-running operations other than deployments: jobs that end at a moment, and their polling.

A job needs no worker: whether it has ended follows from the time, so a restart changes nothing.
"""

from __future__ import annotations

import base64
import time
from typing import Any

import msgspec

from local.arm import errors
from local.arm.clock import new_guid
from local.arm.cloud import Cloud
from local.arm.messages import Answer, Request
from local.arm.state.records import Job, Resource


def ticket(job_id: str) -> str:
    """Return the opaque word in an operationresults URL. Pure."""
    word = msgspec.json.encode({"jobId": job_id, "jobLocation": "westeurope"})
    return base64.urlsafe_b64encode(word).rstrip(b"=").decode()


def start(
    cloud: Cloud,
    seconds: float,
    done_status: int,
    resource: str | None = None,
    *,
    body: dict[str, Any] | None = None,
    scope: str | None = None,
) -> Job:
    """Note a job that ends in `seconds`; a Location poll then answers `done_status`.

    The answer's body is `body`, or that of `resource`. `scope` is where it is asked about, as the
    start of a path: "" is the tenant, None the subscription.
    """
    job = Job(
        id=new_guid(),
        due_at=time.time() + seconds,
        resource=resource,
        done_status=done_status,
        body=body,
        scope=f"/subscriptions/{cloud.identity.subscription}" if scope is None else scope,
    )
    cloud.store.jobs.put(job.id, job)
    return job


def wait_headers(cloud: Cloud) -> dict[str, str]:
    """Return what tells a client how long to wait before it looks again."""
    seconds = cloud.knobs.retry_after
    if seconds is None:
        return {}
    if seconds != int(seconds):
        return {"x-ms-retry-after-ms": str(round(seconds * 1000))}
    return {"Retry-After": str(int(seconds))}


def location_headers(cloud: Cloud, request: Request, job: Job) -> dict[str, str]:
    """Return the headers that send a client polling by Location."""
    url = (
        f"{request.base}{job.scope}/operationresults/{ticket(job.id)}"
        f"?api-version={request.api_version}"
    )
    return {"Location": url, **wait_headers(cloud)}


def async_headers(cloud: Cloud, request: Request, job: Job, record: Resource) -> dict[str, str]:
    """Return the headers that send a client polling by Azure-AsyncOperation."""
    namespace = record.type.partition("/")[0]
    location = str(record.got.get("location") or "westeurope").replace(" ", "").lower()
    url = (
        f"{request.base}/subscriptions/{cloud.identity.subscription}/providers/{namespace}"
        f"/locations/{location}/operations/{job.id}?api-version={request.api_version}"
    )
    return {"Azure-AsyncOperation": url, **wait_headers(cloud)}


def find_job(cloud: Cloud, job_id: str) -> Job:
    """Return a job; raises NotFound."""
    job = cloud.store.jobs.get(job_id)
    if job is None:
        raise errors.ArmError(404, "NotFound", f"The operation '{job_id}' could not be found.")
    return job


def is_done(job: Job) -> bool:
    """Return whether the job has ended."""
    return job.due_at <= time.time()


def location_answer(cloud: Cloud, request: Request, job: Job, body: Any) -> Answer:
    """Answer a Location poll: 202 with the way on, or the job's end; raises what it failed of."""
    if not is_done(job):
        return Answer(202, None, location_headers(cloud, request, job))
    if job.error is not None:
        raise errors.ArmError(
            409,
            str(job.error.get("code", "")),
            str(job.error.get("message", "")),
            details=job.error.get("details") or [],
            gateway=False,
        )
    if job.body is not None:
        return Answer(job.done_status, job.body)
    return Answer(job.done_status, body if job.done_status == 200 else None)  # noqa: PLR2004 - OK


def scope_above(scope: str) -> str:
    """Return the part of a scope that jobs are asked about at: no resource group. Pure."""
    return scope.partition("/resourceGroups/")[0]


def status_answer(cloud: Cloud, job: Job) -> Answer:
    """Answer an Azure-AsyncOperation poll."""
    done = is_done(job)
    body: dict[str, Any] = {"name": job.id, "status": job.outcome if done else "InProgress"}
    if done and job.error is not None:
        body["error"] = job.error
    return Answer(200, body, {} if done else wait_headers(cloud))
