"""Is it drift? One look at a stack's resources, judged (docs/architecture.md, part 5). Pure.

The measure is what Azure had after the release, the snapshot: what is as it was then is no drift,
whatever what-if says of it; what is another value is drift unless it moved by itself. What-if says what
the template leads to, and what it could not look at.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from shared.core.document import canonical
from shared.core.drift import evidence as witnesses
from shared.core.drift import noise, paths
from shared.core.drift.differences import MISSING, Body, Difference, differences
from shared.core.drift.evidence import Evidence
from shared.core.drift.model import SECRET, Finding, Gap, Item, Settled
from shared.core.drift.noise import Key
from shared.core.drift.paths import Element, Place
from shared.core.drift.severity import severity
from shared.core.drift.shown import changed, is_secret, key_ids, shown
from shared.core.json_path import BadPathError, parse_path
from shared.core.policy import Ignore
from shared.core.release import Owned
from shared.core.scopes import fold

Places = Mapping[tuple[str, str], Settled]


@dataclass(frozen=True)
class Looked:
    """A resource of the inventory as one look found it; bodies are redacted.

    ``released`` is the body after the release, MISSING where it was not kept. ``now`` is None for a
    resource that is not there, MISSING where a ``gap`` says why it was not read. ``again`` is a second
    reading a moment later, MISSING where there was no need of one. ``is_void``: somebody wrote before
    ``released`` had been read, so that it may show their writing.
    """

    owned: Owned
    evidence: Evidence
    released: Any = MISSING
    now: Any = MISSING
    again: Any = MISSING
    gap: Gap | None = None
    is_void: bool = False

    @property
    def is_measured(self) -> bool:
        """Whether what was there after the release is known."""
        return self.released is not MISSING and self.released is not None and not self.is_void

    @cached_property
    def in_released(self) -> Body:
        """Places in the body after the release."""
        return Body(self.released)

    @cached_property
    def in_now(self) -> Body:
        """Places in the body that is there."""
        return Body(self.now)

    @cached_property
    def in_again(self) -> Body:
        """Places in the second reading."""
        return Body(self.again)


@dataclass(frozen=True)
class Standard:
    """What a look is judged by.

    ``wanted`` maps ids (folded) to what the template leads to, ``agreed`` to what it was known to lead
    to when nothing had drifted yet; ``owned`` are the ids, folded, of all
    that is judged by itself, and not as a part of what it is in; ``settled`` what moved by itself before.
    """

    at: datetime
    release: witnesses.Release
    owned: Collection[str]
    ignores: Sequence[Ignore] = ()
    rules: Mapping[Key, Finding] = field(default_factory=dict)
    settled: Places = field(default_factory=dict)
    wanted: Mapping[str, Any] = field(default_factory=dict)
    agreed: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def in_agreed(self) -> Mapping[str, Body]:
        """Places in what the template was known to lead to before this look."""
        return {key: Body(body) for key, body in self.agreed.items()}

    @cached_property
    def in_wanted(self) -> Mapping[str, Body]:
        """Places in what the template leads to."""
        return {key: Body(body) for key, body in self.wanted.items()}


@dataclass(frozen=True)
class Judged:
    """What a look came to. ``learned`` are findings with the ids of their resources."""

    items: tuple[Item, ...] = ()
    gaps: tuple[Gap, ...] = ()
    settled: tuple[Settled, ...] = ()
    learned: tuple[tuple[str, Finding], ...] = ()


def together(parts: Iterable[Judged]) -> Judged:
    """Return several judgements as one."""
    all_parts = list(parts)
    return Judged(
        items=tuple(item for part in all_parts for item in part.items),
        gaps=tuple(gap for part in all_parts for gap in part.gaps),
        settled=tuple(one for part in all_parts for one in part.settled),
        learned=tuple(one for part in all_parts for one in part.learned),
    )


def unmeasured(looks: Iterable[Looked]) -> Iterable[Gap]:
    """Yield a gap for each resource that nothing but what-if can judge: its snapshot is no measure."""
    for looked in looks:
        if looked.is_void and looked.now is not None and looked.gap is None:
            yield Gap(
                code="SnapshotVoid",
                message="Somebody wrote to it while it was released, so that its snapshot tells nothing.",
                resource=looked.owned.id,
                hint="What-if tells at the next full look, soon after the release; or release it again.",
            )


def with_items(judged: Judged, items: Sequence[Item]) -> Judged:
    """Return a judgement with these items, each in the place of one that it has already."""
    keys = {item.key for item in items}
    others = (item for item in judged.items if item.key not in keys)
    return replace(judged, items=(*others, *items))


def judge(looked: Looked, by: Standard) -> Judged:
    """Return what one resource's look comes to."""
    if looked.gap is not None:
        return Judged(gaps=(looked.gap,))
    if looked.now is None:
        # What was not there at the snapshot may have been deleted before it was made.
        is_gone = looked.released is not None or bool(looked.evidence.ends)
        return Judged(items=(_deleted(looked, by),)) if is_gone else Judged()
    if looked.released is MISSING or looked.released is None or looked.now is MISSING:
        return Judged()
    return together(_of_difference(looked, each, by) for each in _own_differences(looked, by))


def _deleted(looked: Looked, by: Standard) -> Item:
    owned = looked.owned
    who = witnesses.deleter(looked.evidence)
    return Item(
        kind="deleted",
        resource=owned.id,
        type=owned.type,
        managed=True,
        wanted="(present)",
        released="(present)",
        severity=severity("deleted", owned.type, ()),
        first_seen=by.at,
        who=who,
        hint=(
            "It was moved to another resource group: move it back, or change the stack's scope."
            if who is not None and witnesses.is_move(who.operation)
            else None
        ),
    )


def is_worth_another_look(looked: Looked, by: Standard) -> bool:
    """Tell whether a second reading would show whether something moves by itself."""
    if looked.now is None or looked.now is MISSING or looked.evidence.touch == "untouched":
        return False
    return bool(judge(looked, by).items)


def _own_differences(looked: Looked, by: Standard) -> Iterable[Difference]:
    """Yield the differences that are the resource's own: what children are is told of the children."""
    for each in differences(looked.released, looked.now):
        if _child(each, looked, by) is None:
            yield each


def handed_down(looked: Looked, by: Standard) -> frozenset[str]:
    """Return the children (folded ids) whose part of a touched resource differs.

    Who writes a parent with its children writes them, too, and no witness tells of it.
    """
    if (
        looked.evidence.touch != "touched"
        or not looked.is_measured
        or looked.now in (None, MISSING)
    ):
        return frozenset()
    found = (_child(each, looked, by) for each in differences(looked.released, looked.now))
    return frozenset(child for child in found if child is not None)


def by_the_parent(looked: Looked, parent: Looked) -> Looked:
    """Return a look at a child that was written with its parent."""
    if looked.evidence.touch == "touched":
        return looked
    proof = parent.evidence
    return replace(
        looked, evidence=replace(looked.evidence, touch="touched", at=proof.at, writes=proof.writes)
    )


def _child(difference: Difference, looked: Looked, by: Standard) -> str | None:
    """Return the id (folded) of the child in whose part of a body a difference is, if it is in one's."""
    for end in range(1, len(difference.place) + 1):
        if not isinstance(difference.place[end - 1], Element):
            continue
        for side in (looked.in_released, looked.in_now):
            element = side.at(difference.place[:end])
            child = element.get("id") if isinstance(element, Mapping) else None
            if isinstance(child, str) and _is_other(child, looked.owned.id, by.owned):
                return fold(child)
    return None


def _is_other(child: str, resource: str, owned: Collection[str]) -> bool:
    """Tell whether what is inside a resource is judged by itself; what is only referred to is not inside."""
    is_inside = witnesses.is_at_or_below(child, resource) and fold(child) != fold(resource)
    return is_inside and fold(child) in owned


def _of_difference(looked: Looked, difference: Difference, by: Standard) -> Judged:
    owned, place = looked.owned, difference.place
    before, after = key_ids(difference.before), key_ids(difference.after)
    if before and after and before.isdisjoint(after):
        return Judged(gaps=(_other_key(owned, place),))
    if noise.is_ignored(by.ignores, owned.type, place, difference.after):
        return Judged()
    if _is_over(looked, place):
        return Judged()
    if _moves_now(looked, place) and _may_move(looked, place, by):
        # Two readings, a moment apart, saw two values. It may be somebody who is at it: the next look
        # tells, and it takes more than this for a rule to hide it elsewhere.
        return Judged(learned=((owned.id, _moves(looked, place, by)),))
    if looked.evidence.touch == "untouched":
        return _settling(looked, difference, by)
    if _is_settled(looked, difference, by) or _is_noise(looked, difference, by):
        return Judged()
    return Judged(items=(_modified(looked, difference, by),))


def _is_over(looked: Looked, place: Place) -> bool:
    """Tell whether the second reading shows what was released: somebody brought it back meanwhile."""
    if looked.again is MISSING or looked.again is None:
        return False
    return not differences(_wrapped(looked.in_released, place), _wrapped(looked.in_again, place))


def _moves_now(looked: Looked, place: Place) -> bool:
    if looked.again is MISSING or looked.again is None:
        return False
    return bool(differences(_wrapped(looked.in_now, place), _wrapped(looked.in_again, place)))


def _may_move(looked: Looked, place: Place, by: Standard) -> bool:
    """Tell whether something may be thought to move by itself.

    What the template says may if it did so before, while nobody touched the resource: a number of
    nodes that is scaled (N20).
    """
    if _wanted(looked, place, by) is MISSING:
        return True
    settled = by.settled.get((fold(looked.owned.id), paths.text(place)))
    if settled is not None and all(settled.at < touch for touch in looked.evidence.at):
        return True
    return noise.has_moved(by.rules, looked.owned.type, place)


def _wrapped(body: Body, place: Place) -> Mapping[str, Any]:
    found = body.at(place)
    return {} if found is MISSING else {"value": found}


def _moves(looked: Looked, place: Place, by: Standard) -> Finding:
    return noise.found(looked.owned.type, paths.pattern(place), noise.MOVES, by.at)


def _settling(looked: Looked, difference: Difference, by: Standard) -> Judged:
    """Remember what nobody touched and is another value all the same; moving again makes a rule."""
    path, digest = paths.text(difference.place), _digest(difference.after)
    now = Settled(resource=looked.owned.id, path=path, digest=digest, at=by.at)
    before = by.settled.get((fold(looked.owned.id), path))
    if before is not None and before.digest == digest:
        return Judged(settled=(before,))
    return Judged(
        settled=(now,), learned=((looked.owned.id, _moves(looked, difference.place, by)),)
    )


def _digest(value: Any) -> str:
    plain = None if value is MISSING else value
    return hashlib.sha256(canonical(plain)).hexdigest()[:16]


def _is_settled(looked: Looked, difference: Difference, by: Standard) -> bool:
    """Tell whether it had come to this value by itself, before anybody touched the resource."""
    settled = by.settled.get((fold(looked.owned.id), paths.text(difference.place)))
    if settled is None or settled.digest != _digest(difference.after):
        return False
    return all(settled.at < touch for touch in looked.evidence.at)


def is_still(item: Item, looked: Looked, by: Standard) -> bool:
    """Tell whether the value that an item found is there still, and is not what the template leads to."""
    if looked.now is None or looked.now is MISSING or item.now == SECRET:
        return False
    try:
        place = tuple(step for step in parse_path(item.path) if step is not None)
    except BadPathError:
        return False
    now, wanted = looked.in_now.at(place), _wanted(looked, place, by)
    if noise.is_ignored(by.ignores, item.type, place, now) or shown(now) != item.now:
        return False
    return wanted is MISSING or bool(differences({"value": wanted}, {"value": now}))


def was_written_since(looked: Looked, by: Standard) -> bool:
    """Tell whether somebody wrote a resource since the release began: it may have been set again."""
    ended = by.release.ended + witnesses.SLACK
    return bool(looked.evidence.writes) or any(touch > ended for touch in looked.evidence.at)


def _is_noise(looked: Looked, difference: Difference, by: Standard) -> bool:
    if _is_agreed(looked, difference, by):
        return True
    if _wanted(looked, difference.place, by) is not MISSING:
        return False  # what the template says is never what moves by itself
    if noise.is_moving(by.rules, looked.owned.type, difference.place):
        return True
    return noise.is_stamp(difference.before, difference.after, looked.evidence.at)


def _is_agreed(looked: Looked, difference: Difference, by: Standard) -> bool:
    """Tell whether it has become what the template leads to, as what-if said before it changed."""
    agreed = by.in_agreed.get(fold(looked.owned.id))
    wanted = MISSING if agreed is None else agreed.at(difference.place)
    if wanted is MISSING or is_secret(wanted):
        return False
    return not differences({"value": wanted}, {"value": difference.after})


def _wanted(looked: Looked, place: Place, by: Standard) -> Any:
    body = by.in_wanted.get(fold(looked.owned.id))
    return MISSING if body is None else body.at(place)


def _modified(looked: Looked, difference: Difference, by: Standard) -> Item:
    owned, place = looked.owned, difference.place
    wanted = _wanted(looked, place, by)
    secret = is_secret(difference.before) or is_secret(difference.after)
    return Item(
        kind="modified",
        resource=owned.id,
        type=owned.type,
        path=paths.text(place),
        managed=wanted is not MISSING,
        wanted=shown(wanted),
        released=shown(difference.before),
        now=changed(difference.before, difference.after),
        severity=severity("modified", owned.type, place, is_secret=secret),
        first_seen=by.at,
        who=witnesses.changer(owned.id, looked.evidence.writes),
    )


def _other_key(owned: Owned, place: Place) -> Gap:
    return Gap(
        code="SecretUncomparable",
        message=f"{paths.text(place)} is a secret that was captured with another digest key.",
        resource=owned.id,
        hint="Release the stack once: its snapshot is then made with the new key.",
    )
