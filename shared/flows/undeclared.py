"""What nobody declared: what others made beside and inside a stack's resources, and what it left.

A part of ``sight``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from shared.core.activity import Write
from shared.core.arm_model import Sighting
from shared.core.drift import evidence
from shared.core.drift import strangers as unknown
from shared.core.drift.model import Drift, Gap, Item
from shared.core.drift.suspicion import Estate
from shared.core.record import Applied, Record
from shared.core.release import Release
from shared.core.scopes import fold
from shared.flows.gathering import Gathering, Witnesses

MOST_CHILDREN: Final = 20
"""How many children that nobody declared are read in one look."""

MOST_LEFT: Final = 50
"""How many resources that left the template are looked for in one look."""


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
class Undeclared:
    """The question, for one look; ``writes`` are what others wrote."""

    subject: Subject
    gathering: Gathering
    witnesses: Witnesses
    estate: Estate
    writes: tuple[Write, ...]

    def children(self) -> tuple[Item, ...]:
        """Return the children that others made inside the stack's resources, and that are there.

        Those that were known stay while they are there, or cannot be read, whatever was released since.
        """
        return self._children[0]

    def gaps(self) -> tuple[Gap, ...]:
        """Return why it is not known of some children whether they are there."""
        return self._children[1]

    @cached_property
    def _children(self) -> tuple[tuple[Item, ...], tuple[Gap, ...]]:
        subject = self.subject
        items: list[Item] = []
        gaps: list[Gap] = []
        made = self._made_inside()
        for resource, kind in made[:MOST_CHILDREN]:
            found = self.gathering.child(resource, kind)
            if isinstance(found, Gap):
                gaps.append(found)
                items += [self.known[fold(resource)]] if fold(resource) in self.known else []
            elif found is not None:
                items.append(unknown.child_item(resource, kind, self.writes, subject.at))
        if len(made) > MOST_CHILDREN:
            gaps.append(_too_many(len(made)))
        return tuple(items), tuple(gaps)

    def _made_inside(self) -> list[tuple[str, str]]:
        """Return (id, type) of what others made inside the stack's resources: first what was known."""
        subject = self.subject
        owned = {fold(one.id) for one in subject.release.inventory}
        known = {
            key: (item.resource, item.type)
            for key, item in self.known.items()
            if key not in owned and key not in self.witnesses.sightings and not item.left_with
        }
        mine = (subject.record.repository, subject.record.stack)
        groups = {one for one, keeper in self.estate.keepers.items() if keeper == mine}
        heard = [
            (resource, kind)
            for resource, kind in unknown.candidates(self.writes, subject.ended, owned, groups)
            if not self._is_told_above(fold(resource))
        ]
        candidates = {**known, **{fold(resource): (resource, kind) for resource, kind in heard}}
        return [one for one in candidates.values() if not self.estate.owned_by(one[0])]

    def _is_told_above(self, key: str) -> bool:
        """Tell whether a listing shows a resource, or what it is in and nobody declared either."""
        if key in self.witnesses.sightings:
            return True
        return unknown.is_inside(key, {fold(one.id) for one in self.nobodys})

    def others(self) -> tuple[Item, ...]:
        """Return all the rest: what others made in its groups, and what the stack itself has left."""
        left = self._left()
        told = {fold(item.resource) for item in left}
        return (*left, *(item for item in self._strangers() if fold(item.resource) not in told))

    def _left(self) -> tuple[Item, ...]:
        """Return what left the stack's template and is there still, with the release that left it."""
        found = []
        for one in self.subject.record.left[:MOST_LEFT]:
            if self.estate.owned_by(one.id):
                continue  # another stack has it now
            if fold(one.id) in self.witnesses.sightings or self.gathering.is_there(
                one.id, one.api_version
            ):
                found.append(
                    unknown.left_item(one.id, one.type, one.release, self.known, self.subject.at)
                )
        return tuple(found)

    def _strangers(self) -> tuple[Item, ...]:
        """Return the resources that others made in the groups that the stack answers for.

        Those that were known stay while they are listed and nobody's, whatever was released since, and
        should another stack answer for the group by now: that one takes them for older than itself.
        """
        subject = self.subject
        found = [one for one in self.nobodys if fold(one.id) not in self.made_now]
        has_log = self.witnesses.has_log(subject.record.scope or "")
        items = unknown.undeclared(
            found, subject.ended, self.writes, has_log=has_log, at=subject.at
        )
        told, known = {fold(item.resource) for item in items}, self.known
        listed = (key for key in known if key in self.witnesses.sightings and key not in told)
        return (*items, *(known[key] for key in listed if not self.estate.owned_by(key)))

    @cached_property
    def nobodys(self) -> tuple[Sighting, ...]:
        """What no stack owns in the groups that the stack answers for."""
        return nobodys(self.subject.record, self.witnesses, self.estate)

    @cached_property
    def made_now(self) -> set[str]:
        """What a release that runs may be making, folded ids: it is told of once that has ended."""
        return {
            fold(one.id)
            for one in self.nobodys
            if fold(one.id) not in self.known and self.estate.may_be_made_now(one.id)
        }

    @cached_property
    def known(self) -> Mapping[str, Item]:
        """What was undeclared before, by folded id: each look answers for all of it."""
        return {fold(i.resource): i for i in self.subject.drift.items if i.kind == "undeclared"}


def nobodys(record: Record, witnesses: Witnesses, estate: Estate) -> tuple[Sighting, ...]:
    """Return what no stack owns in the groups that a stack answers for. Pure."""
    mine = (record.repository, record.stack)
    return tuple(
        one
        for one in witnesses.sightings.values()
        if estate.keeper(one.id) == mine and not estate.owned_by(one.id)
    )


def _too_many(count: int) -> Gap:
    return Gap(
        code="ChildrenNotRead",
        message=f"Others wrote {count} children that nobody declared; {MOST_CHILDREN} were looked at.",
        hint="Declare what is wanted, and delete the rest; the next full look tells what is left.",
    )
