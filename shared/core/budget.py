"""How many calls ARM still takes, and who has to wait for the next one (docs/architecture.md, part 9). Pure.

ARM counts calls in token buckets for each subscription and principal, and says with every answer
what is left (Microsoft's page on throttling: reads 250 and 25 per second, writes and deletes 200
and 10). What is left now follows from what it said last, the time since, and what was asked since.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

Kind = Literal["reads", "writes"]
Purpose = Literal["release", "snapshot", "scan"]


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A bucket: how many tokens it holds, and how many drip into it per second."""

    size: float
    per_s: float


RATES: Final[Mapping[Kind, Rate]] = {
    "reads": Rate(size=250, per_s=25),
    "writes": Rate(size=200, per_s=10),
}

RESERVES: Final[Mapping[Purpose, float]] = {"release": 20, "snapshot": 100, "scan": 125}
"""What each leaves in the bucket, unless the operator says otherwise: releases go first, and what may wait leaves them the most.

The reserve also keeps several workers from emptying a bucket between two answers: the lower it gets
the longer each of them waits, so that they end at the rate together.
"""


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one bucket; times are seconds on the worker's monotonic clock.

    ``left`` is what ARM said at ``at``, less what was taken since. Until ``next_at`` those who came
    before have the tokens that will drip in.
    """

    left: float
    at: float
    next_at: float = 0.0


def told(bucket: Bucket | None, left: int, at: float) -> Bucket:
    """Return the bucket after an answer that said how many calls are left. Pure."""
    next_at = bucket.next_at if bucket is not None else 0.0
    return Bucket(left=left, at=at, next_at=next_at)


def estimate(bucket: Bucket, kind: Kind, now: float) -> float:
    """Return how many tokens there should be now. Pure."""
    rate = RATES[kind]
    return min(rate.size, bucket.left + rate.per_s * max(0.0, now - bucket.at))


def ask(
    bucket: Bucket | None,
    kind: Kind,
    purpose: Purpose,
    now: float,
    *,
    reserves: Mapping[Purpose, float] = RESERVES,
    calls: int = 1,
) -> tuple[Bucket | None, float]:
    """Return the bucket after asking for some calls, and how many seconds to wait for them. Pure.

    0 means now. As long as ARM has said nothing there is nothing to wait for. Those who must wait
    get times of their own, one after the other, so that they do not come back all at once.
    ``reserves`` is what each purpose leaves to others.
    """
    if bucket is None:
        return None, 0.0
    rate, reserve = RATES[kind], reserves[purpose]
    there = estimate(bucket, kind, now)
    if there - reserve >= calls:
        taken = msgspec.structs.replace(bucket, left=there - calls, at=now)
        return taken, 0.0
    at = max(now + (reserve + calls - there) / rate.per_s, bucket.next_at)
    return msgspec.structs.replace(bucket, next_at=at + calls / rate.per_s), at - now
