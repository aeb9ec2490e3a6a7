"""Commit statuses at GitHub, by its REST API (docs: "REST API endpoints for commit statuses").

One attempt for each call: retries are messages. Redirects are not followed: the token is for one host.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest, HttpResponse

from shared.core.commit_status import CommitStatus
from shared.core.errors import Stalled, Transient
from shared.ports import GitHost

_TIMEOUT_S: Final = 15.0
_PAGE: Final = 100
_LIMITED: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True)
class GitHubStatuses:
    """The port CommitStatuses. ``ca_file`` is a PEM file to trust, None: the public authorities."""

    ca_file: str | None = None

    def send(self, host: GitHost, revision: str, status: CommitStatus) -> None:
        """Set one context of a revision; see ports.CommitStatuses."""
        body = {
            "state": status.state,
            "context": status.context,
            "description": status.description,
        }
        self._call(host, "POST", f"{host.api}/statuses/{revision}", body)

    def sent(self, host: GitHost, revision: str) -> Mapping[str, str]:
        """Return the newest state of each context; GitHub lists the newest first."""
        found: dict[str, str] = {}
        page = 1
        while True:
            url = f"{host.api}/commits/{revision}/statuses?per_page={_PAGE}&page={page}"
            listed = self._call(host, "GET", url, None)
            items = listed if isinstance(listed, list) else []
            for item in items:
                if isinstance(item, dict):
                    found.setdefault(str(item.get("context")), str(item.get("state")))
            if len(items) < _PAGE:
                return found
            page += 1

    def _call(self, host: GitHost, method: str, url: str, body: Any) -> Any:
        request = HttpRequest(
            method,
            url,
            headers={
                "Authorization": f"Bearer {host.token.reveal()}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "plumbline",
            },
            json=body,
        )
        try:
            with PipelineClient[HttpRequest, HttpResponse](
                host.api,
                policies=[],
                connection_verify=self.ca_file or True,
                connection_timeout=_TIMEOUT_S,
                read_timeout=_TIMEOUT_S,
            ) as client:
                response = client.send_request(request)
                return _read(response)
        except AzureError as error:
            raise Transient("GitHostUnreachable", "The Git host's API did not answer.") from error


def _read(response: HttpResponse) -> Any:
    status = response.status_code
    if status < HTTPStatus.MULTIPLE_CHOICES:
        try:
            return json.loads(response.text() or "null")
        except ValueError as error:
            raise Transient(
                "GitHostUnreadable", "The Git host's API did not answer in JSON."
            ) from error
    wait = _wait_s(response)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or (status in _LIMITED and wait is not None):
        raise Transient("GitHostBusy", f"The Git host's API answered {status}.", retry_after_s=wait)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Transient("GitHostBusy", "The Git host's API wants fewer calls.", retry_after_s=60.0)
    raise Stalled(
        "StatusRefused",
        f"The Git host's API answered {status} to a commit status.",
        hint="Check statuses.github and that the token may write commit statuses.",
    )


def _wait_s(response: HttpResponse) -> float | None:
    """Return what a limit asks to wait, in seconds; None when the answer is about no limit."""
    after = response.headers.get("Retry-After", "")
    if after.isdigit():
        return float(after)
    return 60.0 if response.headers.get("x-ratelimit-remaining") == "0" else None
