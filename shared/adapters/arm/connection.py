"""What every part of the Arm port stands on: the SDK's clients, single attempts, ARM's limits.

One method is one attempt: the SDK's retries, its automatic provider registration (which sleeps),
redirects and logging are not in the pipeline at all.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineResponse

from shared.adapters.arm.exchange import Exchange, attempt
from shared.adapters.arm.failures import Effect, translated
from shared.adapters.arm.pipeline import Account, ArmEndpoint, Clients
from shared.core.budget import Kind as BudgetKind
from shared.ports import CallsLeft, Clock, Ids


class Connection:
    """A connection to ARM. Thread-safe; clients are made on first use and kept.

    ``on_call`` is told the kind of each HTTP request (``deployment.put``). ``close`` when done.
    Raises Stalled at once for an endpoint that is not https or a ``ca_file`` that is not there.
    """

    def __init__(
        self,
        endpoint: ArmEndpoint,
        credential: TokenCredential,
        clock: Clock,
        ids: Ids,
        *,
        user_agent: str = "plumbline",
        on_call: Callable[[str], None] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._count = on_call or _uncounted
        self._remaining: dict[str, dict[str, int]] = {}
        self._said: dict[tuple[str, BudgetKind], CallsLeft] = {}
        self._versions: dict[tuple[str, str], Mapping[str, str]] = {}
        self._lock = threading.Lock()
        self._clients = Clients(endpoint, credential, user_agent, self._account(ids))

    def left(self, subscription: str, kind: BudgetKind) -> CallsLeft | None:
        """Return what the newest answer said; see ports.ArmLimits."""
        with self._lock:
            return self._said.get((subscription, kind))

    def subscriptions(self) -> Sequence[str]:
        """Return the subscriptions that were spoken of."""
        with self._lock:
            return sorted({subscription for subscription, _ in self._said})

    @property
    def remaining(self) -> Mapping[str, Mapping[str, int]]:
        """What ARM last said is left before it throttles: subscription -> name -> calls."""
        with self._lock:
            return {subscription: dict(left) for subscription, left in self._remaining.items()}

    def close(self) -> None:
        """Close the connections; the object is of no use afterwards."""
        self._clients.close()

    @contextmanager
    def _attempt(
        self, kind: str, *, effect: Effect = "none", timeout_s: float | None = None
    ) -> Iterator[Exchange]:
        limit_s = timeout_s or self._endpoint.timeout_s
        with attempt(kind, self._clock, limit_s) as exchange:
            try:
                yield exchange
            except (AzureError, ValueError, RecursionError) as error:
                raise translated(error, exchange, self._clock.now(), effect=effect) from error

    def _account(self, ids: Ids) -> Account:
        return Account(ids.new, self._count, self.heard)

    def heard(self, subscription: str, left: Mapping[str, int]) -> None:
        """Keep what ARM said is left of a subscription's calls, whoever it was that it told."""
        with self._lock:
            self._remaining.setdefault(subscription, {}).update(left)
            for kind, name in _KINDS.items():
                if name in left:
                    said = CallsLeft(left[name], self._clock.monotonic())
                    self._said[subscription.lower(), kind] = said


_KINDS: Mapping[BudgetKind, str] = {
    "reads": "subscription-reads",
    "writes": "subscription-writes",
}


def _uncounted(_kind: str) -> None:
    """Nobody counts."""


def body_of(response: PipelineResponse[Any, Any], _model: Any, _headers: Any) -> Any:
    """Take ARM's own JSON instead of the SDK's model, which drops what it does not know."""
    return response.http_response.json()


def object_of(body: Any) -> Mapping[str, Any]:
    """Return a body that is a JSON object; raises ValueError for any other."""
    if not isinstance(body, Mapping):
        raise ValueError("the answer is not a JSON object")  # noqa: TRY004 - an unreadable answer
    return body


@contextmanager
def accepted(exchange: Exchange) -> Iterator[None]:
    """Let an accepted request be one whose Retry-After is a date: the SDK reads only numbers."""
    try:
        yield
    except ValueError:
        if getattr(exchange.response, "status_code", None) != HTTPStatus.ACCEPTED:
            raise
