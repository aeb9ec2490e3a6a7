"""Scripted answers: what the simulator says instead of (or on top of) what it would have said.

A rule matches calls, skips the first `nth - 1` of them, and then answers `count` times, every
`every`-th time, or by `chance`. It may answer before the call had its effect or after, break the
connection before or after, or hang first. Rules are tried in the order in which they were added.
Nothing here is random: the same seed and the same calls give the same answers.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from local.arm import errors
from local.arm.rules import Call, Faults, Reply, Rule, fits


@dataclass(slots=True)
class Hold:
    """A deployment that does not end before `due` (seconds since the epoch), and how it ends."""

    due: float
    end: str
    error: dict[str, Any] | None


@dataclass
class Script:
    """The rules in force, and what they have started."""

    seed: int = 0
    rules: list[Rule] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    """Deployments that do not end, by the key of their id."""
    polls: dict[str, str] = field(default_factory=dict)
    """What polls are told instead of the truth, by path in lower case."""
    _made: int = 0
    _turns: Counter[tuple[str, str]] = field(default_factory=Counter)

    def load(self, faults: Faults) -> None:
        """Add a file's rules, all or none, and take over its seed; raises `ArmError`."""
        for number, rule in enumerate(faults.rules):
            try:
                rule.check()
            except errors.ArmError as error:
                raise errors.invalid_content(f"rules[{number}]: {error.message}") from error
        self.seed = faults.seed
        for rule in faults.rules:
            self.add(rule)

    def add(self, rule: Rule) -> Rule:
        """Put a rule in force; raises `ArmError` for one that cannot work."""
        rule.check()
        self._made += 1
        rule.id, rule.seen, rule.used = str(self._made), 0, 0
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: str | None) -> int:
        """Take back one rule, or all with what they have started; return how many."""
        kept = [rule for rule in self.rules if rule_id is not None and rule.id != rule_id]
        removed = len(self.rules) - len(kept)
        self.rules = kept
        if rule_id is None:
            self.holds.clear()
            self.polls.clear()
            self._turns.clear()
            self._made = 0
        return removed

    def take(self, call: Call) -> Reply | None:
        """Return the reply to use for this call, counting it; None for the true answer."""
        for rule in self.rules:
            if not fits(rule.match, call):
                continue
            if rule.count is not None and rule.used >= rule.count:
                continue
            rule.seen += 1
            past = rule.seen - rule.match.nth
            if past >= 0 and past % rule.match.every == 0 and self._is_drawn(rule, call):
                rule.used += 1
                return rule.answer
        return None

    def _is_drawn(self, rule: Rule, call: Call) -> bool:
        """Draw for one call. Each call has draws of its own, whatever others come in between."""
        if rule.match.chance >= 1.0:
            return True
        turn = (rule.id, call.identity)
        self._turns[turn] += 1
        return draw(self.seed, *turn, str(self._turns[turn])) < rule.match.chance


def draw(seed: int, *words: str) -> float:
    """Return a number from 0 up to 1 that follows from the seed and the words. Pure."""
    text = "|".join((str(seed), *words)).encode(errors="surrogateescape")
    return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest()) / 2**56
