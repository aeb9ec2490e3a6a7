"""ARM's token buckets: reads, writes and deletes per principal, per subscription and tenant.

A bucket holds some tokens, each call takes one, and new ones drip in. The arithmetic is pure and
knows no clock; who calls hands in the time. `Throttle` in the knobs has the service's numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from local.arm.errors import ArmError
from local.arm.knobs import Limit, Quota, Quotas, Throttle

Kind = Literal["reads", "writes", "deletes"]
_KEPT_WAITS = 1000
_KEPT_BUCKETS = 10_000
_TICK_S = 1e-6
_BY_METHOD: dict[str, Kind] = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
_SERVICE = Throttle()
_NO_QUOTAS = Quotas()


def kind_of(method: str) -> Kind:
    """Return what a method counts as; POST actions are writes. Pure."""
    return _BY_METHOD.get(method, "writes")


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many tokens there were, and when (seconds of any steady clock)."""

    level: float
    at: float


def level(limit: Limit, bucket: Bucket | None, now: float) -> float:
    """Return the tokens in a bucket now; one never used is full. Pure."""
    size, per_second = limit
    if bucket is None:
        return size
    return min(size, bucket.level + max(now - bucket.at, 0.0) * per_second)


def wait_for(limit: Limit, tokens: float) -> int:
    """Return the whole seconds until one token is there, rounded up, at least one. Pure."""
    return max(math.ceil((1.0 - tokens) / limit[1] - 1e-9), 1)


@dataclass(frozen=True, slots=True)
class Window:
    """How many requests a provider took since a moment."""

    start: float
    used: int


def window(quota: Quota, found: Window | None, now: float) -> Window:
    """Return the window that a request falls into. Pure."""
    fits = found is not None and 0.0 <= now - found.start < quota[1]
    return found if found is not None and fits else Window(now, 0)


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, as far as the limits look at it.

    `scope` is a subscription's id, or the tenant's with `tenant`. `request_id` is what the client
    calls its operation: a retry carries the same. `namespace` is the provider's, "" for ARM's own.
    """

    scope: str
    oid: str
    kind: Kind
    request_id: str = ""
    namespace: str = ""
    tenant: bool = False


@dataclass(slots=True)
class Buckets:
    """All buckets of one cloud."""

    _buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)
    _windows: dict[tuple[str, ...], Window] = field(default_factory=dict)
    _told: dict[tuple[str, ...], float] = field(default_factory=dict)

    def clear(self) -> None:
        """Fill all buckets."""
        self._buckets.clear()
        self._windows.clear()
        self._told.clear()

    def take(self, asked: Asked, limits: Throttle | None, now: float) -> dict[str, str]:
        """Count a call and return the headers that say what is left.

        Without limits nothing is refused, and the headers count down from the service's numbers.
        Raises `ArmError` 429 with the same headers and `Retry-After`.
        """
        refusing, limits = limits is not None, limits or _SERVICE
        own: Limit = getattr(limits, asked.kind)
        shared: Limit = (own[0] * limits.global_factor, own[1] * limits.global_factor)
        keys = [(asked.scope, asked.kind, asked.oid)]
        sizes = [own]
        if not asked.tenant:
            keys.append((asked.scope, asked.kind, "*"))
            sizes.append(shared)
        levels = [
            level(size, self._buckets.get(key), now) for key, size in zip(keys, sizes, strict=True)
        ]
        lacking = next((at for at, tokens in enumerate(levels) if tokens < 1.0), None)
        wait = (*keys[0], asked.request_id)
        early = self._is_early(wait, own, levels[0], now)
        if refusing and (early or lacking is not None):
            at = lacking or 0
            seconds = wait_for(sizes[at], 0.0 if early else levels[at])
            self._tell(wait, now + seconds)
            raise refusal(asked, seconds, _headers(asked, levels), shared=at == 1)
        left = [max(tokens - 1.0, 0.0) for tokens in levels]
        self._buckets.update((key, Bucket(one, now)) for key, one in zip(keys, left, strict=True))
        while len(self._buckets) > _KEPT_BUCKETS:
            self._buckets.pop(next(iter(self._buckets)))
        self._told.pop(wait, None)
        return _headers(asked, left)

    def _is_early(self, wait: tuple[str, ...], limit: Limit, tokens: float, now: float) -> bool:
        """Return whether a retry comes before its time: it is not served, and waits anew.

        Calls without an id cannot be told apart: a neighbour must not hold up all others for
        ever, so for them the wait is over when a second's worth of tokens has dripped in.
        """
        if now + _TICK_S >= self._told.get(wait, now):
            return False
        return bool(wait[-1]) or tokens < min(max(limit[1], 2.0), limit[0])

    def _tell(self, wait: tuple[str, ...], until: float) -> None:
        self._told[wait] = until
        while len(self._told) > _KEPT_WAITS:
            self._told.pop(next(iter(self._told)))

    def take_from_provider(
        self, asked: Asked, limits: Throttle | None, now: float
    ) -> dict[str, str]:
        """Count a call to a provider and return the header that says what is left.

        Raises `ArmError` 429 ResourceRequestsThrottled.
        """
        kind: Literal["reads", "writes"] = "reads" if asked.kind == "reads" else "writes"
        name, quotas = _quotas(limits or _SERVICE, asked.namespace)
        quota: Quota | None = getattr(quotas, kind)
        if quota is None:
            return {}
        key = (asked.scope, asked.namespace.lower(), kind)
        found = window(quota, self._windows.get(key), now)
        if limits is not None and found.used >= quota[0]:
            raise provider_refusal(asked, quota, math.ceil(found.start + quota[1] - now))
        self._windows[key] = Window(found.start, found.used + 1)
        minutes = f"{quota[1] / 60:g}"
        left = max(quota[0] - found.used - 1, 0)
        policy = f"{name}/{kind.capitalize()}{minutes}Min"
        return {"x-ms-ratelimit-remaining-resource": f"{policy};{left}"}


def _quotas(limits: Throttle, namespace: str) -> tuple[str, Quotas]:
    """Return a provider's limits with its name as they spell it."""
    for name, quotas in limits.providers.items():
        if name.lower() == namespace.lower():
            return name, quotas
    return namespace, _NO_QUOTAS


def _headers(asked: Asked, levels: list[float]) -> dict[str, str]:
    scope = "tenant" if asked.tenant else "subscription"
    names = (f"{scope}-{asked.kind}", f"{scope}-global-{asked.kind}")
    return {
        f"x-ms-ratelimit-remaining-{name}": str(int(tokens))
        for name, tokens in zip(names, levels, strict=False)
    }


def refusal(
    asked: Asked, seconds: int, headers: dict[str, str], *, shared: bool = False
) -> ArmError:
    """Refuse a caller whose tokens are spent, or (`shared`) those of all principals."""
    scope = "tenant" if asked.tenant else "subscription"
    actor = f"'{asked.scope}'" if shared else f"actor '{asked.scope}:{asked.oid}'"
    return ArmError(
        429,
        f"{scope.capitalize()}RequestsThrottled",
        f"Number of '{asked.kind.removesuffix('s')}' requests for {scope} {actor} exceeded."
        f" Please try again after '{seconds}' seconds after additional tokens are available."
        " Refer to https://aka.ms/arm-throttling for additional information.",
        headers={"Retry-After": str(seconds), **headers},
    )


def provider_refusal(asked: Asked, quota: Quota, seconds: int) -> ArmError:
    """Refuse a caller who has used up what a provider takes."""
    hours, rest = divmod(int(quota[1]), 3600)
    interval = f"{hours:02}:{rest // 60:02}:{rest % 60:02}"
    seconds = max(seconds, 1)
    return ArmError(
        429,
        "ResourceRequestsThrottled",
        f"Number of '{'read' if asked.kind == 'reads' else 'write'}' requests to"
        f" '{asked.namespace}' for subscription '{asked.scope}' exceeded the limit of '{quota[0]}'"
        f" for time interval '{interval}'. Please try again after '{seconds}' seconds.",
        headers={"Retry-After": str(seconds), "x-ms-ratelimit-remaining-resource": "0"},
        gateway=False,
    )
