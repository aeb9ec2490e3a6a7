"""What happened in (simulated) Azure, as Azure tells it: deployments and what they made."""

import json
import ssl
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.laptop import REPOSITORY

API_VERSION = "2024-03-01"
REQUEST_LIMIT_S = 10.0
STACK_PREFIX = f"plumbline.{REPOSITORY}."
RUNNING = frozenset({"Accepted", "Created", "Running", "Updating"})


@dataclass(frozen=True)
class Deployment:
    """One deployment that a stack made."""

    stack: str
    group: str
    state: str
    correlation_id: str
    seconds: str
    error: str

    @property
    def is_over(self) -> bool:
        """Whether Azure has finished with it."""
        return self.state not in RUNNING


class Azure:
    """Reads the simulator through the same API that the Azure portal uses."""

    def __init__(self, line: Mapping[str, Any]) -> None:
        self._arm = line["arm"]
        self._subscription = f"/subscriptions/{line['subscription_id']}"
        self._context = ssl.create_default_context(cafile=self._arm["ca_file"])

    def deployments(self) -> dict[str, Deployment]:
        """Return the newest deployment of every stack, by stack name."""
        return {one.stack: one for one in self._deployments()}

    def resources(self, deployment: Deployment) -> Counter[str]:
        """Return how many resources of each type the deployment wrote."""
        name = f"{STACK_PREFIX}{deployment.stack}"
        base = f"{self._subscription}/resourcegroups/{deployment.group}"
        path = f"{base}/providers/Microsoft.Resources/deployments/{name}/operations"
        targets = [operation["properties"].get("targetResource") for operation in self._list(path)]
        types = [target["resourceType"] for target in targets if target is not None]
        return Counter(one.rpartition("/")[2] for one in types)

    def _deployments(self) -> Iterator[Deployment]:
        for group in self._list(f"{self._subscription}/resourcegroups"):
            path = f"{group['id']}/providers/Microsoft.Resources/deployments"
            for one in self._list(path):
                if one["name"].startswith(STACK_PREFIX):
                    yield _deployment(group["name"], one)

    def _list(self, path: str) -> list[Any]:
        request = urllib.request.Request(  # noqa: S310 - our own simulator
            f"{self._arm['endpoint']}{path}?api-version={API_VERSION}",
            headers={"Authorization": f"Bearer {self._arm['token']}"},
        )
        with urllib.request.urlopen(  # noqa: S310
            request, timeout=REQUEST_LIMIT_S, context=self._context
        ) as response:
            page: list[Any] = json.load(response)["value"]
        return page


def _deployment(group: str, content: Mapping[str, Any]) -> Deployment:
    properties = content["properties"]
    return Deployment(
        stack=content["name"].removeprefix(STACK_PREFIX),
        group=group,
        state=properties["provisioningState"],
        correlation_id=properties.get("correlationId", ""),
        seconds=properties.get("duration", "PT0S").removeprefix("PT").removesuffix("S"),
        error=_deepest_message(properties.get("error") or {}),
    )


def _deepest_message(error: Mapping[str, Any]) -> str:
    details = error.get("details") or []
    return _deepest_message(details[0]) if details else error.get("message", "")
