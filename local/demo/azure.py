"""What happened in (simulated) Azure, as Azure tells it, and what people do there by hand."""

import json
import re
import ssl
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local import simulator
from local.arm import tokens
from local.laptop import REPOSITORY

API_VERSION = "2024-03-01"
AUDIENCE = "https://management.azure.com/"
REQUEST_LIMIT_S = 10.0
STACK_PREFIX = f"plumbline.{REPOSITORY}."
DEPLOYMENT = "Microsoft.Resources/deployments"
RUNNING = frozenset({"Accepted", "Created", "Running", "Updating"})


@dataclass(frozen=True)
class Deployment:
    """One deployment that a stack made."""

    stack: str
    group: str
    state: str
    correlation_id: str
    ended: datetime
    """When it ended; of one that still runs, when it was last heard of."""
    seconds: float
    error: str

    @property
    def began(self) -> datetime:
        """When Azure began with it."""
        return self.ended - timedelta(seconds=self.seconds)

    @property
    def is_over(self) -> bool:
        """Whether Azure has finished with it."""
        return self.state not in RUNNING


@dataclass(frozen=True)
class Fact:
    """What a resource in Azure must have; ``path`` leads to it, as in ``properties.accessTier``.

    The resource is the one in the group whose type is ``kind`` and whose name begins with ``name``.
    """

    group: str
    kind: str
    name: str
    api_version: str
    path: str
    value: object


class Azure:
    """Reads the simulator through the same API that the Azure portal uses, as somebody of its own.

    ARM counts calls for each identity: whoever watched as Plumbline would take its calls away.
    """

    def __init__(self, line: Mapping[str, Any]) -> None:
        self._arm = line["arm"]
        self._tenant = tokens.read(self._arm["token"])[0].tid
        watcher = tokens.Identity(subscription="who watches the demo", tenant=self._tenant)
        self._token = watcher.token(AUDIENCE, 0, tokens.FAR_FUTURE)
        self._subscription = f"/subscriptions/{line['subscription_id']}"
        self._context = ssl.create_default_context(cafile=self._arm["ca_file"])

    def deployments(self) -> dict[str, Deployment]:
        """Return the newest deployment of every stack, by stack name."""
        return {one.stack: one for one in self._deployments()}

    def resources(self, deployment: Deployment) -> Counter[str]:
        """Return how many resources of each type the deployment wrote, nested ones included."""
        base = f"{self._subscription}/resourcegroups/{deployment.group}"
        name = f"{STACK_PREFIX}{deployment.stack}"
        return self._written(f"{base}/providers/{DEPLOYMENT}/{name}")

    def found(self, fact: Fact) -> list[object]:
        """Return what the resources that a fact is about have at its path: one, if all is well."""
        return [
            _at(self._get(self._url(resource, fact.api_version)), fact.path)
            for resource in self._about(fact)
        ]

    def change(self, fact: Fact, value: object, person: str) -> None:
        """Set another value where a fact is about, as the portal does for a person who signed in."""
        token = tokens.Person(person, self._tenant).token(AUDIENCE)
        for resource in self._about(fact):
            url = self._url(resource, fact.api_version)
            self._call(url, _nested(fact.path, value), method="PATCH", token=token)

    def _about(self, fact: Fact) -> list[str]:
        """Return the ids of the resources that a fact is about."""
        group = f"{self._subscription}/resourcegroups/{fact.group}"
        return [
            resource["id"]
            for resource in self._list(f"{group}/resources")
            if resource["type"].lower() == fact.kind.lower()
            and resource["name"].startswith(fact.name)
        ]

    def puts(self) -> int:
        """Return how often a deployment was asked for so far, refused ones included."""
        counts = self._get(f"{self._arm['control']}/requests?limit=0")["routes"]
        return int(counts.get("PUT deployment", 0))

    def take_time(self, stack: str, seconds: float) -> None:
        """Have the simulator work that long on the first resource of the stack's next deployment."""
        rule = {
            "match": {"method": "PUT", "origin": "deployment", "path": f"-{stack}/"},
            "answer": {"hang_seconds": seconds},
        }
        self._call(f"{self._arm['control']}/answers", rule)

    def _written(self, deployment_id: str) -> Counter[str]:
        written: Counter[str] = Counter()
        for operation in self._list(f"{deployment_id}/operations"):
            target = operation["properties"].get("targetResource")
            if target is None:
                continue
            if target["resourceType"].lower() == DEPLOYMENT.lower():
                written += self._written(target["id"])
            else:
                written[target["resourceType"].rpartition("/")[2]] += 1
        return written

    def _deployments(self) -> Iterator[Deployment]:
        for group in self._list(f"{self._subscription}/resourcegroups"):
            if group["name"] in simulator.RESOURCE_GROUPS:
                continue  # nobody deploys there: looking is not to cost more calls than it must
            path = f"{group['id']}/providers/{DEPLOYMENT}"
            for one in self._list(path):
                if one["name"].startswith(STACK_PREFIX):
                    yield _deployment(group["name"], one)

    def _list(self, path: str) -> list[Any]:
        page: list[Any] = self._get(self._url(path, API_VERSION))["value"]
        return page

    def _url(self, path: str, api_version: str) -> str:
        return f"{self._arm['endpoint']}{path}?api-version={api_version}"

    def _get(self, url: str) -> Any:
        return self._call(url, None)

    def _call(
        self,
        url: str,
        body: Mapping[str, Any] | None,
        *,
        method: str | None = None,
        token: str | None = None,
    ) -> Any:
        """GET, or POST a body, as who watches; or what else is asked for, as somebody else."""
        request = urllib.request.Request(  # noqa: S310 - our own simulator
            url,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {token or self._token}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(  # noqa: S310
            request, timeout=REQUEST_LIMIT_S, context=self._context
        ) as response:
            text = response.read()
        return json.loads(text) if text else None


def _deployment(group: str, content: Mapping[str, Any]) -> Deployment:
    properties = content["properties"]
    return Deployment(
        stack=content["name"].removeprefix(STACK_PREFIX),
        group=group,
        state=properties["provisioningState"],
        correlation_id=properties.get("correlationId", ""),
        ended=datetime.fromisoformat(properties["timestamp"]),
        seconds=_seconds(properties.get("duration", "PT0S")),
        error=_deepest_message(properties.get("error") or {}),
    )


def _at(resource: Any, path: str) -> object:
    for key in path.split("."):
        resource = (resource or {}).get(key)
    return resource


def _nested(path: str, value: object) -> dict[str, Any]:
    """Return a body that has a value at a path, and nothing else. Pure."""
    *outer, last = path.split(".")
    body: dict[str, Any] = {last: value}
    for key in reversed(outer):
        body = {key: body}
    return body


def _deepest_message(error: Mapping[str, Any]) -> str:
    details = error.get("details") or []
    return _deepest_message(details[0]) if details else error.get("message", "")


def _seconds(duration: str) -> float:
    """Return an ISO 8601 duration of hours, minutes and seconds in seconds; 0 for others. Pure."""
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", duration)
    if found is None:
        return 0.0
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
