"""What one look at a stack comes to: the readings, judged together.

Used by ``inspect``. A full look has heard what-if and reads everything; any other reads what somebody
touched, what is gone, and what was amiss before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import msgspec

from shared.core.activity import Write
from shared.core.drift import course, evidence, foresight, judgement
from shared.core.drift import strangers as unknown
from shared.core.drift.course import Look
from shared.core.drift.differences import MISSING
from shared.core.drift.foresight import Foreseen
from shared.core.drift.judgement import Judged, Looked, Standard
from shared.core.drift.model import Drift, Finding, Gap, Item
from shared.core.drift.noise import Key
from shared.core.drift.suspicion import Estate, Periods, ours, seen, shares
from shared.core.prediction import Prediction
from shared.core.record import Applied, Record
from shared.core.release import Owned, Release
from shared.core.scopes import fold
from shared.flows.gathering import Gathering, Released, Witnesses

MOST_CHILDREN: Final = 20
"""How many children that nobody declared are read in one look."""


@dataclass(frozen=True)
class Subject:
    """The stack that is looked at, its release, and what was known of its drift."""

    record: Record
    applied: Applied
    release: Release
    drift: Drift
    at: datetime

    @property
    def ended(self) -> evidence.Release:
        """Between when and when the release wrote."""
        return evidence.Release(
            self.release.started_at, self.release.ended_at, self.release.correlation_id
        )


@dataclass
class Sight:
    """One look: what is read, and what it comes to. ``judged`` is there after ``drift``."""

    subject: Subject
    gathering: Gathering
    witnesses: Witnesses
    estate: Estate
    rules: Mapping[Key, Finding]
    foreseen: Prediction | Gap | None
    periods: Periods
    judged: Judged = field(default_factory=Judged)

    def drift(self) -> Drift:
        """Return what is known after the look."""
        subject, full = self.subject, self.foreseen is not None
        released = self.gathering.released(subject.release, subject.drift)
        owned = subject.release.inventory if full else self._suspects(released)
        children = self._children()
        by = self._standard({fold(item.resource) for item in children})
        looks = self._looks(owned, released, by)
        found = [judgement.judge(one, by) for one in looks]
        parts = [*found, Judged(items=(*children, *self._strangers()))]
        if full:
            parts.append(Judged(gaps=self._gaps(released)))
        if isinstance(self.foreseen, Prediction):
            seen_before = [item for part in found for item in part.items]
            parts.append(foresight.judge(self.foreseen, looks, seen_before, by))
        self.judged = judgement.together(parts)
        looked_at = None if full else {fold(one.id) for one in owned} | set(self._undeclared)
        look = Look(
            at=subject.at,
            judged=self.judged,
            looked_at=looked_at,
            seen=self._seen(),
            events=self._events(),
            confirms=subject.at - subject.applied.at >= self.periods.confirm,
        )
        return self._with_bodies(course.looked(subject.drift, look), looks)

    @cached_property
    def _others(self) -> tuple[Write, ...]:
        """What others wrote: neither this stack's release nor any other's."""
        mine = ours(self.estate.facts.values())
        return tuple(
            write
            for write in self.witnesses.writes
            if (write.correlation_id or "").lower() not in mine
        )

    @cached_property
    def _nearby(self) -> evidence.Nearby:
        return evidence.Nearby(self._others)

    # ---- what is read ----------------------------------------------------------------------

    def _suspects(self, released: Released) -> tuple[Owned, ...]:
        """Return what a partial look covers: what was touched or is gone, and what was amiss."""
        drift = self.subject.drift
        amiss = {fold(item.resource) for item in drift.items}
        amiss |= {fold(gap.resource) for gap in drift.gaps if gap.resource is not None}
        lost = {key for key, body in released.bodies.items() if body is MISSING}
        return tuple(
            one
            for one in self.subject.release.inventory
            if fold(one.id) in amiss | lost
            or self._is_gone(one)
            or self._evidence(one).touch == "touched"
        )

    def _is_gone(self, owned: Owned) -> bool:
        """Tell whether a listing showed it before, and does not now."""
        key = fold(owned.id)
        return key in self.subject.drift.sightings and key not in self.witnesses.sightings

    def _evidence(self, owned: Owned) -> evidence.Evidence:
        sighting = self.witnesses.sightings.get(fold(owned.id))
        return evidence.weigh(
            owned.id,
            self.subject.ended,
            self._nearby.of(owned.id),
            changed_at=sighting.changed_at if sighting is not None else None,
            is_listed=sighting is not None,
            has_log=self.witnesses.has_log(owned.id),
        )

    def _looks(self, owned: Sequence[Owned], released: Released, by: Standard) -> list[Looked]:
        now = self.gathering.now(owned, released.bodies)
        looks = []
        for one in owned:
            body = now[fold(one.id)]
            gap = body if isinstance(body, Gap) else None
            witnessed = self._evidence(one)
            looks.append(
                Looked(
                    owned=one,
                    evidence=witnessed,
                    is_void=_is_void(witnessed, released),
                    released=released.bodies.get(fold(one.id), MISSING),
                    now=MISSING if gap is not None else body,
                    gap=gap,
                )
            )
        return self._twice(looks, released, by)

    def _twice(self, looks: list[Looked], released: Released, by: Standard) -> list[Looked]:
        """Read again what seems to have drifted: what moves by itself is another value then."""
        doubtful = [one.owned for one in looks if judgement.is_worth_another_look(one, by)]
        if not doubtful:
            return looks
        again = self.gathering.now(doubtful, released.bodies)
        return [
            replace(one, again=body)
            if (body := again.get(fold(one.owned.id), MISSING)) is not MISSING
            and not isinstance(body, Gap)
            else one
            for one in looks
        ]

    def _standard(self, children: set[str]) -> Standard:
        subject, drift = self.subject, self.subject.drift
        return Standard(
            at=subject.at,
            release=subject.ended,
            owned={fold(one.id) for one in subject.release.inventory} | children,
            ignores=subject.record.policy.ignore,
            rules=self.rules,
            settled={(fold(one.resource), one.path): one for one in drift.settled},
            wanted=self._wanted,
            agreed=self._agreed if self.subject.drift.confirmed_at is not None else {},
        )

    @cached_property
    def _read(self) -> Foreseen | None:
        """What is kept of the what-if, if it was heard."""
        if not isinstance(self.foreseen, Prediction):
            return None
        return foresight.read(self.foreseen, self.gathering.redacted)

    @cached_property
    def _wanted(self) -> Mapping[str, Any]:
        return self._agreed if self._read is None else self._read.wanted

    @cached_property
    def _agreed(self) -> Mapping[str, Any]:
        """What an earlier what-if of this release had said."""
        return {
            key: self.gathering.archive.content(digest)
            for key, digest in self.subject.drift.wanted.items()
        }

    def _gaps(self, released: Released) -> tuple[Gap, ...]:
        gaps = list(released.gaps)
        if isinstance(self.foreseen, Gap):
            gaps.append(self.foreseen)
        if self._read is not None:
            gaps += self._read.gaps
        return tuple(gaps)

    # ---- what nobody declared --------------------------------------------------------------

    def _children(self) -> tuple[Item, ...]:
        """Return the children that others made inside the stack's resources, and that are there.

        Those that were known stay while they are there, whatever was released since.
        """
        subject = self.subject
        owned = {fold(one.id) for one in subject.release.inventory}
        known = {
            key: (item.resource, item.type)
            for key, item in self._undeclared.items()
            if key not in owned and unknown.is_inside(key, owned)
        }
        heard = unknown.candidates(self._others, subject.ended, owned)
        candidates = {**{fold(resource): (resource, kind) for resource, kind in heard}, **known}
        made = [one for one in candidates.values() if not self.estate.owned_by(one[0])]
        return tuple(
            unknown.child_item(resource, kind, self._others, subject.at)
            for resource, kind in made[:MOST_CHILDREN]
            if self.gathering.child(resource, kind) is not None
        )

    def _strangers(self) -> tuple[Item, ...]:
        """Return the resources that others made in the groups that the stack answers for.

        Those that were known stay while they are listed, whatever was released since.
        """
        subject = self.subject
        mine = (subject.record.repository, subject.record.stack)
        found = [
            sighting
            for sighting in self.witnesses.sightings.values()
            if self.estate.keeper(sighting.id) == mine and not self.estate.owned_by(sighting.id)
        ]
        has_log = self.witnesses.has_log(subject.record.scope or "")
        items = unknown.undeclared(
            found, subject.ended, self._others, has_log=has_log, at=subject.at
        )
        told, known = {fold(item.resource) for item in items}, self._undeclared
        listed = [key for one in found if (key := fold(one.id)) in known and key not in told]
        return (*items, *(known[key] for key in listed))

    @cached_property
    def _undeclared(self) -> Mapping[str, Item]:
        """What was undeclared before, by folded id: each look answers for all of it."""
        return {fold(i.resource): i for i in self.subject.drift.items if i.kind == "undeclared"}

    # ---- what is kept ----------------------------------------------------------------------

    def _seen(self) -> str:
        mine = (self.subject.record.repository, self.subject.record.stack)
        return seen(shares(self.witnesses.sightings.values(), self.estate).get(mine, ()))

    def _events(self) -> datetime | None:
        until = [log.seen_at for log in self.witnesses.logs.values() if log.seen_at is not None]
        return max([*until, *(write.seen_at for write in self.witnesses.writes)], default=None)

    def _with_bodies(self, drift: Drift, looks: Sequence[Looked]) -> Drift:
        """Keep what the template leads to, what is listed, and what stands for a lost snapshot."""
        if self.foreseen is None:
            return drift
        listed = self.witnesses.sightings
        lost = {
            fold(one.owned.id): one.now
            for one in looks
            if one.released is MISSING
            and one.evidence.touch == "untouched"
            and one.now is not None
            and one.now is not MISSING
        }
        wanted = self._read.wanted if self._read is not None else {}
        ids = {fold(one.id) for one in self.subject.release.inventory}
        return msgspec.structs.replace(
            drift,
            sightings=dict.fromkeys(sorted(ids & set(listed)), ""),
            references={**drift.references, **self.gathering.keep(lost, lost)},
            wanted=self.gathering.keep(wanted, ids & set(wanted)) or drift.wanted,
        )


def _is_void(witnessed: evidence.Evidence, released: Released) -> bool:
    """Tell whether somebody wrote a resource before its snapshot was there. Pure."""
    read_at = released.read_at
    return read_at is not None and any(touch <= read_at for touch in witnessed.at)
