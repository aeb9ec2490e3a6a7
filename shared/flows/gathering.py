"""What an inspection looks at: the witnesses of a touch, the bodies after the release, and those now.

Used by ``inspect``. It reads and decides nothing; secrets are replaced by keyed digests here, before
anything is compared or kept.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared import events
from shared.core.activities import Activity
from shared.core.activity import Write
from shared.core.arm_model import Sighting
from shared.core.document import canonical
from shared.core.drift.differences import MISSING, is_comparable
from shared.core.drift.model import Drift, Gap
from shared.core.drift.strangers import type_of
from shared.core.drift.suspicion import group_of
from shared.core.errors import Stalled
from shared.core.redaction import PREFIX, redact
from shared.core.release import Owned, Release, Snapshot
from shared.core.scopes import fold, subscription_of
from shared.flows.gate import ArmReads
from shared.ports import ArmBudget, Log, Parallel
from shared.state.activities import Activities
from shared.state.archive import Archive

MOST_GROUPS: Final = 5
"""From so many groups on a whole subscription is listed instead of group by group."""

MOST_TAKEN: Final = 60
"""How many calls are asked of the budget at once: more than it ever has would be waited for in vain."""

LOST: Final = "SnapshotLost"

_KEY = re.compile(re.escape(PREFIX).encode() + rb"([\w.-]{1,64}):[0-9a-f]{32}")

Body = Any
"""A body, None: not there; MISSING: not known."""


@dataclass(frozen=True)
class Witnesses:
    """What a listing shows now, by folded id, and what the Activity Log told scans."""

    sightings: Mapping[str, Sighting]
    logs: Mapping[str, Activity]

    @property
    def writes(self) -> tuple[Write, ...]:
        """What others wrote, in all subscriptions."""
        return tuple(write for log in self.logs.values() for write in log.writes)

    def has_log(self, resource: str) -> bool:
        """Whether the log of a resource's subscription can be asked."""
        log = self.logs.get((subscription_of(resource) or "").lower())
        return log is not None and log.answers

    def has_whole_log(self, resource: str, since: datetime) -> bool:
        """Whether the log of a resource's subscription tells all since a moment."""
        log = self.logs.get((subscription_of(resource) or "").lower())
        return log is not None and log.is_whole_since(since)


@dataclass(frozen=True)
class Released:
    """Bodies after the release by folded id (None: was not there), and what is wrong with them.

    ``read_at`` is when the last of them had been read.
    """

    bodies: Mapping[str, Body]
    gaps: tuple[Gap, ...] = ()
    read_at: datetime | None = None


@dataclass(frozen=True)
class Gathering:
    """The readings. ``digests`` turn a secret into its keyed digest, by the id of the key.

    The first of them is made with the key of today.
    """

    archive: Archive
    arm: ArmReads
    budget: ArmBudget
    activities: Activities
    parallel: Parallel
    digests: Mapping[str, Callable[[str], str]]
    log: Log

    def has_log(self, scope: str | None) -> bool:
        """Tell whether the log of a scope's subscription can be asked, as scans found it."""
        subscription = subscription_of(scope or "")
        return subscription is not None and self.activities.read(subscription).answers

    def witnesses(self, scope: str | None, owned: Sequence[Owned]) -> Witnesses:
        """List what is in the stack's groups, and read what the log told scans.

        Raises Transient and Waiting.
        """
        groups = {group for one in owned if (group := group_of(one.id)) is not None}
        if scope is not None and group_of(scope) is not None:
            groups.add(fold(scope))
        subscriptions = {group.split("/")[2] for group in groups}
        wholes = {f"/subscriptions/{one}" for one in subscriptions}
        listed = groups if len(groups) <= MOST_GROUPS else wholes
        found = [each for one in sorted(listed) for each in self._list(one)]
        logs = {one: self.activities.read(one) for one in sorted(subscriptions)}
        return Witnesses({fold(each.id): each for each in found}, logs)

    def _list(self, scope: str) -> Iterable[Sighting]:
        after: str | None = None
        while True:
            self.budget.take(scope.split("/")[2], "reads", "scan")
            page = self.arm.sightings(scope, after)
            yield from page.sightings
            after = page.after
            if after is None:
                return

    def released(self, release: Release, drift: Drift) -> Released:
        """Return the bodies after a release; of a lost snapshot what stands for it.

        A body whose bytes are not what was written counts as lost.
        """
        gaps: list[Gap] = []
        bodies: dict[str, Body] = {}
        stands_in = {fold(one) for one in drift.references}
        snapshot = self._snapshot(release, gaps)
        if snapshot is not None:
            bodies.update({fold(one): None for one in snapshot.missing})
            gaps += [_not_shown(one, why) for one, why in snapshot.unread.items()]
        digests = dict(snapshot.resources) if snapshot is not None else {}
        for resource, digest in digests.items():
            bodies[fold(resource)] = self._content(resource, digest, gaps)
        for resource, digest in drift.references.items():
            if bodies.get(fold(resource), MISSING) is MISSING:
                bodies[fold(resource)] = self._content(resource, digest, [])
        if stands_in:  # what was captured anew is as good as the snapshot
            gaps = [
                gap
                for gap in gaps
                if gap.code != LOST or (gap.resource and fold(gap.resource) not in stands_in)
            ]
        read_at = None if snapshot is None else snapshot.ended_at or snapshot.taken_at
        return Released(bodies, tuple(gaps), read_at)

    def _snapshot(self, release: Release, gaps: list[Gap]) -> Snapshot | None:
        try:
            found = self.archive.snapshot(release.repository, release.stack, release.release)
        except Stalled as e:
            self.log(events.STALLED, stack=release.stack, reason=e.reason, hint=e.hint)
            gaps.append(_lost(None, f"The snapshot of {release.release} cannot be read."))
            return None
        if found is None:
            gaps.append(_lost(None, f"There is no snapshot of {release.release}."))
        return found

    def _content(self, resource: str, digest: str, gaps: list[Gap]) -> Body:
        try:
            return self.archive.content(digest)
        except Stalled as e:
            if e.reason not in {"ContentMissing", "ContentDamaged"}:
                raise
            self.log(events.STALLED, resource=resource, reason=e.reason, hint=e.hint)
            gaps.append(_lost(resource, e.message))
            return MISSING

    def now(self, owned: Sequence[Owned], like: Mapping[str, Body]) -> dict[str, Body | Gap]:
        """Read resources, by folded id; each is redacted with the key of what it is compared with.

        A ``Gap`` says why one could not be read. Raises Transient and Waiting.
        """
        by_subscription: dict[str, int] = {}
        for one in owned:
            key = subscription_of(one.id) or ""
            by_subscription[key] = by_subscription.get(key, 0) + 1
        for subscription, calls in by_subscription.items():
            self.budget.take(subscription, "reads", "scan", calls=min(calls, MOST_TAKEN))
        read = self.parallel.map(lambda one: self._read(one, like.get(fold(one.id))), owned)
        return {fold(one.id): body for one, body in zip(owned, read, strict=True)}

    def _read(self, owned: Owned, like: Body) -> Body | Gap:
        if owned.api_version is None:
            return _not_shown(owned.id, "its api-version is not known")
        try:
            body = self.arm.resource(owned.id, owned.api_version)
        except Stalled as e:
            self.log(events.STALLED, resource=owned.id, reason=e.reason, hint=e.hint)
            return Gap(code=e.reason, message=e.message, resource=owned.id, hint=e.hint)
        if not is_comparable(body):
            return _odd(owned.id)
        return None if body is None else self.redacted(body, like)

    def child(self, resource: str, resource_type: str) -> Body | Gap:
        """Read a resource that is in no inventory; None where it is not there, or ARM has no such type."""
        subscription = subscription_of(resource) or ""
        self.budget.take(subscription, "reads", "scan", calls=2)
        version = self.arm.api_version(subscription, resource_type)
        if version is None:
            return None
        return self._read(Owned(id=resource, type=resource_type, api_version=version), None)

    def is_there(self, resource: str, api_version: str | None) -> bool:
        """Tell whether a resource is there; one that cannot be read is not known to be."""
        self.budget.take(subscription_of(resource) or "", "reads", "scan")
        version = api_version or self.arm.api_version(
            subscription_of(resource) or "", type_of(resource) or ""
        )
        found = self._read(Owned(id=resource, type="", api_version=version), None)
        return found is not None and not isinstance(found, Gap)

    def redacted(self, body: Body, like: Body = None) -> Body:
        """Return a body without secrets: with the key of ``like``, where that is known, to compare."""
        return redact(body, self._digest(like))

    def _digest(self, like: Body) -> Callable[[str], str]:
        today = next(iter(self.digests.values()))
        if like is None or like is MISSING:
            return today
        found = _KEY.search(canonical(like))
        return self.digests.get(found[1].decode(), today) if found is not None else today

    def keep(self, bodies: Mapping[str, Body], ids: Collection[str]) -> dict[str, str]:
        """Keep bodies as contents; returns their digests by folded id."""
        return {key: self.archive.put_json(bodies[key]) for key in sorted(ids)}


def _lost(resource: str | None, what: str) -> Gap:
    return Gap(
        code=LOST,
        message=what,
        resource=resource,
        hint="What nobody has touched since the release is captured anew; a release makes a new snapshot.",
    )


def _odd(resource: str) -> Gap:
    return Gap(
        code="BodyUnreadable",
        message="What ARM shows of it is nested too deep, or holds what is no JSON in UTF-8.",
        resource=resource,
        hint="Look at it in the portal: a resource that was written so may have been meant to hide.",
    )


def _not_shown(resource: str, why: str) -> Gap:
    return Gap(
        code="NotInSnapshot",
        message=f"ARM did not show it after the release: {why}.",
        resource=resource,
        hint="Give Plumbline's identity the right to read it, and release the stack once.",
    )
