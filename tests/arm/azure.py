"""The real SDK clients of one simulator, and plain HTTP calls for what the SDK hides."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials import AccessToken
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

from local.arm.server import Address

API = "2025-04-01"
SCOPE = "https://management.azure.com/.default"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


class StaticCredential:
    """A credential that always has the same token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Return the token."""
        return AccessToken(self._token, int(time.time()) + 3600)


@dataclass(frozen=True)
class Reply:
    """What a plain call got back."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code of the ARM error in the body."""
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        """The message of the ARM error in the body."""
        return str(self.body["error"]["message"])


@dataclass(frozen=True)
class Azure:
    """One simulator as a test sees it.

    The clients are the SDK's own; Any, because its models call nearly everything optional.
    """

    address: Address
    resources: Any
    deployments: Any

    @property
    def subscription(self) -> str:
        """The id of the subscription, with its path."""
        return f"/subscriptions/{self.address.subscription_id}"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        token: str | None = "",
    ) -> Reply:
        """Make one plain call; `token` "" is the right one, None sends none."""
        given = {"Content-Type": "application/json", **(headers or {})}
        bearer = self.address.token if token == "" else token
        if bearer is not None:
            given["Authorization"] = f"Bearer {bearer}"
        place = urlsplit(self.address.endpoint)
        connection = http.client.HTTPSConnection(
            place.hostname or "",
            place.port,
            context=ssl.create_default_context(cafile=self.address.ca_file),
            timeout=20,
        )
        try:
            data = body if isinstance(body, str | None) else json.dumps(body)
            connection.request(method, path, data, given)
            response = connection.getresponse()
            text = response.read()
            found = {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()
        return Reply(response.status, found, json.loads(text) if text else None)

    def control(self, method: str, verb: str, body: Any = None) -> Any:
        """Call the side channel; return the body of a good answer."""
        reply = self.call(method, f"/_control{verb}", body, token=None)
        assert reply.status < 300, reply
        return reply.body

    def turn(self, **knobs: Any) -> None:
        """Turn knobs."""
        self.control("PATCH", "/knobs", knobs)

    def script(self, answer: dict[str, Any], count: int | None = 1, **match: Any) -> None:
        """Script an answer."""
        self.control("POST", "/answers", {"match": match, "answer": answer, "count": count})

    def counts(self) -> dict[str, int]:
        """Return the counts of the request log by route."""
        found: dict[str, int] = self.control("GET", "/requests?limit=0")["routes"]
        return found

    def group(self, name: str = "rg-shop", location: str = "westeurope") -> str:
        """Create a resource group; return its canonical id."""
        self.resources.resource_groups.create_or_update(name, {"location": location})
        return f"{self.subscription}/resourceGroups/{name}"

    def deploy(self, name: str, resources: Any, group: str = "rg-shop", **more: Any) -> Any:
        """Start a deployment through the SDK and return its poller."""
        return self.deployments.deployments.begin_create_or_update(
            group, name, ask(resources, **more)
        )

    def begin(self, name: str, resources: Any, group: str = "rg-shop", **more: Any) -> None:
        """Start a deployment whose end no one waits for.

        A poller left alone would go on in its thread and open connections that nobody closes.
        """
        self.deployments.deployments.begin_create_or_update(
            group, name, ask(resources, **more), polling=False
        )


def ask(
    resources: Any,
    *,
    parameters: Any = None,
    tags: Any = None,
    mode: str = "Incremental",
    given: Any = None,
    outputs: Any = None,
) -> dict[str, Any]:
    """Return the body of a deployment PUT."""
    properties = {"mode": mode, "template": template(resources, parameters, outputs)}
    if given is not None:
        properties["parameters"] = given
    return {"properties": properties, **({"tags": tags} if tags else {})}


def template(resources: Any, parameters: Any = None, outputs: Any = None) -> dict[str, Any]:
    """Return a template."""
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        **({"parameters": parameters} if parameters else {}),
        "resources": resources,
        **({"outputs": outputs} if outputs else {}),
    }


def storage(name: str = "stshop001", **more: Any) -> dict[str, Any]:
    """Return a storage account for a template."""
    return {
        "type": "Microsoft.Storage/storageAccounts",
        "apiVersion": "2024-01-01",
        "name": name,
        "location": "westeurope",
        "sku": {"name": "Standard_LRS"},
        "kind": "StorageV2",
        "properties": {},
        **more,
    }


def network(name: str = "vnet", subnets: tuple[str, ...] = ("web",), **more: Any) -> dict[str, Any]:
    """Return a virtual network for a template."""
    return {
        "type": "Microsoft.Network/virtualNetworks",
        "apiVersion": "2024-05-01",
        "name": name,
        "location": "West Europe",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [
                {"name": subnet, "properties": {"addressPrefix": f"10.0.{index}.0/24"}}
                for index, subnet in enumerate(subnets)
            ],
        },
        **more,
    }


def nested(name: str, resources: Any, outputs: Any = None, **more: Any) -> dict[str, Any]:
    """Return a nested deployment for a template; `properties` of it come on top of its own."""
    properties = more.pop("properties", {})
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": name,
        **more,
        "properties": {
            "mode": "Incremental",
            "template": template(resources, outputs=outputs),
            **properties,
        },
    }


def plain(name: str, **more: Any) -> dict[str, Any]:
    """Return a resource of a type that the simulator knows nothing about."""
    return {
        "type": "Contoso.Shop/shelves",
        "apiVersion": "2024-01-01",
        "name": name,
        "location": "westeurope",
        "properties": {"depth": 3},
        **more,
    }


@contextmanager
def clients(address: Address, credential: Any = None, **options: Any) -> Iterator[Azure]:
    """Open the SDK clients of a simulator."""
    given = {
        "base_url": address.endpoint,
        "credential_scopes": [SCOPE],
        "connection_verify": address.ca_file,
        **options,
    }
    credential = credential or StaticCredential(address.token)
    with (
        ResourceManagementClient(credential, address.subscription_id, **given) as resources,
        DeploymentsMgmtClient(credential, address.subscription_id, **given) as deployments,
    ):
        yield Azure(address, resources, deployments)


def eventually(condition: Callable[[], bool], limit_s: float = 10.0) -> None:
    """Wait until a condition holds; fail after `limit_s`."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.01)
