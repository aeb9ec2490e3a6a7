"""What the Git host shows beside a commit: the statuses that Plumbline sent to it."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REQUEST_LIMIT_S = 10.0
PENDING = "pending"


@dataclass(frozen=True)
class GitHost:
    """Reads the laptop's stand-in for GitHub's API: ``api`` is the repository's address there."""

    api: str
    token: str = field(repr=False)

    def statuses(self, sha: str) -> dict[str, list[str]]:
        """Return every state of each context of a commit, oldest first."""
        found: dict[str, list[str]] = {}
        for status in reversed(self._get(f"/commits/{sha}/statuses?per_page=100")):
            found.setdefault(status["context"], []).append(status["state"])
        return found

    def _get(self, path: str) -> list[Mapping[str, Any]]:
        request = urllib.request.Request(  # noqa: S310 - our own host
            self.api + path, headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=REQUEST_LIMIT_S) as response:  # noqa: S310
            answer: list[Mapping[str, Any]] = json.load(response)
        return answer


def since(before: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the states that were added; contexts without any are left out. Pure."""
    added = {context: states[len(before.get(context, ())) :] for context, states in now.items()}
    return {context: states for context, states in added.items() if states}


def all_final(statuses: Mapping[str, list[str]]) -> bool:
    """Tell whether every context has an end. Pure."""
    return bool(statuses) and all(states[-1] != PENDING for states in statuses.values())
