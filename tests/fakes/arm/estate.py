"""What is in the fake's Azure: groups, providers, resources with their times, and who wrote them.

``sightings`` shows what stands at the top, and no children or extensions, as ARM's listings do.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import Any

from shared.core.activity import Write
from shared.core.arm_answers import flatten
from shared.core.arm_errors import Refused, Unregistered
from shared.core.arm_model import DeploymentRequest, Sighting, SightingsPage
from shared.core.errors import Stalled, Transient
from shared.ports import Clock
from tests.fakes.arm.template import planned_resources
from tests.fakes.system import Faults

HAND = "hand@example.com"
"""Who changes things behind everybody's back, unless a test says who."""

_ALWAYS_REGISTERED = frozenset({"microsoft.resources", "microsoft.authorization"})
_VERSION = "2024-01-01"


@dataclass
class Kept:
    """A resource that is there; ``gone_at`` once its deletion has begun."""

    id: str
    type: str
    body: Mapping[str, Any]
    created_at: datetime
    changed_at: datetime
    gone_at: datetime | None = None


class FakeEstate:
    """The part of the fake about what is there. ``writes`` is who wrote what, oldest first.

    ``deletion_s`` is how long deletions take, ``page_size`` how many resources a page shows.
    ``deletions`` are the ids that were asked to be deleted.
    """

    def __init__(self, clock: Clock, faults: Faults | None, groups: Sequence[str]) -> None:
        self.faults = faults or Faults()
        self.groups: dict[str, Mapping[str, Any]] = {}
        self.registration_s = 0.0
        self.deletion_s = 0.0
        self.page_size = 1000
        self.writes: list[Write] = []
        self.deletions: list[str] = []
        self._clock = clock
        self._kept: dict[str, Kept] = {}
        self._registered: dict[str, datetime] | None = None
        self._locks: dict[str, str] = {}
        self._attached: dict[str, set[str]] = {}
        self._newest: dict[str, str] = {}
        self._oldest: dict[str, str] = {}
        self._lock = RLock()
        for group in groups:
            self.groups[group.lower()] = {"location": "westeurope", "tags": {}}

    # ---- the port --------------------------------------------------------------------------

    def has_group(self, scope: str) -> bool:
        """Tell whether the group is there."""
        with self.faults.around("arm.has_group", scope), self._lock:
            return scope.lower() in self.groups

    def create_group(self, scope: str, location: str, tags: Mapping[str, str]) -> None:
        """Create a group; on one that is there this is a defect of the caller (AssertionError)."""
        with self.faults.around("arm.create_group", scope), self._lock:
            assert scope.lower() not in self.groups, f"{scope} exists: its tags would be replaced"
            self.groups[scope.lower()] = {"location": location, "tags": dict(tags)}

    def register_provider(self, subscription_id: str, namespace: str) -> str:
        """Register a provider, which takes ``registration_s``."""
        with (
            self.faults.around("arm.register_provider", f"{subscription_id}/{namespace}"),
            self._lock,
        ):
            if self._registered is None:
                return "Registered"
            ready = self._clock.now() + timedelta(seconds=self.registration_s)
            self._registered.setdefault(namespace.lower(), ready)
            return "Registered" if self._is_registered(namespace) else "Registering"

    def resource(self, resource_id: str, api_version: str) -> Mapping[str, Any] | None:
        """Return a copy of the resource's body; an api-version that was retired is Stalled."""
        with self.faults.around("arm.resource", f"{resource_id}@{api_version}"), self._lock:
            self._settle()
            self._check_version(resource_id, api_version)
            kept = self._kept.get(resource_id.lower())
            return None if kept is None else copy.deepcopy(kept.body)

    def sightings(self, scope: str, after: str | None = None) -> SightingsPage:
        """Return one page of what stands at the top in a scope, oldest first."""
        with self.faults.around("arm.sightings", scope), self._lock:
            self._settle()
            start = 0
            if after is not None:
                told, _, at = after.partition("/resources?$skiptoken=")
                assert told.lower() == scope.lower(), f"{after} is no page of {scope}"
                start = int(at)
            inside = scope.lower().rstrip("/") + "/"
            listed = [one for one in self._kept.values() if is_listed(one.id.lower(), inside)]
            end = start + self.page_size
            page = tuple(
                Sighting(one.id, one.type, one.changed_at, one.created_at)
                for one in listed[start:end]
            )
            more = len(listed) > end
            return SightingsPage(page, f"{scope}/resources?$skiptoken={end}" if more else None)

    def api_version(self, subscription_id: str, resource_type: str) -> str | None:
        """Return the newest version that was used of a type, or said by ``retire``."""
        with (
            self.faults.around("arm.api_version", f"{subscription_id}/{resource_type}"),
            self._lock,
        ):
            return self._newest.get(resource_type.lower())

    def delete_resource(self, resource_id: str, api_version: str) -> None:
        """Delete a resource and what is below it, after ``deletion_s``; locks forbid it.

        What is no resource is a defect of the caller (AssertionError).
        """
        with self.faults.around("arm.delete_resource", resource_id), self._lock:
            self._settle()
            assert "/providers/" in resource_id.lower(), f"{resource_id} is no resource"
            self._check_version(resource_id, api_version)
            self.deletions.append(resource_id)
            if resource_id.lower() not in self._kept:
                return
            self._check_deletion(resource_id)
            gone_at = self._clock.now() + timedelta(seconds=self.deletion_s)
            for key in self._below(resource_id):
                kept = self._kept[key]
                kept.gone_at = kept.gone_at or gone_at
            self._note(resource_id, "delete", "plumbline")
            self._settle()

    # ---- the script ------------------------------------------------------------------------

    def only_registered(self, *namespaces: str) -> None:
        """Let only these resource providers be registered from now on."""
        self._registered = {name.lower(): self._clock.now() for name in namespaces}

    def make(
        self,
        resource_id: str,
        body: Mapping[str, Any],
        *,
        caller: str = HAND,
        api_version: str = _VERSION,
    ) -> None:
        """Create a resource by hand, or put it anew."""
        with self._lock:
            self._settle()
            self._write(resource_id, {**body, "id": resource_id}, api_version, caller)

    def change(
        self, resource_id: str, edit: Callable[[dict[str, Any]], None], *, caller: str = HAND
    ) -> None:
        """Change a resource behind everybody's back."""
        with self._lock:
            self._settle()
            kept = self._kept[resource_id.lower()]
            body = copy.deepcopy(dict(kept.body))
            edit(body)
            self._write(kept.id, body, None, caller)

    def remove(self, resource_id: str, *, caller: str = HAND) -> None:
        """Delete a resource or a group by hand, at once, with everything below it."""
        with self._lock:
            self._settle()
            if resource_id.lower() in self._kept or resource_id.lower() in self.groups:
                self._note(resource_id, "delete", caller)
            for key in self._below(resource_id):
                del self._kept[key]
            self.groups.pop(resource_id.lower(), None)

    def lock_scope(self, scope: str, name: str = "keep") -> None:
        """Let nothing be deleted in a group or of a resource from now on."""
        self._locks[scope.lower()] = name

    def unlock_scope(self, scope: str) -> None:
        """Take away the lock of a group or resource."""
        self._locks.pop(scope.lower())

    def attach(self, resource_id: str, to: str) -> None:
        """Let ``to`` not be deleted as long as ``resource_id`` is there."""
        self._attached.setdefault(to.lower(), set()).add(resource_id.lower())

    def retire(self, resource_type: str, oldest: str) -> None:
        """Let ARM know a type only at ``oldest`` and what is newer."""
        self._newest[resource_type.lower()] = self._oldest[resource_type.lower()] = oldest

    # ---- looking at it ---------------------------------------------------------------------

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """What is there, by lower-case id."""
        with self._lock:
            self._settle()
            return {key: copy.deepcopy(kept.body) for key, kept in self._kept.items()}

    # ---- inside ----------------------------------------------------------------------------

    def _settle(self) -> None:
        """Let what has been deleted be gone."""
        now = self._clock.now()
        for key in [
            key for key, one in self._kept.items() if one.gone_at is not None and one.gone_at <= now
        ]:
            del self._kept[key]

    def _write(
        self,
        resource_id: str,
        body: Mapping[str, Any],
        api_version: str | None,
        caller: str,
        *,
        at: datetime | None = None,
        correlation_id: str | None = None,
    ) -> None:
        key, kind, now = resource_id.lower(), type_of(resource_id), at or self._clock.now()
        before = self._kept.get(key)
        created_at = now if before is None else before.created_at
        self._kept[key] = Kept(resource_id, kind, copy.deepcopy(body), created_at, now)
        if api_version is not None:
            self._newest[kind.lower()] = max(self._newest.get(kind.lower(), ""), api_version)
        self._note(resource_id, "write", caller, at=now, correlation_id=correlation_id)

    def _note(
        self,
        resource_id: str,
        verb: str,
        caller: str,
        *,
        at: datetime | None = None,
        correlation_id: str | None = None,
    ) -> None:
        now = at or self._clock.now()
        self.writes.append(
            Write(
                id=f"write-{len(self.writes) + 1}",
                resource_id=resource_id,
                operation=f"{type_of(resource_id)}/{verb}",
                at=now,
                seen_at=now,
                correlation_id=correlation_id,
                caller=caller,
            )
        )

    def _below(self, resource_id: str) -> list[str]:
        top = resource_id.lower()
        return [key for key in self._kept if key == top or key.startswith(top + "/")]

    def _check_deletion(self, resource_id: str) -> None:
        key = resource_id.lower()
        for scope, name in self._locks.items():
            if key == scope or key.startswith(scope + "/"):
                lock = f"{scope}/providers/Microsoft.Authorization/locks/{name}"
                message = (
                    f"The scope '{resource_id}' cannot perform delete operation because following"
                    f" scope(s) are locked: '{lock}'."
                )
                problem = flatten({"code": "ScopeLocked", "message": message})
                raise Stalled(problem.code, problem.message, hint=problem.hint)
        if any(other in self._kept for other in self._attached.get(key, ())):
            raise Transient("Conflict", f"{resource_id} is in use")

    def _check_version(self, resource_id: str, api_version: str) -> None:
        kind = type_of(resource_id)
        if api_version < self._oldest.get(kind.lower(), ""):
            message = f"No registered provider found for API version '{api_version}' of '{kind}'."
            raise Stalled("NoRegisteredProviderFound", message)

    def _refuse_scope(self, request: DeploymentRequest) -> None:
        if not self._group_is_there(request.id):
            group = request.id.split("/")[4]
            message = f"Resource group '{group}' could not be found."
            problem = flatten({"code": "ResourceGroupNotFound", "message": message})
            raise Stalled(problem.code, problem.message, hint=problem.hint, detail=problem.detail)

    def _refuse_template(self, request: DeploymentRequest) -> None:
        given = {name.lower() for name in request.parameters}
        for name, declared in dict(request.template.get("parameters", {})).items():
            if "defaultValue" not in declared and name.lower() not in given:
                message = f"Deployment template validation failed: '{name}' has no value."
                raise Refused(flatten({"code": "InvalidTemplate", "message": message}))
        resources, _ = planned_resources(request.template, request.scope, request.id)
        for resource in resources:
            namespace = resource.type.split("/")[0]
            if not self._is_registered(namespace):
                message = f"The subscription is not registered to use namespace '{namespace}'."
                raise Unregistered(message, namespace=namespace)

    def _group_is_there(self, deployment_id: str) -> bool:
        scope = deployment_id.lower().rpartition("/providers/")[0]
        return "/resourcegroups/" not in scope or scope in self.groups

    def _is_registered(self, namespace: str) -> bool:
        if self._registered is None or namespace.lower() in _ALWAYS_REGISTERED:
            return True
        ready = self._registered.get(namespace.lower())
        return ready is not None and ready <= self._clock.now()


def type_of(resource_id: str) -> str:
    """Return the type of what an id names; a group's is ARM's own name for it."""
    path = resource_id.replace("/Providers/", "/providers/").rpartition("/providers/")[2]
    if path == resource_id or not path:
        return "Microsoft.Resources/subscriptions/resourceGroups"
    namespace, *rest = path.split("/")
    return "/".join([namespace, *rest[::2]])


def is_listed(key: str, inside: str) -> bool:
    """Tell whether a lower-case id stands at the top, below the id ``inside`` that ends in /."""
    if not key.startswith(inside):
        return False
    _, *paths = key.split("/providers/")
    return len(paths) == 1 and paths[0].count("/") == 2
