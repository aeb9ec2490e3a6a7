"""The part of GitHub's API that takes commit statuses: what a laptop shows in GitHub's place.

It keeps every status that it was sent, in order, in a file of the repository. Simulated are the
calls that Plumbline makes (docs: "REST API endpoints for commit statuses"), their limits and refusals;
there are no users, checks or rate limits.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

PREFIX: Final = "/api/repos/laptop"
STATES: Final = frozenset({"error", "failure", "pending", "success"})
MOST_OF_ONE: Final = 1000
"""Statuses that GitHub takes of one context of one commit."""

MAX_DESCRIPTION: Final = 140
_SHA: Final = re.compile(r"[0-9a-f]{40}")


class CommitStatuses:
    """The statuses of the repositories below ``folder``; ``token`` None opens them to all."""

    def __init__(self, folder: Path, repositories: frozenset[str], token: str | None) -> None:
        self._folder = folder
        self._repositories = repositories
        self._token = token

    def add_to(self, app: web.Application) -> None:
        """Serve the API in an application."""
        one = f"{PREFIX}/{{repository}}"
        app.router.add_post(f"{one}/statuses/{{sha}}", self.create)
        app.router.add_get(f"{one}/commits/{{sha}}/statuses", self.list_of)
        app.router.add_get(f"{one}/statuses", self.all)

    async def create(self, request: web.Request) -> web.Response:
        """Keep one status: 201, or GitHub's refusal."""
        if refusal := self._refusal(request):
            return refusal
        sha = request.match_info["sha"]
        try:
            body = json.loads(await request.content.read(64 * 1024))
        except ValueError:
            return _refused(HTTPStatus.BAD_REQUEST, "Problems parsing JSON")
        repository = request.match_info["repository"]
        kept = self._kept(repository)
        if fault := _fault(sha, body, kept):
            return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, fault)
        status = {
            "id": len(kept) + 1,
            "sha": sha,
            "state": body["state"],
            "context": body.get("context", "default"),
            "description": body.get("description"),
            "target_url": body.get("target_url"),
            "created_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        with self._file(repository).open("a", encoding="utf-8") as file:
            file.write(json.dumps(status) + "\n")
        return web.json_response(status, status=HTTPStatus.CREATED)

    async def list_of(self, request: web.Request) -> web.Response:
        """Return a page of a commit's statuses, newest first."""
        if refusal := self._refusal(request):
            return refusal
        sha = request.match_info["sha"]
        found = [one for one in self._kept(request.match_info["repository"]) if one["sha"] == sha]
        size = min(int(request.query.get("per_page", "30")), 100)
        start = (int(request.query.get("page", "1")) - 1) * size
        return web.json_response(found[::-1][start : start + size])

    async def all(self, request: web.Request) -> web.Response:
        """Return every status that was ever sent, oldest first: for people, not of GitHub's API."""
        if refusal := self._refusal(request):
            return refusal
        return web.json_response(self._kept(request.match_info["repository"]))

    def _file(self, repository: str) -> Path:
        return self._folder / f"{repository}.statuses.jsonl"

    def _kept(self, repository: str) -> list[dict[str, Any]]:
        file = self._file(repository)
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def _refusal(self, request: web.Request) -> web.Response | None:
        if self._token is not None and not _has_token(request, self._token):
            return _refused(HTTPStatus.UNAUTHORIZED, "Bad credentials")
        if request.match_info["repository"] not in self._repositories:
            return _refused(HTTPStatus.NOT_FOUND, "Not Found")
        return None


def _has_token(request: web.Request, token: str) -> bool:
    given = request.headers.get("Authorization", "")
    if given.lower().startswith("basic "):
        try:
            return bool(aiohttp.BasicAuth.decode(given, "utf-8").password == token)
        except ValueError:
            return False
    scheme, _, value = given.partition(" ")
    return scheme.lower() in {"bearer", "token"} and value == token


def _fault(sha: str, body: Any, kept: list[dict[str, Any]]) -> str | None:
    if not isinstance(body, Mapping) or body.get("state") not in STATES:
        return "Validation Failed: state is not included in the list"
    if not _SHA.fullmatch(sha):
        return f"No commit found for SHA: {sha[:60]}"
    if len(str(body.get("description") or "")) > MAX_DESCRIPTION:
        return "Validation Failed: description is too long (maximum is 140 characters)"
    context = body.get("context", "default")
    if sum(one["sha"] == sha and one["context"] == context for one in kept) >= MOST_OF_ONE:
        return "Validation Failed: this SHA and context has reached the maximum number of statuses"
    return None


def _refused(status: HTTPStatus, message: str) -> web.Response:
    return web.json_response({"message": message, "status": str(int(status))}, status=status)
