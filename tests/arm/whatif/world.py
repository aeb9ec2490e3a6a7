"""One cloud without a server: deployments and what-ifs in the process of the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.arm import groups, ids, knowledge
from local.arm.clock import Clock
from local.arm.cloud import Cloud
from local.arm.deploy import scopes, submit
from local.arm.deploy.runner import Runner
from local.arm.knobs import Knobs
from local.arm.messages import Caller, Request
from local.arm.providers import writes
from local.arm.providers.writes import Write
from local.arm.state.store import Store
from local.arm.tokens import Identity
from local.arm.whatif import operation
from local.arm.whatif.limits import Limits
from local.arm.whatif.operation import Clouds, Result
from tests.arm.azure import ask

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
TENANT = "99999999-8888-4777-8666-555555555555"
CALLER = Caller("oid", "appid", TENANT)
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
API = "2025-04-01"


class Noon(Clock):
    """A clock that stands."""

    def now(self) -> datetime:
        """Return one moment."""
        return datetime(2026, 10, 7, 12, tzinfo=UTC)


def new_cloud(clock: Clock | None = None, **knobs: Any) -> Cloud:
    """Return an empty cloud in memory."""
    cloud = Cloud(Store(None), clock or Clock(), knowledge.load(), Identity(SUBSCRIPTION, TENANT))
    cloud.turn(Knobs(**knobs))
    return cloud


@dataclass
class World:
    """A cloud with one group, `rg`, unless told otherwise."""

    cloud: Cloud = field(default_factory=new_cloud)

    def __post_init__(self) -> None:
        self.group("rg")

    def group(self, name: str, **more: Any) -> None:
        """Create a resource group."""
        groups.write(self.cloud, SUBSCRIPTION, name, {"location": "westeurope", **more})

    def request(self, body: Mapping[str, Any], scope: str, name: str) -> Request:
        """Return the request of a deployment or what-if."""
        path = f"{scope}/providers/{ids.DEPLOYMENT_TYPE}/{name}"
        return Request(
            method="PUT",
            path=path,
            query={"api-version": API},
            body=json.dumps(body).encode(),
            base="https://arm",
            caller=CALLER,
            correlation_id="c0ffee00-0000-4000-8000-000000000001",
        )

    def deploy(self, resources: Any, scope: str = GROUP, name: str = "d", **more: Any) -> None:
        """Carry a deployment out; fail if it fails."""
        request = self.request(_asked(resources, scope, more), scope, name)

        async def run() -> None:
            runner = Runner(self.cloud)
            asked = await submit.asked(self.cloud, request, scopes.at(self.cloud, scope), name)
            record, _ = await runner.accept(asked)
            while runner._tasks:
                await asyncio.gather(*runner._tasks)
            kept = self.cloud.store.deployments.get(record.id)
            assert kept is not None
            assert kept.state == "Succeeded", kept.error

        asyncio.run(run())

    def foretell(
        self,
        resources: Any,
        scope: str = GROUP,
        name: str = "d",
        limits: Limits | None = None,
        **more: Any,
    ) -> Result:
        """Return what a deployment would change, with the labels."""
        body = _asked(resources, scope, more)
        request = self.request(body, scope, name)
        asked = asyncio.run(submit.asked(self.cloud, request, scopes.at(self.cloud, scope), name))
        clouds = Clouds.of(self.cloud, self.cloud.whatifs.next_tick())
        submission = submit.submission_of(self.cloud, asked)
        plan = submit.plan(clouds.then, asked, submission)
        wish = operation.wish_of(body["properties"])
        return operation.foretell(clouds, asked, plan, wish, limits)

    def what_if(self, resources: Any, scope: str = GROUP, **more: Any) -> dict[str, Any]:
        """Return the properties of a what-if that succeeds."""
        body = self.foretell(resources, scope, **more).body
        assert body["status"] == "Succeeded", body
        found: dict[str, Any] = body["properties"]
        return found

    def changes(self, resources: Any, scope: str = GROUP, **more: Any) -> list[dict[str, Any]]:
        """Return the changes of a what-if that succeeds."""
        found: list[dict[str, Any]] = self.what_if(resources, scope, **more)["changes"]
        return found

    def change(self, resource_id: str, patch: Mapping[str, Any]) -> None:
        """Change a resource by hand."""
        rid = ids.parse(resource_id)
        record = self.cloud.resource(resource_id)
        assert rid is not None
        assert record is not None
        writes.patch(self.cloud, Write(rid, dict(patch), record.api_version, CALLER))


def _asked(resources: Any, scope: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request body; `resources` may be a whole template, `properties` adds to it."""
    extra = dict(more)
    properties = extra.pop("properties", {})
    if isinstance(resources, Mapping) and "contentVersion" in resources:
        mode = extra.pop("mode", "Incremental")
        given = extra.pop("given", None)
        body: dict[str, Any] = {"properties": {"mode": mode, "template": resources}}
        if given is not None:
            body["properties"]["parameters"] = given
    else:
        body = ask(resources, **extra)
    body["properties"].update(properties)
    if "/resourceGroups/" not in scope:
        body["location"] = "westeurope"
    return body


def kinds(changes: list[dict[str, Any]]) -> dict[str, str]:
    """Return the change types by the last part of the id."""
    return {one["resourceId"].rpartition("/")[2]: one["changeType"] for one in changes}


def leaves(delta: list[dict[str, Any]], at: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, kind) of every entry of a delta, indices as segments."""
    for one in delta:
        path = ".".join(part for part in (at, one["path"]) if part)
        if one.get("children"):
            yield from leaves(one["children"], path)
        else:
            yield path, one["propertyChangeType"]


def nested(name: str, template: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a nested deployment with inner scope."""
    given = more.pop("given", None)
    scope = more.pop("scope_of_evaluation", "inner")
    properties: dict[str, Any] = {
        "mode": "Incremental",
        "expressionEvaluationOptions": {"scope": scope},
        "template": template,
    }
    if given is not None:
        properties["parameters"] = given
    return {
        "type": ids.DEPLOYMENT_TYPE,
        "apiVersion": "2025-04-01",
        "name": name,
        "properties": properties,
        **more,
    }
