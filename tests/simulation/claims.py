"""What must hold at every step: the invariants of docs/architecture.md, part 10, as checks.

Each raises ``Broken`` with the kind of claim, so that a test can say which one a broken variant breaks.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
import orjson

from shared.core import names
from shared.core.record import MAX_TRANSIENT_ATTEMPTS, Record
from shared.core.release import Release
from tests.simulation.documents import FENCE, NOW, Blob, document
from tests.simulation.replay import Answer, Request

if TYPE_CHECKING:
    from tests.simulation.state import Hand

_HOLDERS: Final = frozenset({"release", "watch", "snapshot", "prune"})


class Broken(Exception):
    """An invariant does not hold; ``kind`` names it."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{kind}: {what}")
        self.kind = kind


def _demand(holds: bool, kind: str, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Broken(kind, what)


def check_active(arm: Mapping[str, tuple[Any, str]]) -> None:
    """I1: at most one deployment of a stack is active."""
    active = [dict(tags)["plumbline-stack"] for tags, how in arm.values() if how == "running"]
    _demand(len(active) == len(set(active)), "two active", f"active: {sorted(active)}")


def check_record(name: str, before: Blob, after: Blob, hand: "Hand", fence: int) -> None:
    """I13, I14, and what a record may never say, at one write of it."""
    old: Record = document(name, before)
    new: Record = document(name, after)
    _demand(fence >= FENCE, "fence fell", f"{name}: {fence - FENCE}")
    if hand.task.kind in _HOLDERS and name != names.record(old.repository, hand.task.subject):
        _demand(
            old.fence == new.fence, "asker took a stack", f"{name}: asked by {hand.task.subject}"
        )
    elif hand.task.kind in _HOLDERS:
        claimed = _claimed(hand.answers, name)
        _demand(claimed <= 0, "fenced worker wrote", f"{name}: it was {claimed} fences behind")
    _check_forward(old, new)
    _check_said(new)
    if new.applied is not None and (old.applied is None or _applied(new) != _applied(old)):
        _check_applied(new, hand.answers)
    if new.unfinished > old.unfinished:
        _check_intent(old, new)


def _claimed(answers: Iterable[Answer], name: str) -> int:
    """Return how many fences behind a worker is that believes to hold, or to have seen, a stack."""
    age, is_lost, wrote = 0, False, False
    for answer in answers:
        if len(answer) < 2 or answer[1] != name:
            continue
        if answer[0] == "read" and not is_lost:
            age, wrote = answer[3], False
        elif answer[0] == "wrote" and not wrote:
            age, wrote = age - 1, True
        is_lost = answer[0] == "changed"
    return age


def _release(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def _applied(record: Record) -> tuple[int, ...]:
    return _release(record.applied.release) if record.applied else ()


def _attempted(record: Record) -> tuple[int, ...]:
    return _release(record.attempted.release) if record.attempted else ()


def _check_forward(old: Record, new: Record) -> None:
    """Nothing in a record goes back (I2, I3)."""
    forward = (
        ((old.seq, old.generation), (new.seq, new.generation)),
        ((old.generation,), (new.generation,)),
        (_attempted(old), _attempted(new)),
        (_applied(old), _applied(new)),
    )
    for was, is_now in forward:
        _demand(was <= is_now, "record went back", f"{new.stack}: {was} -> {is_now}")
    same = old.generation == new.generation and old.desired is not None
    _demand(not same or old.desired == new.desired, "record went back", "another source, no count")


def _check_said(record: Record) -> None:
    """I27: a record that says it is at its generation is at that generation's source."""
    desired, applied = record.desired, record.applied
    if desired is None:
        return
    if applied is not None and applied.generation == record.generation:
        told = f"{record.stack} says that generation {record.generation} is applied"
        _demand(applied.digest == desired.digest, "claims too much", told)
    if record.phase == "steady" and record.judged == record.generation:
        is_so = applied is not None and applied.digest == desired.digest
        _demand(is_so, "claims too much", f"{record.stack} is steady at another source")


def _check_applied(record: Record, answers: Iterable[Answer]) -> None:
    """I27: what is called applied is what ARM said of that very release."""
    if record.applied is None:
        return
    told = [a for a in answers if a[0] == "deployment"]
    tags, how = (dict(told[-1][1] or ()), told[-1][2]) if told else ({}, None)
    said = tags.get("plumbline-release"), tags.get("plumbline-source"), how
    is_so = said == (record.applied.release, record.applied.digest, "succeeded")
    _demand(is_so, "claims too much", f"{record.applied.release} is applied, ARM said {said}")


def _check_intent(old: Record, new: Record) -> None:
    """I19 and I26: whether this attempt may begin at all."""
    _demand(old.frozen(NOW) is None, "put while frozen", f"{new.stack} is frozen")
    last, attempt = old.attempted, new.attempted
    if last is None or attempt is None or last.release == attempt.release:
        return
    if (last.generation, last.inputs) != (attempt.generation, attempt.inputs):
        return
    if old.wanted is not None:
        return
    _demand(old.failures < MAX_TRANSIENT_ATTEMPTS, "too many attempts", attempt.release)
    bad = last.outcome in {"refused", "failed", "canceled"} and not last.transient
    _demand(not bad, "too many attempts", f"{attempt.release}, unasked")


def check_document(name: str, before: Blob, after: Blob) -> None:
    """Check what may never change in tips and revisions (rule 12)."""
    old, new = document(name, before), document(name, after)
    if name.endswith("/tip.json"):
        was, is_now = (old.fence, old.sync_seq), (new.fence, new.sync_seq)
        _demand(was <= is_now, "tip went back", f"{was} -> {is_now}")
    elif old is not None:
        later = {visit.seq: visit.settled for visit in new.visits}
        for visit in old.visits:
            same = visit.settled is None or later[visit.seq] == visit.settled
            _demand(same, "status changed", f"{visit.settled} -> {later[visit.seq]}")


def check_told(before: str | None, after: str, context: str) -> None:
    """Each context is told one final state (rule 12)."""
    changed = before not in {None, "pending", after}
    _demand(not changed, "status changed", f"{context}: {before} -> {after}")


def check_put(request: Request, hand: "Hand", history: Mapping[str, Blob]) -> None:
    """Check that a PUT has its intent in this turn, and only values that its dependencies gave."""
    tags = dict(request.more)
    stack = tags["plumbline-stack"]
    name = names.record("example", stack)
    written = [a[2] for a in hand.answers if a[0] == "wrote" and a[1] == name]
    record: Record | None = document(name, written[-1]) if written else None
    under_way = record.in_flight if record else None
    meant = under_way is not None and under_way.release == tags["plumbline-release"]
    _demand(meant, "put without intent", tags["plumbline-release"])
    values = orjson.loads(request.data)
    for parameter, taken in (record.takes if record else {}).items():
        value = values[parameter]["value"]
        given = [r.outputs.get(taken.output) for r in _good(history, taken.stack)]
        _demand(value in given, "invented value", f"{stack} takes {value!r} of {given}")


def _good(history: Mapping[str, Blob], stack: str) -> list[Release]:
    prefix = names.releases_of("example", stack)
    found = [_read_release(b) for n, b in history.items() if n.startswith(prefix)]
    return [release for release in found if release.outcome == "succeeded"]


def _read_release(stored: Blob) -> Release:
    return msgspec.json.decode(stored.data, type=Release)
