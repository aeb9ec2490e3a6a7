"""What one look at a stack comes to: the readings, judged together.

Used by ``inspect``. A full look has heard what-if and reads everything; any other reads what somebody
touched, what is gone, and what was amiss before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from shared.core.activity import Write
from shared.core.drift import course, evidence, foresight, judgement
from shared.core.drift.course import Look
from shared.core.drift.differences import MISSING
from shared.core.drift.foresight import Foreseen
from shared.core.drift.judgement import Judged, Looked, Standard
from shared.core.drift.model import Drift, Finding, Gap, Item
from shared.core.drift.noise import Key
from shared.core.drift.suspicion import Estate, Periods, seen, shares
from shared.core.policy import mark
from shared.core.prediction import Prediction
from shared.core.release import Owned
from shared.core.scopes import fold
from shared.flows.gathering import Gathering, Released, Witnesses
from shared.flows.undeclared import Subject, Undeclared


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
        children = self._undeclared.children()
        by = self._standard({fold(item.resource) for item in children})
        looks = self._looks(owned, released, by)
        found = [judgement.judge(one, by) for one in looks]
        parts = [
            *found,
            Judged(items=(*children, *self._undeclared.others()), gaps=self._undeclared.gaps()),
        ]
        if full:
            parts.append(Judged(gaps=self._gaps(released)))
        if isinstance(self.foreseen, Prediction):
            seen_before = [item for part in found for item in part.items]
            told = foresight.without_secrets(self.foreseen.changes, self.gathering.redacted)
            foreseen = replace(self.foreseen, changes=told)
            parts.append(foresight.judge(foreseen, looks, seen_before, by))
        if not isinstance(self.foreseen, Prediction):
            parts.append(Judged(gaps=tuple(judgement.unmeasured(looks))))
        surviving = course.surviving(subject.drift, looks, by)
        self.judged = judgement.with_items(judgement.together(parts), surviving)
        looked = {fold(one.owned.id) for one in looks} | set(self._undeclared.known)
        looked_at = None if full else looked
        look = Look(
            at=subject.at,
            judged=self.judged,
            looked_at=looked_at,
            seen=self._seen(),
            events=self._events(),
            confirms=subject.at - subject.applied.at >= self.periods.confirm,
            again=self.periods.confirm,
        )
        after = course.looked(subject.drift, look)
        after = msgspec.structs.replace(after, policy=mark(subject.record.policy))
        return self._with_bodies(after, looks)

    @cached_property
    def _others(self) -> tuple[Write, ...]:
        """What others wrote: neither this stack's release nor any other's."""
        return tuple(
            write
            for write in self.witnesses.writes
            if (write.correlation_id or "").lower() not in self.estate.ours
        )

    @cached_property
    def _undeclared(self) -> Undeclared:
        return Undeclared(self.subject, self.gathering, self.witnesses, self.estate, self._others)

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
        known = self._known.get(fold(owned.id), ())
        found = evidence.weigh(
            owned.id,
            self.subject.ended,
            self._nearby.of(owned.id),
            changed_at=sighting.changed_at if sighting is not None else None,
            is_listed=sighting is not None,
            has_log=self.witnesses.has_whole_log(owned.id, self._witnessed_since(known)),
        )
        return evidence.remembered(found, known)

    @cached_property
    def _known(self) -> Mapping[str, list[Item]]:
        """What was found already of the resources since this release, by folded id."""
        found: dict[str, list[Item]] = {}
        for item in course.still_open(self.subject.drift):
            found.setdefault(fold(item.resource), []).append(item)
        return found

    def _witnessed_since(self, known: Sequence[Item]) -> datetime:
        """Return since when the log must be whole to say that nobody touched a resource.

        What happened before the last full look that look has seen; but where that found something
        and could not name anybody, the log has to speak for all the time since the release.
        """
        began, full_at = self.subject.ended.began, self.subject.drift.full_at
        return began if known or full_at is None else max(began, full_at)

    def _looks(self, owned: Sequence[Owned], released: Released, by: Standard) -> list[Looked]:
        """Look at resources, and at the children that were written with them."""
        looks = self._reads(owned, released)
        writers = {child: one for one in looks for child in judgement.handed_down(one, by)}
        known = {fold(one.owned.id) for one in looks}
        more = [
            one
            for one in self.subject.release.inventory
            if (key := fold(one.id)) in writers and key not in known
        ]
        if more:
            looks += self._reads(more, released)
        looks = [
            judgement.by_the_parent(one, parent)
            if (parent := writers.get(fold(one.owned.id))) is not None
            else one
            for one in looks
        ]
        return self._twice(looks, released, by)

    def _reads(self, owned: Sequence[Owned], released: Released) -> list[Looked]:
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
        return looks

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
            agreed={} if drift.confirmed_at is None else self._agreed_undoubted(),
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

    def _agreed_undoubted(self) -> Mapping[str, Any]:
        doubted = set(self.subject.drift.doubted)
        return {key: body for key, body in self._agreed.items() if key not in doubted}

    def _gaps(self, released: Released) -> tuple[Gap, ...]:
        gaps = list(released.gaps)
        if isinstance(self.foreseen, Gap):
            gaps.append(self.foreseen)
        if self._read is not None:
            gaps += self._read.gaps
        return tuple(gaps)

    # ---- what is kept ----------------------------------------------------------------------

    def _seen(self) -> str:
        mine = (self.subject.record.repository, self.subject.record.stack)
        share = shares(self.witnesses.sightings.values(), self.estate).get(mine, ())
        # Left out, so that a scan finds something new, and the next look tells whose it is.
        return seen(one for one in share if fold(one.id) not in self._undeclared.made_now)

    def _events(self) -> datetime | None:
        until = [log.seen_at for log in self.witnesses.logs.values() if log.seen_at is not None]
        # Of several logs the slowest counts: what it tells later is news then.
        return min(until, default=None)

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
            doubted=tuple(sorted({fold(item.resource) for item in drift.items}))
            if wanted
            else drift.doubted,
        )


def _is_void(witnessed: evidence.Evidence, released: Released) -> bool:
    """Tell whether somebody wrote a resource before its snapshot was there. Pure."""
    read_at = released.read_at
    return read_at is not None and any(touch <= read_at for touch in witnessed.at)
