"""The simulator's time (real time plus an offset that a test may move) and its guids."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta

_SEED = uuid.UUID("8f1c7a0e-5d1b-4b59-9a6e-2f7f0a4f6f11")


class Clock:
    """Says what time it is for everything a client can see."""

    def __init__(self, offset_seconds: float = 0.0) -> None:
        self.offset_seconds = offset_seconds

    def now(self) -> datetime:
        """Return the simulated time, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.offset_seconds)

    def seconds(self) -> float:
        """Return simulated seconds that never run backwards by themselves, from any start."""
        return time.monotonic() + self.offset_seconds


def stamp(moment: datetime) -> str:
    """Write a time as ARM does: seven digits after the second. Pure."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "0Z"


def read_stamp(text: str) -> datetime:
    """Read what `stamp` wrote. Pure."""
    return datetime.fromisoformat(text[:-2]).replace(tzinfo=UTC)


def duration(seconds: float) -> str:
    """Write a length of time in ISO 8601, as in PT1M27.05S. Pure."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    head = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes or hours else "")
    return f"PT{head}{rest:.7f}".rstrip("0").rstrip(".") + "S"


def guid_for(*parts: str) -> str:
    """Return the guid that belongs to these words; the same words give the same guid. Pure."""
    return str(uuid.uuid5(_SEED, "|".join(parts).lower()))


def new_guid() -> str:
    """Return a guid never seen before."""
    return str(uuid.uuid4())
