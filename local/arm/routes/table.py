"""The route table: path patterns, matched without regard to case, to handlers by method."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from local.arm.cloud import Cloud
from local.arm.messages import Answer, Request

Words = Mapping[str, str]
Handler = Callable[[Cloud, Request, Words], Awaitable[Answer]]

_WORD = re.compile(r"\{(\w+)(\*?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One pattern. `{word}` stands for one segment, `{word*}` for one or more.

    `action` is what the permission is called when it is not the type's own (see `actions`).
    `is_arm` is false for what is served here and is none of ARM's: it has no api-version and takes
    no tokens from ARM's buckets.
    """

    name: str
    pattern: re.Pattern[str]
    methods: Mapping[str, Handler]
    action: str | None
    is_arm: bool = True


def route(
    name: str,
    path: str,
    methods: Mapping[str, Handler],
    action: str | None = None,
    *,
    is_arm: bool = True,
) -> Route:
    """Return a route for a path such as `/subscriptions/{sub}/resourcegroups/{group}`."""
    pattern = _WORD.sub(
        lambda word: f"(?P<{word[1]}>.+)" if word[2] else f"(?P<{word[1]}>[^/]+)", path
    )
    return Route(name, re.compile(pattern, re.IGNORECASE), methods, action, is_arm)


@dataclass(frozen=True, slots=True)
class Found:
    """A route that fits a path, and the words that it found there."""

    route: Route
    words: Words


def find(routes: tuple[Route, ...], path: str) -> Found | None:
    """Return the first route that fits, or None. Pure."""
    for candidate in routes:
        match = candidate.pattern.fullmatch(path)
        if match:
            return Found(candidate, match.groupdict())
    return None
