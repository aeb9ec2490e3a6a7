"""Looks at running releases, of which one listing of a scope serves many (rule 9).

A worker has one, because the looks of all its invocations are what a listing is shared by. ``watch``
calls it; what a listing may say is decided in core.looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Final, Protocol

from shared import events
from shared.core import looks
from shared.core.arm_model import Deployment
from shared.core.errors import Stalled, Transient
from shared.core.looks import Listing, Scope
from shared.core.names import scope_of
from shared.core.record import Attempt
from shared.ports import Clock, Log

PATIENCE_S: Final = 1.0
"""How long a look waits for a listing that another one asked for, before it goes by itself."""


class Looked(Protocol):
    """The part of the port Arm that a look needs."""

    def deployment(self, deployment_id: str) -> Deployment | None:
        """See ports.Arm."""
        ...

    def running(self, scope: str) -> Sequence[Deployment]:
        """See ports.Arm."""
        ...


@dataclass
class _Flight:
    """A listing under way: ``listing`` is what came of it once it has ``landed``, None if nothing."""

    asked_at: float
    landed: Event = field(default_factory=Event)
    listing: Listing | None = None


@dataclass
class WorkerLooks:
    """One worker's looks, by scope; several workers have one each. Thread-safe."""

    arm: Looked
    clock: Clock
    log: Log
    _scopes: dict[str, Scope] = field(default_factory=dict)
    _listings: dict[str, Listing] = field(default_factory=dict)
    _flights: dict[str, _Flight] = field(default_factory=dict)
    _tidied_at: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def look(
        self, deployment_id: str, attempt: Attempt, *, alone: bool = False
    ) -> Deployment | None:
        """Return the deployment; see ports.ArmLooks. Waits a moment for a listing under way."""
        listing = None if alone else self._listing(deployment_id)
        found = looks.still_runs(listing, deployment_id, attempt) if listing is not None else None
        if found is None:
            found = self.arm.deployment(deployment_id)
        key = looks.scope_key(deployment_id)
        with self._lock:
            now = self.clock.monotonic()
            self._tidy(now)
            self._scopes[key] = looks.noted(self._scope(key), deployment_id, found, now)
        return found

    def _listing(self, deployment_id: str) -> Listing | None:
        """Return a listing for this look: a fresh one, one that another asked for, or its own."""
        key = looks.scope_key(deployment_id)
        with self._lock:
            now = self.clock.monotonic()
            kept = self._listings.get(key)
            if kept is not None and looks.is_fresh(kept, now):
                return kept
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                if not looks.is_worth_listing(self._scope(key), now):
                    return None
                flight = self._flights[key] = _Flight(now)
        if leads:
            self._fly(flight, key, scope_of(deployment_id))
        else:
            # A moment only: a listing that is slow must not keep the threads of the worker.
            flight.landed.wait(PATIENCE_S)
        return flight.listing

    def _fly(self, flight: _Flight, key: str, scope: str) -> None:
        """List what runs in a scope for everybody who waits; whatever happens they go on."""
        try:
            flight.listing = looks.listed(self.arm.running(scope), flight.asked_at)
        except (Transient, Stalled) as e:
            # The look goes on by itself, and raises what is still wrong then.
            self.log(events.LISTING_FAILED, scope=scope, reason=e.reason)
        finally:
            with self._lock:
                del self._flights[key]
                if flight.listing is not None:
                    self._listings[key] = flight.listing
                else:
                    now = self.clock.monotonic()
                    self._scopes[key] = looks.noted_failure(self._scope(key), now)
            flight.landed.set()

    def _scope(self, key: str) -> Scope:
        return self._scopes.get(key, looks.UNKNOWN)

    def _tidy(self, now: float) -> None:
        """Forget scopes in which nothing has run for long, so that memory does not grow."""
        if now - self._tidied_at < looks.SEEN_S:
            return
        self._tidied_at = now
        for key in [k for k, one in self._scopes.items() if looks.is_forgotten(one, now)]:
            del self._scopes[key]
        for key in [k for k, one in self._listings.items() if not looks.is_fresh(one, now)]:
            del self._listings[key]
