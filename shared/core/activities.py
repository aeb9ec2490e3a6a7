"""What is kept of a subscription's Activity Log: ``activity/<subscription>.json`` in ``state``. Pure.

Only *foreign* writes are kept, those that none of our releases made: they are what drift is
explained with. The log is late and tells things out of order, so that each time it is asked again
for the last half an hour; the watermark is when the log had an entry, not when it happened.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.core.activity import Reading, Write, one_each
from shared.core.document import Document, to_text
from shared.core.problem import Problem

KEPT: Final = timedelta(days=7)
OVERLAP: Final = timedelta(minutes=30)
"""How late the log may be: Azure says up to 20 minutes."""

SLACK: Final = timedelta(minutes=5)
"""How wrong our clock may be beside the log's."""

MOST: Final = 2_000


class Activity(Document, frozen=True, kw_only=True, omit_defaults=True):
    """What the log said of one subscription.

    ``writes`` are foreign ones by the time at which they happened, oldest first. ``seen_at`` is up
    to when the log was read, by its own time; ``asked_at`` when it last answered. What happened before
    ``known_from`` may be missing, for its age or for want of space. ``problem`` is why the log cannot
    be asked now, ``problem_since`` when that began. ``ours`` are correlation ids of releases that may
    come again, with the time at which the log last had them.
    """

    subscription: str
    seen_at: datetime | None = None
    asked_at: datetime | None = None
    known_from: datetime | None = None
    writes: tuple[Write, ...] = ()
    ours: Mapping[str, datetime] = msgspec.field(default_factory=dict)
    problem: Problem | None = None
    problem_since: datetime | None = None

    @property
    def known_until(self) -> datetime | None:
        """Up to when what happened is known: what is asked for again may still get company."""
        return self.seen_at - OVERLAP if self.seen_at is not None else None

    @property
    def answers(self) -> bool:
        """Whether the log can be asked.

        Where it cannot nobody can be named, and who looks for changed children must look by time.
        """
        return self.problem is None and self.asked_at is not None

    def is_whole_since(self, moment: datetime) -> bool:
        """Tell whether the log can be asked, and all that happened since a moment is here."""
        return self.answers and (self.known_from is None or self.known_from <= moment)


def ask_since(activity: Activity, now: datetime) -> datetime:
    """Return from when on the log is to be asked, by the time at which it had an entry."""
    return max(activity.known_until or now - KEPT, now - KEPT)


def told(activity: Activity, reading: Reading, ours: Collection[str], now: datetime) -> Activity:
    """Take over what the log said; ``ours`` are the correlation ids of our releases, in lower case.

    Twice is as good as once. Those that were kept are judged anew: a release may have become known
    after its writes.
    """
    known = {*activity.ours, *ours}
    read = [one for one in reading.writes if one.at > now - KEPT and _correlation(one) not in known]
    late = _late(activity, read)
    foreign = [
        write for write in one_each([*activity.writes, *late]) if _correlation(write) not in known
    ]
    fresh = sorted(
        (one for one in foreign if one.at > now - KEPT), key=lambda one: (one.at, one.id)
    )
    kept, gone = fresh[-MOST:], fresh[:-MOST]
    seen_at = max([_watermark(activity, reading, now), *(one.seen_at for one in late)])
    known_from = [activity.known_from or ask_since(activity, now), now - KEPT]
    known_from += [reading.lost_before] if reading.lost_before else []
    known_from += [gone[-1].at] if gone else []
    return msgspec.structs.replace(
        activity,
        seen_at=seen_at,
        asked_at=max(now, activity.asked_at or now),
        known_from=max(known_from),
        writes=tuple(kept),
        ours=_remembered(activity, reading, known, seen_at - 2 * OVERLAP - SLACK),
        problem=None,
        problem_since=None,
    )


def _late(activity: Activity, writes: Sequence[Write]) -> Sequence[Write]:
    """Return writes; those that the log shows only now, behind its watermark, count as seen just after it.

    Who has looked through the log up to the watermark would take them for seen.
    """
    if activity.seen_at is None:
        return writes
    kept = {one.deed for one in activity.writes}
    after = activity.seen_at + timedelta(microseconds=1)
    return [
        msgspec.structs.replace(one, seen_at=after)
        if one.seen_at <= activity.seen_at and one.deed not in kept
        else one
        for one in writes
    ]


def _correlation(write: Write) -> str:
    return (write.correlation_id or "").lower()


def _watermark(activity: Activity, reading: Reading, now: datetime) -> datetime:
    """Return up to when the log was read: never further back than it was."""
    newest = [write.seen_at for write in reading.writes]
    read = reading.read_until or max([*newest, now - SLACK])
    return max(read, activity.seen_at or read)


def _remembered(
    activity: Activity, reading: Reading, known: Collection[str], since: datetime
) -> Mapping[str, datetime]:
    """Return the correlation ids of releases whose writes may come again.

    A stack's record tells only its last release; the log repeats those before it, too.
    """
    found = dict(activity.ours)
    for write in reading.writes:
        key = _correlation(write)
        if key in known:
            found[key] = max(write.seen_at, found.get(key, write.seen_at))
    return {key: at for key, at in found.items() if at >= since}


def silent(activity: Activity, problem: Problem, now: datetime) -> Activity:
    """Note that the log could not be asked, and since when; what is known stays."""
    since = activity.problem_since if activity.problem is not None else None
    return msgspec.structs.replace(activity, problem=problem, problem_since=since or now)


# ---- who did it ----------------------------------------------------------------------------

Touched = Mapping[str, tuple[Write, ...]]
"""By lower-case id: what was written there and below, oldest first."""


def touched(writes: Iterable[Write]) -> Touched:
    """Return what was written at and below each id."""
    found: dict[str, list[Write]] = {}
    for write in sorted(writes, key=lambda one: (one.at, one.id)):
        for above in _upwards(write.resource_id.lower()):
            found.setdefault(above, []).append(write)
    return {key: tuple(some) for key, some in found.items()}


def _upwards(key: str) -> Iterable[str]:
    """Yield an id and what it is below, up to the subscription."""
    parts = key.rstrip("/").split("/")
    for end in range(len(parts), 2, -1):
        yield "/".join(parts[:end])


def writes_on(found: Touched, resource_id: str, since: datetime | None = None) -> tuple[Write, ...]:
    """Return what was written on a resource and its children since a moment, oldest first."""
    writes = found.get(resource_id.lower().rstrip("/"), ())
    return writes if since is None else tuple(one for one in writes if one.at >= since)


def latest(writes: Iterable[Write]) -> Mapping[str, Write]:
    """Return the newest write of each resource itself, by lower-case id."""
    return {one.resource_id.lower(): one for one in sorted(writes, key=lambda one: one.at)}


def deletion_of(
    writes: Iterable[Write], resource_id: str, since: datetime | None = None
) -> Write | None:
    """Return the newest deletion of a resource or of what it was in, None where there is none."""
    above = set(_upwards(resource_id.lower()))
    found = [
        one
        for one in writes
        if one.is_deletion
        and one.resource_id.lower().rstrip("/") in above
        and (since is None or one.at >= since)
    ]
    return max(found, key=lambda one: one.at, default=None)


def facts(activity: Activity) -> dict[str, str]:
    """Return what scans need to see without reading the document."""
    shown = {
        "seen_at": to_text(activity.seen_at) if activity.seen_at else "",
        "asked_at": to_text(activity.asked_at) if activity.asked_at else "",
        "writes": str(len(activity.writes)),
        "problem": activity.problem.code if activity.problem else "",
    }
    return {key: value for key, value in shown.items() if value}
