"""One simulated Azure: its store, clock, knobs, knowledge and people, passed to every handler.

It is state and nothing else: who works on it is handed it, and it knows none of them.
"""

from __future__ import annotations

import copy
import heapq
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from local.arm import errors, ids
from local.arm.clock import Clock, stamp
from local.arm.ids import PROVIDERS, group_id
from local.arm.knobs import Knobs
from local.arm.knowledge import Knowledge, paths, regions
from local.arm.knowledge.schema import SoftDelete
from local.arm.request_log import RequestLog
from local.arm.script import Script
from local.arm.state.records import Grave, Group, Resource, ResourceDue
from local.arm.state.store import Store
from local.arm.throttle import Buckets
from local.arm.tokens import Identity

_LABELS_KEPT = 200


@dataclass(frozen=True, slots=True)
class Shadow:
    """What clients see of a resource or group after a write; times are the clock's seconds."""

    record: Resource | Group | None
    read_until: float
    list_until: float


@dataclass(slots=True)
class WhatIfs:
    """The labels of the newest what-ifs by correlation id, and how many there were."""

    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    count: int = 0

    def next_tick(self) -> int:
        """Count one more; return how many there were before."""
        self.count += 1
        return self.count - 1

    def keep(self, correlation_id: str, labels: dict[str, Any]) -> None:
        """Keep the labels of a what-if; the oldest make room."""
        self.labels.pop(correlation_id, None)
        self.labels[correlation_id] = labels
        while len(self.labels) > _LABELS_KEPT:
            del self.labels[next(iter(self.labels))]

    def clear(self) -> None:
        """Forget all of it."""
        self.labels.clear()
        self.count = 0


@dataclass
class Cloud:
    """What handlers share."""

    store: Store
    clock: Clock
    knowledge: Knowledge
    identity: Identity
    script: Script = field(default_factory=Script)
    requests: RequestLog = field(default_factory=RequestLog)
    buckets: Buckets = field(default_factory=Buckets)
    shadows: dict[str, Shadow] = field(default_factory=dict)
    references: dict[str, set[str]] | None = None
    """Id in lower case -> resources that may refer to it (see `providers.references`)."""
    whatifs: WhatIfs = field(default_factory=WhatIfs)
    looks: int = 0
    """How many bodies clients have been shown while noise was on (N20 differs with it)."""
    _leaving: list[tuple[float, str]] = field(default_factory=list)
    _serial: int = 0

    def __post_init__(self) -> None:
        self.clock.offset_seconds = self.knobs.clock_offset_seconds
        for resource in self.store.resources.parts(ResourceDue):
            self._serial = max(self._serial, resource.serial)
            if resource.pending == "Deleting":
                self.leave_at(resource.ready_at, resource.id)
        for group in self.store.groups.values():
            if group.deleting_at is not None:
                self.leave_at(group.deleting_at, group_id(group.subscription, group.name))

    def fork(self) -> Cloud:
        """Return a cloud to try something out in: nothing that happens there happens here.

        Nothing takes time in it, and no change of it is recorded in a journal.
        """
        other = copy.copy(self)
        other.store = self.store.fork()
        other.requests = RequestLog()
        other.shadows = {}
        if self.references is not None:
            other.references = {key: set(users) for key, users in self.references.items()}
        other._leaving = []  # noqa: SLF001 - a cloud of its own
        knobs = msgspec.structs.replace(
            self.knobs,
            resource_seconds=0.0,
            resource_seconds_by_type={},
            group_delete_seconds=0.0,
            read_lag_seconds=0.0,
            read_lag_seconds_by_type={},
            list_lag_seconds=0.0,
            principal_lag_seconds=0.0,
        )
        other.store.knobs.put("knobs", knobs)
        return other

    @property
    def knobs(self) -> Knobs:
        """The knobs as they stand."""
        return self.store.knobs.get("knobs") or Knobs()

    def turn(self, knobs: Knobs) -> None:
        """Set the knobs."""
        self.store.knobs.put("knobs", knobs)
        self.clock.offset_seconds = knobs.clock_offset_seconds

    def next_serial(self) -> int:
        """Return a number that grows with every creation."""
        self._serial += 1
        return self._serial

    # Deletions that take time are due at a moment in real time and carried out by the first
    # request after it: nothing has to run in between, and a restart changes nothing.

    def leave_at(self, due: float, resource_id: str) -> None:
        """Have a group or resource gone from `due` (seconds since the epoch) on."""
        heapq.heappush(self._leaving, (due, resource_id))

    def settle(self) -> None:
        """Carry out the deletions that are due."""
        while self._leaving and self._leaving[0][0] <= time.time():
            _, resource_id = heapq.heappop(self._leaving)
            group = self.store.groups.get(resource_id)
            resource = self.store.resources.get(resource_id)
            group_leaves = group is not None and group.deleting_at is not None
            if group_leaves or (resource is not None and resource.pending == "Deleting"):
                self.purge(resource_id)

    def purge(self, resource_id: str, *, for_good: bool = False) -> None:
        """Remove a group or resource with all that hangs on it.

        What its provider keeps for a while is kept, unless it is `for_good`.
        """
        if not for_good:
            self._bury(resource_id)
        store = self.store
        store.resources.delete_below(resource_id)
        for deployment in store.deployments.below(resource_id):
            self.forget_deployment(deployment.id)
        store.resources.delete(resource_id)
        store.groups.delete(resource_id)

    def _bury(self, resource_id: str) -> None:
        marks = [(f"{PROVIDERS}/{kind}/", rule) for kind, rule in self.knowledge.buried.items()]
        for key in (ids.key_of(resource_id), *self.store.resources.keys_below(resource_id)):
            for mark, rule in marks:
                head, found, name = key.rpartition(mark)
                record = self.resource(key) if found and head and "/" not in name else None
                if record is not None:
                    self._keep(record, rule)

    def _keep(self, record: Resource, rule: SoftDelete) -> None:
        """Note a deleted resource for as long as its provider keeps it."""
        for path, value in rule.unless.items():
            if paths.first(record.got, paths.steps(path)) == value:
                return
        days = paths.first(record.got, paths.steps(rule.days_at)) if rule.days_at else None
        now = self.clock.now()
        grave = Grave(
            resource=record,
            below=self.store.resources.below(record.id),
            location=regions.normal(str(record.got.get("location", "westeurope"))),
            deleted=stamp(now),
            until=stamp(now + timedelta(days=days if isinstance(days, int) else rule.days)),
        )
        self.store.graves.put(record.id, grave)

    def forget_deployment(self, deployment_id: str) -> None:
        """Remove a deployment from the history with its operations; if it runs, it stops."""
        record = self.store.deployments.get(deployment_id)
        if record is None:
            return
        record.cancel = True
        self.store.operations.delete_below(deployment_id)
        self.store.submissions.delete(deployment_id)
        self.store.templates.delete(deployment_id)
        self.store.deployments.delete(deployment_id)

    def check_subscription(self, subscription: str) -> str:
        """Return the subscription id as the simulator spells it; raises SubscriptionNotFound."""
        if subscription.lower() != self.identity.subscription.lower():
            raise errors.subscription_not_found(subscription)
        return self.identity.subscription

    def group(self, subscription: str, name: str) -> Group:
        """Return a resource group; raises ResourceGroupNotFound, SubscriptionNotFound."""
        self.check_subscription(subscription)
        group = self.store.groups.get(group_id(subscription, name))
        if group is None:
            raise errors.group_not_found(name)
        return group

    def writable_group(self, subscription: str, name: str) -> Group:
        """Return a group to write into; raises ResourceGroupBeingDeleted too."""
        group = self.group(subscription, name)
        if group.deleting_at is not None:
            raise errors.group_being_deleted(group.name)
        return group

    def resource(self, resource_id: str) -> Resource | None:
        """Return a resource, or None."""
        return self.store.resources.get(resource_id)
