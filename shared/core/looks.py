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

ALONE_EVERY: Final = 10
"""So often a release is looked at by itself, whatever listings say.

A listing that would not let go of what has ended could otherwise keep a release for ever. The chain of
messages counts, and not a worker: of several workers each sees a release only now and then.
"""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker knows of one scope; times are seconds on its monotonic clock.

    ``running`` has when deployments were last seen running, by folded id.
    """

    running: Mapping[str, float] = msgspec.field(default_factory=dict)
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
    return sum(now - seen <= SEEN_S for seen in scope.running.values()) > MOST_SINGLE


def is_fresh(listing: Listing, now: float) -> bool:
    """Tell whether a listing may serve another look. Pure."""
    return now - listing.asked_at <= FRESH_S


def is_alone(looks: int) -> bool:
    """Tell whether this look of a release's chain of messages is one by itself. Pure."""
    return looks % ALONE_EVERY == ALONE_EVERY - 1


def still_runs(listing: Listing, deployment_id: str, attempt: Attempt) -> Deployment | None:
    """Return the deployment of ``attempt`` if the listing says that it runs; None: look at it. Pure."""
    found = listing.running.get(deployment_id.lower())
    if found is None or found.state != "running" or not carries(found, attempt):
        return None
    return found


def noted(scope: Scope, deployment_id: str, found: Deployment | None, now: float) -> Scope:
    """Return the scope after a look at a release. Pure."""
    key = deployment_id.lower()
    running = {one: at for one, at in scope.running.items() if one != key and now - at <= SEEN_S}
    if found is not None and found.state == "running":
        running[key] = now
    return msgspec.structs.replace(scope, running=running)


def noted_failure(scope: Scope, now: float) -> Scope:
    """Return the scope after a listing of it failed. Pure."""
    return msgspec.structs.replace(scope, rests_until=now + REST_S)


def is_forgotten(scope: Scope, now: float) -> bool:
    """Tell whether nothing that is known of a scope matters any more. Pure."""
    return now >= scope.rests_until and all(now - seen > SEEN_S for seen in scope.running.values())
