"""The HTTP server in front of ``git http-backend``: who may come in, and what was asked.

On 127.0.0.1 only. It serves the repositories that it was started with and no other file.
"""

import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp import web

from local.git import backend
from local.git.repositories import Webhook, prepare
from local.git.statuses import PREFIX, CommitStatuses

HOST = "127.0.0.1"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class GitServerSettings:
    """What a server is started with. ``port`` 0 means a free one; no ``user`` means open to all."""

    folder: Path
    repositories: Sequence[str] = ("example",)
    branch: str = "main"
    port: int = 0
    user: str | None = None
    token: str | None = field(default=None, repr=False)
    webhook: Webhook | None = None
    request_log: Path | None = None


@dataclass(frozen=True)
class RequestSeen:
    """One request, without its headers: ``path`` carries the query, times are UTC."""

    at: str
    method: str
    path: str
    status: int
    user: str | None
    duration_ms: int
    sent_bytes: int


class GitServer:
    """Serves bare repositories until stopped; ``requests`` is what was asked of it."""

    def __init__(self, settings: GitServerSettings) -> None:
        self.settings = settings
        self.requests: list[RequestSeen] = []
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Return the first repository's URL, without credentials."""
        return self.url_of(self.settings.repositories[0])

    @property
    def url_with_credentials(self) -> str:
        """Return the first repository's URL as a person would clone it."""
        user, token = self.settings.user, self.settings.token
        if user is None:
            return self.url
        who = f"{quote(user, safe='')}:{quote(token or '', safe='')}"
        return self.url.replace("://", f"://{who}@", 1)

    def url_of(self, repository: str) -> str:
        """Return a repository's URL, without credentials."""
        return f"http://{HOST}:{self.port}/{repository}.git"

    def api_of(self, repository: str) -> str:
        """Return a repository's address in the API that takes commit statuses."""
        return f"http://{HOST}:{self.port}{PREFIX}/{repository}"

    def bare(self, repository: str) -> Path:
        """Return the folder of a repository."""
        return self.settings.folder / f"{repository}.git"

    async def start(self) -> None:
        """Listen, and make the repositories that are missing. Raises OSError for a taken port."""
        app = web.Application(client_max_size=0)
        app.router.add_get("/_health", _health)
        CommitStatuses(
            self.settings.folder, frozenset(self.settings.repositories), self.settings.token
        ).add_to(app)
        app.router.add_route("*", "/{repository}.git/{rest:.*}", self._git)
        self._runner = web.AppRunner(
            app, access_log=None, auto_decompress=False, shutdown_timeout=1.0
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self.settings.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        for name in self.settings.repositories:
            prepare(
                self.settings.folder,
                name,
                branch=self.settings.branch,
                clone_url=self.url_of(name),
                webhook=self.settings.webhook,
            )

    async def stop(self) -> None:
        """Stop listening; requests under way get a second."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _git(self, request: web.Request) -> web.StreamResponse:
        started = time.monotonic()
        user, refusal = self._admit(request)
        sent = 0
        if refusal is not None:
            response: web.StreamResponse = refusal
        else:
            variables = backend.environment(request, self.settings.folder, user)
            try:
                response, sent = await backend.answer(request, variables)
            except backend.BackendError as error:
                _LOG.warning("git http-backend gave no answer: %s", error)
                response = backend.no_answer()
        self._note(request, response, user, (time.monotonic() - started, sent))
        return response

    def _admit(self, request: web.Request) -> tuple[str | None, web.Response | None]:
        """Return who asks, and the refusal if they may not."""
        user = None
        if self.settings.user is not None:
            user = _signed_in(request, self.settings.user, self.settings.token or "")
            if user is None:
                return None, web.Response(
                    status=HTTPStatus.UNAUTHORIZED,
                    headers={"WWW-Authenticate": 'Basic realm="plumbline git"'},
                    text="A user and a token are needed.\n",
                )
        if request.match_info["repository"] not in self.settings.repositories:
            return user, web.Response(
                status=HTTPStatus.NOT_FOUND, text="There is no such repository.\n"
            )
        return user, None

    def _note(
        self,
        request: web.Request,
        response: web.StreamResponse,
        user: str | None,
        effort: tuple[float, int],
    ) -> None:
        duration_s, sent = effort
        seen = RequestSeen(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            method=request.method,
            path=request.path_qs,
            status=response.status,
            user=user,
            duration_ms=round(duration_s * 1000),
            sent_bytes=sent,
        )
        self.requests.append(seen)
        if self.settings.request_log is not None:
            with self.settings.request_log.open("a") as log:
                log.write(json.dumps(asdict(seen)) + "\n")


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _signed_in(request: web.Request, user: str, token: str) -> str | None:
    try:
        given = aiohttp.BasicAuth.decode(request.headers.get("Authorization", ""), "utf-8")
    except ValueError:
        return None
    same_user = hmac.compare_digest(given.login.encode(), user.encode())
    same_token = hmac.compare_digest(given.password.encode(), token.encode())
    return user if same_user and same_token else None
