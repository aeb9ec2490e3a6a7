"""The request log: what was asked, in order, and how often by kind and by route."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

import msgspec

_KEPT = 5000
KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
_LOGS = "logs-"


def counted_as(method: str, route: str) -> str:
    """Return what a call counts as: reads, writes, deletes, or queries of the logs API. Pure."""
    return "queries" if route.startswith(_LOGS) else KINDS.get(method, "writes")


class Entry(msgspec.Struct, kw_only=True):
    """One request: no headers and no bodies, so nothing secret can get in."""

    at: str
    method: str
    path: str
    api_version: str
    route: str
    kind: str
    status: int
    milliseconds: float
    scripted: bool
    user_agent: str
    client_request_id: str
    correlation_id: str


class RequestLog:
    """The last few thousand requests, and counts of all of them since the last reset."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all entries and counts."""
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._kinds: Counter[str] = Counter()
        self._routes: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()

    def add(self, entry: Entry) -> None:
        """Count and keep one request."""
        self._entries.append(entry)
        self._kinds[entry.kind] += 1
        self._routes[f"{entry.method} {entry.route}"] += 1
        self._statuses[str(entry.status)] += 1

    def counts(self) -> dict[str, Any]:
        """Return the counts: total, by kind, by route, by status.

        The kinds are reads, writes and deletes, and queries if there were any.
        """
        always = {kind: self._kinds[kind] for kind in ("reads", "writes", "deletes")}
        return {
            "total": self._kinds.total(),
            "kinds": {**always, **self._kinds},
            "routes": dict(self._routes),
            "statuses": dict(self._statuses),
        }

    def entries(self, limit: int) -> list[Entry]:
        """Return the newest `limit` entries, oldest first."""
        return list(self._entries)[-limit:] if limit > 0 else []
