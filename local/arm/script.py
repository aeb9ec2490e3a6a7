"""Scripted answers: what the simulator says instead of (or on top of) what it would have said.

A rule matches calls by method, path and route name, skips the first `nth - 1` of them, and then
answers `count` times. It may answer before the call had its effect or after, break the connection
before or after, or hang first. Rules are tried in the order in which they were added.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec

from local.arm import errors

Origin = Literal["client", "deployment", "any"]
Kind = Literal["answer", "authorization_failed", "throttled"]


class Match(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which calls a rule is about; what is left out matches all.

    `path` is a regular expression searched in the path without regard to case; `route` a route
    name as in the request log; `origin` says whether the client called or a running deployment
    writing its resources; `nth` 1 is the first matching call.
    """

    method: str | None = None
    path: str | None = None
    route: str | None = None
    origin: Origin = "any"
    nth: int = 1


class Reply(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a rule answers.

    `kind` "authorization_failed" and "throttled" word the error as ARM does; else `status`,
    `headers` and `body` go out as given, or `error` ({code, message, ...}) in ARM's envelope.
    `when` "after" lets the call have its effect first. `drop` breaks the connection instead of
    answering; `hang_seconds` waits first, and without a status the true answer follows.
    """

    kind: Kind = "answer"
    status: int | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    body: Any = None
    error: dict[str, Any] | None = None
    retry_after: int = 1
    when: Literal["before", "after"] = "before"
    drop: bool = False
    hang_seconds: float = 0.0


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One scripted answer; `count` null repeats for ever. `seen` and `used` are the simulator's."""

    match: Match = msgspec.field(default_factory=Match)
    answer: Reply
    count: int | None = 1
    id: str = ""
    seen: int = 0
    used: int = 0

    def check(self) -> None:
        """Raise `ArmError` if the rule cannot work."""
        try:
            re.compile(self.match.path or "")
        except re.error as error:
            raise errors.invalid_content(f"match.path is no regular expression: {error}") from error
        reply = self.answer
        if reply.kind == "answer" and not (reply.status or reply.drop or reply.hang_seconds):
            raise errors.invalid_content(
                "answer needs status, drop, hang_seconds, or kind authorization_failed or throttled"
            )
        if self.match.nth < 1:
            raise errors.invalid_content("match.nth counts from 1")

    def fits(self, method: str, path: str, route: str, origin: Origin) -> bool:
        """Return whether the call is one this rule is about. Pure."""
        match = self.match
        return (
            (match.method is None or match.method.upper() == method)
            and (match.origin in ("any", origin))
            and (match.route is None or match.route == route)
            and (match.path is None or re.search(match.path, path, re.IGNORECASE) is not None)
        )


class Script:
    """The rules in force."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._made = 0

    def add(self, rule: Rule) -> Rule:
        """Put a rule in force; raises `ArmError` for one that cannot work."""
        rule.check()
        self._made += 1
        rule.id, rule.seen, rule.used = str(self._made), 0, 0
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: str | None) -> int:
        """Take back one rule, or all; return how many."""
        kept = [rule for rule in self.rules if rule_id is not None and rule.id != rule_id]
        removed = len(self.rules) - len(kept)
        self.rules = kept
        return removed

    def take(self, method: str, path: str, route: str, origin: Origin) -> Reply | None:
        """Return the reply to use for this call, counting it; None for the true answer."""
        for rule in self.rules:
            if not rule.fits(method, path, route, origin):
                continue
            if rule.count is not None and rule.used >= rule.count:
                continue
            rule.seen += 1
            if rule.seen >= rule.match.nth:
                rule.used += 1
                return rule.answer
        return None
