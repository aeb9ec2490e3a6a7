"""The simulator as the measurement sees it: its side channel, plain GETs, and somebody else's hand."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

from azure.core.credentials import AccessToken
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

from bench.drift.model import Edit, Estate, Stack
from bench.drift.rehearsal import filled

AT_ONCE: Final = 6
REQUEST_LIMIT_S: Final = 60.0
LIST_VERSION: Final = "2024-07-01"
_IN_PATHS: Final = "/?=&$:%@,.~-_()'"
SCOPE: Final = "https://management.azure.com/.default"

A = TypeVar("A")
B = TypeVar("B")


class RefusedError(Exception):
    """The simulator refused a call of the measurement; the text says which and why."""


@dataclass(frozen=True)
class Counts:
    """What the simulator was asked since the counts were set to zero."""

    total: int
    reads: int
    writes: int
    throttled: int
    routes: Mapping[str, int]


class Token:
    """A credential that always has the same token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        """Return the token."""
        return AccessToken(self._token, int(time.time()) + 3600)


def token_of(name: str, tenant: str) -> str:
    """Return an access token of another principal: the simulator checks no signature. Pure."""
    claims = {
        "aud": "https://management.azure.com",
        "exp": 4102444800,
        "tid": tenant,
        "oid": name,
        "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    }
    parts = [{"typ": "JWT", "alg": "none"}, claims]
    coded = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in parts]
    return b".".join([*coded, b""]).decode()


@dataclass
class Azure:
    """One running simulator; ``line`` is what it printed about itself. To be closed."""

    line: Mapping[str, Any]
    _idle: deque[http.client.HTTPSConnection] = field(default_factory=deque)

    @property
    def subscription(self) -> str:
        """The path of its subscription."""
        return f"/subscriptions/{self.line['subscription_id']}"

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = ""
    ) -> tuple[int, Any]:
        """Make one call; return status and body. ``token`` "" is the simulator's own."""
        headers = {"Content-Type": "application/json"}
        bearer = self.line["token"] if token == "" else token
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        data = None if body is None else json.dumps(body)
        connection = self._connection()
        try:
            connection.request(method, quote(path, safe=_IN_PATHS), data, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (http.client.HTTPException, OSError):
            connection.close()
            raise
        self._idle.append(connection)
        return answer.status, json.loads(text) if text else None

    def _connection(self) -> http.client.HTTPSConnection:
        """Take an idle connection, or open one."""
        try:
            return self._idle.pop()
        except IndexError:
            place = urlsplit(self.line["endpoint"])
            trust = ssl.create_default_context(cafile=self.line["ca_file"])
            return http.client.HTTPSConnection(
                place.hostname or "", place.port, context=trust, timeout=REQUEST_LIMIT_S
            )

    def close(self) -> None:
        """Close what is open."""
        while self._idle:
            self._idle.pop().close()

    def good(self, method: str, path: str, body: Any = None, *, token: str | None = "") -> Any:
        """Make one call that must succeed; return its body. Raises RefusedError."""
        status, answer = self.call(method, path, body, token=token)
        if status >= 300:
            raise RefusedError(f"{method} {path}: {status} {answer}")
        return answer

    def control(self, method: str, verb: str, body: Any = None) -> Any:
        """Call the side channel. Raises RefusedError."""
        return self.good(method, f"/_control{verb}", body, token=None)

    def turn(self, **knobs: Any) -> None:
        """Turn knobs."""
        self.control("PATCH", "/knobs", knobs)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Have no noise and no limits in the block: what is read then is the truth."""
        knobs = self.control("GET", "/knobs")
        self.turn(noise={}, throttle=None)
        try:
            yield
        finally:
            self.turn(noise=knobs["noise"], throttle=knobs["throttle"])

    def counts(self) -> Counts:
        """Return what was asked since ``forget``."""
        found = self.control("GET", "/requests?limit=0")
        return Counts(
            total=found["total"],
            reads=found["kinds"]["reads"],
            writes=found["kinds"]["writes"],
            throttled=found["statuses"].get("429", 0),
            routes=found["routes"],
        )

    def forget(self) -> None:
        """Set the counts to zero."""
        self.control("DELETE", "/requests")

    def resource(self, resource_id: str, version: str) -> dict[str, Any] | None:
        """Return what GET shows; None if it shows nothing (missing, or refused)."""
        status, body = self.call("GET", f"{resource_id}?api-version={version}")
        return body if status == 200 else None

    def listed(self, group: str) -> list[str]:
        """Return the ids that the list of a resource group shows."""
        path = f"{self.subscription}/resourceGroups/{group}/resources?api-version={LIST_VERSION}"
        status, body = self.call("GET", path)
        return [one["id"] for one in body["value"]] if status == 200 else []

    def carry_out(self, edit: Edit) -> None:
        """Make one edit as somebody else. Raises RefusedError.

        What is new goes the ordinary way with a token of that person's; a change and a deletion go
        by the side channel, because a PATCH of a body read with noise would write the noise, too.
        """
        resource = filled(edit.resource, self.subscription)
        if edit.delete:
            self.control("POST", "/delete", {"id": resource, "actor": edit.by})
        elif edit.put is not None:
            body = filled(edit.put, self.subscription)
            token = token_of(edit.by, self.line["tenant_id"])
            self.good("PUT", f"{resource}?api-version={edit.api_version}", body, token=token)
        else:
            patch = filled(edit.set, self.subscription)
            self.control("POST", "/change", {"id": resource, "set": patch, "actor": edit.by})


def together(function: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """Apply a function to all items, some at once; results in order, the first error raises."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(function, items))


@contextmanager
def deployments(azure: Azure) -> Iterator[Any]:
    """Open the SDK's client of deployments; Any, because its models call nearly all optional."""
    with DeploymentsMgmtClient(
        Token(azure.line["token"]),
        azure.line["subscription_id"],
        base_url=azure.line["endpoint"],
        credential_scopes=[SCOPE],
        connection_verify=azure.line["ca_file"],
        retry_total=20,
        retry_status=20,
    ) as client:
        yield client


def deploy(azure: Azure, estate: Estate) -> None:
    """Deploy all stacks with the SDK, without the product. Raises the SDK's errors."""
    with ResourceManagementClient(
        Token(azure.line["token"]),
        azure.line["subscription_id"],
        base_url=azure.line["endpoint"],
        credential_scopes=[SCOPE],
        connection_verify=azure.line["ca_file"],
    ) as groups:
        for group, location in {stack.group: stack.location for stack in estate.stacks}.items():
            groups.resource_groups.create_or_update(group, {"location": location})
    with deployments(azure) as client:

        def one(stack: Stack) -> None:
            client.deployments.begin_create_or_update(
                stack.group, stack.name, asked(azure, stack)
            ).result()

        together(one, estate.stacks)


def asked(azure: Azure, stack: Stack) -> dict[str, Any]:
    """Return the body of a stack's deployment or what-if."""
    template = filled(stack.template, azure.subscription)
    return {"properties": {"mode": "Incremental", "template": template}}
