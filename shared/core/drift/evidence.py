"""Who touched a resource since its release, and how surely that is known. Pure.

A difference on a resource that nobody touched moves by itself; one on a resource that somebody touched
is drift. Two witnesses are heard: ARM's listing with its changed times, which shows no children, and the
Activity Log, which may be late or absent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from shared.core.activity import Write
from shared.core.drift.model import Item, Who
from shared.core.scopes import fold

Touch = Literal["touched", "untouched", "unsure"]

SLACK: Final = timedelta(seconds=5)
"""How much later than a release's end ARM may say that its own writes were."""

_MOVED: Final = "moveresources"


@dataclass(frozen=True)
class Release:
    """Between when and when the release wrote, and with which correlation id."""

    began: datetime
    ended: datetime
    correlation_id: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What is known of one resource: ``at`` are the times of all touches that are not the release's.

    ``writes`` are of the resource, or of what is in it; ``ends`` are deletions and moves of the
    resource, or of what it is in.
    """

    touch: Touch
    at: tuple[datetime, ...] = ()
    writes: tuple[Write, ...] = ()
    ends: tuple[Write, ...] = ()


class Nearby:
    """Writes by where they were: a stack has many resources, and the log many entries."""

    def __init__(self, writes: Iterable[Write]) -> None:
        self._at: dict[str, list[Write]] = {}
        self._below: dict[str, list[Write]] = {}
        for write in writes:
            folded = fold(write.resource_id)
            self._at.setdefault(folded, []).append(write)
            for above in _above(folded):
                self._below.setdefault(above, []).append(write)

    def of(self, resource: str) -> tuple[Write, ...]:
        """Return what was written at a resource, in it, and at what it is in."""
        folded = fold(resource)
        above = (write for one in _above(folded) for write in self._at.get(one, ()))
        return (*self._at.get(folded, ()), *self._below.get(folded, ()), *above)


def _above(folded: str) -> Iterable[str]:
    end = folded.rfind("/")
    while end > 0:
        yield folded[:end]
        end = folded.rfind("/", 0, end)


def weigh(
    resource: str,
    release: Release,
    writes: Iterable[Write],
    *,
    changed_at: datetime | None,
    is_listed: bool,
    has_log: bool,
) -> Evidence:
    """Return what the witnesses say of one resource.

    ``writes`` are others' than Plumbline's; ``changed_at`` is the listing's, ``is_listed`` whether it
    shows the resource at all. A log that answers may be late: what it has then not told yet voids what
    was thought to have settled by itself (``judgement``).
    """
    others = [write for write in writes if _is_foreign(write, release)]
    heard, ends = foreign(resource, release, others), endings(resource, release, others)
    # Who moves something out of a group does nothing to what else is in it.
    times = [write.at for write in {*heard, *(one for one in ends if one.is_deletion)}]
    if changed_at is not None and changed_at > release.ended + SLACK:
        times.append(changed_at)
    if times:
        return Evidence("touched", tuple(sorted(times)), heard, ends)
    is_quiet = has_log or (is_listed and changed_at is not None)
    return Evidence("untouched" if is_quiet else "unsure", ends=ends)


def remembered(evidence: Evidence, known: Iterable[Item]) -> Evidence:
    """Return what is known of a resource with what earlier looks knew; ``known`` are its open items.

    The log forgets who did it after a while; it was done all the same.
    """
    at = sorted(item.who.at for item in known if item.who is not None)
    if evidence.touch == "touched" or not at:
        return evidence
    return replace(evidence, touch="touched", at=tuple(at))


def foreign(resource: str, release: Release, writes: Iterable[Write]) -> tuple[Write, ...]:
    """Return the writes of others to a resource, or below it, since the release began; oldest first."""
    found = [
        write
        for write in writes
        if _is_foreign(write, release) and is_at_or_below(write.resource_id, resource)
    ]
    return tuple(sorted(found, key=lambda write: (write.at, write.id)))


def endings(resource: str, release: Release, writes: Iterable[Write]) -> tuple[Write, ...]:
    """Return the deletions and moves by others of a resource, or of what it is in; oldest first."""
    found = [
        write
        for write in writes
        if (write.is_deletion or is_move(write.operation))
        and _is_foreign(write, release)
        and is_at_or_below(resource, write.resource_id)
    ]
    return tuple(sorted(found, key=lambda write: (write.at, write.id)))


def _is_foreign(write: Write, release: Release) -> bool:
    own = release.correlation_id
    is_own = own is not None and fold(write.correlation_id or "") == fold(own)
    return write.at >= release.began and not is_own


def is_at_or_below(resource: str, other: str) -> bool:
    """Tell whether an id is that of ``other``, or of something inside it."""
    one, two = fold(resource), fold(other)
    return one == two or one.startswith(f"{two}/")


def changer(resource: str, writes: Sequence[Write]) -> Who | None:
    """Return who changed a resource last: it itself, or else something below it."""
    own = [write for write in writes if fold(write.resource_id) == fold(resource)]
    return _who(max(own or writes, key=lambda write: write.at, default=None))


def deleter(proof: Evidence) -> Who | None:
    """Return who deleted or moved a resource, or what it was in."""
    return _who(max(proof.ends, key=lambda write: write.at, default=None))


def is_move(operation: str) -> bool:
    """Tell whether an operation takes resources to another group."""
    return _MOVED in operation.lower()


def _who(write: Write | None) -> Who | None:
    if write is None or write.caller is None:
        return None
    return Who(
        caller=write.caller,
        at=write.at,
        operation=write.operation,
        client=write.client,
        correlation_id=write.correlation_id,
    )
