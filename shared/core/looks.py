"""When one listing of a scope serves many looks at running releases, and what it may say. Pure.

Rule 9 of docs/architecture.md. A listing may only ever say "this release, by its tags, still runs":
what is absent, has ended or carries another release is looked at by itself. So no outcome comes from
a listing, and one that lags costs a later look and nothing else.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from shared.core import names
from shared.core.arm_model import Deployment
from shared.core.decision import carries
from shared.core.record import Attempt

MOST_SINGLE: Final = 10
"""So many running releases of one scope are looked at one by one."""

SEEN_S: Final = 60.0
"""How long a release counts as running after it was seen so: twice the longest time between looks."""

FRESH_S: Final = 2.0
"""How long a listing serves looks, counted from when ARM was asked."""

REST_S: Final = 60.0
"""How long a scope is left in peace after a listing that failed."""

BELIEVED_S: Final = 300.0
"""How long listings are believed about one release before it is looked at by itself once.

A listing that would not let go of what has ended could otherwise keep a release for ever.
"""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """When a release was last seen running, and since when only listings have said so."""

    at: float
    since: float


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker knows of one scope; times are seconds on its monotonic clock.

    ``running`` has the deployments that were seen running, by folded id.
    """

    running: Mapping[str, Seen] = msgspec.field(default_factory=dict)
    rests_until: float = 0.0


UNKNOWN: Final = Scope()
"""A scope in which nothing was looked at yet."""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What ran in a scope when ARM was asked at ``asked_at``, by folded id."""

    asked_at: float
    running: Mapping[str, Deployment]


def scope_key(deployment_id: str) -> str:
    """Return the scope that a deployment is in, folded: ids match in any casing. Pure."""
    return names.scope_of(deployment_id).lower()


def listed(found: Iterable[Deployment], asked_at: float) -> Listing:
    """Return what ARM answered as a listing. Pure."""
    return Listing(asked_at=asked_at, running={one.id.lower(): one for one in found})


def is_worth_listing(scope: Scope, now: float) -> bool:
    """Tell whether one listing is to serve the looks at this scope's releases. Pure."""
    if now < scope.rests_until:
        return False
    return sum(now - seen.at <= SEEN_S for seen in scope.running.values()) > MOST_SINGLE


def is_fresh(listing: Listing, now: float) -> bool:
    """Tell whether a listing may serve another look. Pure."""
    return now - listing.asked_at <= FRESH_S


def still_runs(
    listing: Listing, scope: Scope, deployment_id: str, attempt: Attempt
) -> Deployment | None:
    """Return the deployment of ``attempt`` if the listing says that it runs; None: look at it. Pure."""
    key = deployment_id.lower()
    found = listing.running.get(key)
    if found is None or found.state != "running" or not carries(found, attempt):
        return None
    seen = scope.running.get(key)
    if seen is not None and listing.asked_at - seen.since > BELIEVED_S:
        return None
    return found


def noted_listed(scope: Scope, deployment_id: str, now: float) -> Scope:
    """Return the scope after a listing said of a release that it runs. Pure."""
    seen = scope.running.get(deployment_id.lower())
    return _noted(scope, deployment_id, Seen(at=now, since=now if seen is None else seen.since))


def noted_single(scope: Scope, deployment_id: str, found: Deployment | None, now: float) -> Scope:
    """Return the scope after a release was looked at by itself. Pure."""
    runs = found is not None and found.state == "running"
    return _noted(scope, deployment_id, Seen(at=now, since=now) if runs else None)


def noted_failure(scope: Scope, now: float) -> Scope:
    """Return the scope after a listing of it failed. Pure."""
    return msgspec.structs.replace(scope, rests_until=now + REST_S)


def is_forgotten(scope: Scope, now: float) -> bool:
    """Tell whether nothing that is known of a scope matters any more. Pure."""
    return now >= scope.rests_until and all(now - s.at > SEEN_S for s in scope.running.values())


def _noted(scope: Scope, deployment_id: str, seen: Seen | None) -> Scope:
    running = {key: kept for key, kept in scope.running.items() if key != deployment_id.lower()}
    if seen is not None:
        running = {key: kept for key, kept in running.items() if seen.at - kept.at <= SEEN_S}
        running[deployment_id.lower()] = seen
    return msgspec.structs.replace(scope, running=running)
