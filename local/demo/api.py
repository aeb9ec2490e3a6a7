"""Plumbline's public JSON, as a program reads it that knows nothing but the laptop's line."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

REQUEST_LIMIT_S = 10.0


class UnexpectedAnswerError(Exception):
    """The API answered something that it should not; the message says what."""


class Api:
    """Reads stacks, revisions and drift of a running laptop."""

    def __init__(self, base: str, key: str) -> None:
        self._base = base
        self._key = key

    def stacks(self) -> dict[str, Mapping[str, Any]]:
        """Return all stacks by name."""
        return {stack["name"]: stack for stack in self._get("/api/stacks") or []}

    def revision(self, sha: str) -> Mapping[str, Any] | None:
        """Return what became of a pushed revision; None while Plumbline has not seen it."""
        answer: Mapping[str, Any] | None = self._get(f"/api/revisions/{sha}")
        return answer

    def final_revision(self, sha: str) -> Mapping[str, Any] | None:
        """Return what became of a revision once that will not change any more; None before."""
        answer = self.revision(sha)
        return answer if answer is not None and answer["final"] else None

    def drift(self, stack: str) -> Mapping[str, Any] | None:
        """Return what is known of a stack's drift; None while there is no such stack."""
        answer: Mapping[str, Any] | None = self._get(f"/api/stacks/{stack}/drift")
        return answer

    def coverage(self) -> Mapping[str, Any]:
        """Return how much of each scope is in some stack."""
        answer: Mapping[str, Any] = self._get("/api/coverage")
        return answer

    def _get(self, path: str) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own host
            self._base + path, headers={"x-functions-key": self._key}
        )
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_LIMIT_S) as response:  # noqa: S310
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == http.client.NOT_FOUND:
                    return None
                body = error.read().decode(errors="replace")
            raise UnexpectedAnswerError(f"GET {path}: {error.code} {body}") from None
