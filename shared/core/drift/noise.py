"""Noise: what differs and is no drift, told by evidence and never by a name. Pure.

A rule says that at a path of a resource type something was seen to move by itself, or that what-if
finds a difference there although nothing differs. It keeps how often and on how many resources it was
seen. What a rule may hide is little: see ``is_moving``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from shared.core.drift import paths
from shared.core.drift.differences import MISSING
from shared.core.drift.model import Finding
from shared.core.drift.paths import Place
from shared.core.json_path import BadPathError, parse_path
from shared.core.policy import Ignore
from shared.core.prediction import PropertyChange
from shared.core.scopes import fold

MOVES: Final = "moves"
"""The shape of a rule about a value that is another one at another look, untouched."""

MOST_RULES: Final = 2_000
MOST_OFFERED: Final = 200
STAMP_NEAR: Final = timedelta(minutes=10)

_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")

Key = tuple[str, str, str]


def key(finding: Finding) -> Key:
    """Return what makes two findings one rule: type, path and shape."""
    return finding.type.lower(), finding.path.lower(), finding.shape


def found(resource_type: str, path: str, shape: str, at: datetime, seen: int = 1) -> Finding:
    """Return a finding that was seen so often, just now."""
    return Finding(
        type=resource_type, path=path, shape=shape, seen=seen, first_seen=at, last_seen=at
    )


def gathered(findings: Iterable[tuple[str, Finding]]) -> tuple[Finding, ...]:
    """Return findings of one look as rules, each with the number of resources that it was seen on.

    Each comes with the id of its resource. However many elements of its arrays a resource shows it
    on: one look at one resource is one sight, or as many as a finding says.
    """
    together: dict[Key, tuple[Finding, dict[str, int]]] = {}
    for resource, finding in findings:
        _, seen = together.setdefault(key(finding), (finding, {}))
        seen[fold(resource)] = max(finding.seen, seen.get(fold(resource), 0))
    return tuple(
        msgspec.structs.replace(finding, seen=sum(seen.values()), resources=len(seen))
        for finding, seen in (together[each] for each in sorted(together))
    )


def merged(known: Sequence[Finding], new: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the rules after another look: seen more often, or new; the oldest go when too many."""
    rules = {key(finding): finding for finding in known}
    for finding in new:
        old = rules.get(key(finding))
        rules[key(finding)] = finding if old is None else _added(old, finding)
    kept = sorted(rules.values(), key=lambda each: each.last_seen, reverse=True)[:MOST_RULES]
    return tuple(sorted(kept, key=key))


def _added(old: Finding, new: Finding) -> Finding:
    return msgspec.structs.replace(
        old,
        seen=old.seen + new.seen,
        resources=max(old.resources, new.resources),
        last_seen=max(old.last_seen, new.last_seen),
    )


def is_news(known: Sequence[Finding], new: Iterable[Finding]) -> bool:
    """Tell whether a look has taught anything that is worth a write: a rule, or twice the evidence."""
    rules = {key(finding): finding for finding in known}
    return any(
        (old := rules.get(key(finding))) is None or (old.seen < _ENOUGH <= old.seen + finding.seen)
        for finding in new
    )


_ENOUGH: Final = 2
"""How often a value must have moved before a rule hides it on a resource that was touched."""


def is_moving(rules: Mapping[Key, Finding], resource_type: str, place: Place) -> bool:
    """Tell whether a place is known to move by itself, on evidence of more than one look."""
    rule = rules.get((resource_type.lower(), paths.pattern(place).lower(), MOVES))
    return rule is not None and rule.seen >= _ENOUGH


def has_moved(rules: Mapping[Key, Finding], resource_type: str, place: Place) -> bool:
    """Tell whether a place was ever seen to move by itself."""
    return (resource_type.lower(), paths.pattern(place).lower(), MOVES) in rules


def is_known(rules: Mapping[Key, Finding], resource_type: str, path: str, shape: str) -> bool:
    """Tell whether what-if is known to find this difference on resources where nothing differs."""
    return (resource_type.lower(), path.lower(), shape) in rules


def by_key(findings: Iterable[Finding]) -> dict[Key, Finding]:
    """Return rules by what makes them one."""
    return {key(finding): finding for finding in findings}


def is_stamp(before: Any, after: Any, touched_at: Iterable[datetime]) -> bool:
    """Tell whether a value is the time of a change: it went ahead to when the resource was touched."""
    old, new = _moment(before), _moment(after)
    if new is None or (before is not MISSING and old is None):
        return False
    if old is not None and old > new:
        return False
    return any(abs(new - at) <= STAMP_NEAR for at in touched_at)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or _STAMP.fullmatch(value) is None:
        return None
    try:
        moment = datetime.fromisoformat(re.sub(r"\.(\d{6})\d+", r".\1", value))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def is_ignored(ignores: Iterable[Ignore], resource_type: str, place: Place, now: Any) -> bool:
    """Tell whether the manifest says that a difference at a place is no drift.

    One whose path cannot be read ignores nothing: the manifest's reader has refused it.
    """
    for ignore in ignores:
        if ignore.type.lower() != resource_type.lower():
            continue
        try:
            steps = parse_path(ignore.path)
        except BadPathError:
            continue
        if paths.covers(steps, place) and _has_value(ignore, now):
            return True
    return False


def _has_value(ignore: Ignore, now: Any) -> bool:
    if ignore.value is msgspec.UNSET:
        return True
    shown = None if now is MISSING else now
    return type(shown) is type(ignore.value) and shown == ignore.value


def leaves(
    delta: Iterable[PropertyChange], above: str = ""
) -> Iterable[tuple[str, str, PropertyChange]]:
    """Yield (path pattern, shape, change) of each difference that what-if lists, arrays opened.

    Shapes are what-if's kinds; what has no effect is no difference.
    """
    for change in delta:
        path = _below(above, change.path)
        if change.children:
            yield from leaves(change.children, path)
        elif change.kind != "no_effect":
            yield path, change.kind, change


def _below(above: str, path: str) -> str:
    parts = [paths.EACH if part.isdigit() else part for part in path.split(".") if part]
    together = above
    for part in parts:
        is_word = part != paths.EACH and together
        together = f"{together}.{part}" if is_word else f"{together}{part}"
    return together
