"""What differs between a laptop that people watch (``--demo``) and one with the product's defaults.

The demo prints this table, so that nobody mistakes its speed for the product's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True)
class Tuning:
    """Intervals of one laptop, in seconds."""

    max_polling_s: float
    """Longest pause between two looks at an empty queue (host.json maxPollingInterval)."""
    app_settings: Mapping[str, str] = field(default_factory=dict)
    """App settings beside the product's defaults."""
    arm_knobs: Mapping[str, Any] = field(default_factory=dict)
    """Knobs of the ARM simulator: how long things take, what clients are told to wait."""

    @property
    def max_polling_interval(self) -> str:
        """``max_polling_s`` as host.json writes it: hh:mm:ss.fffffff."""
        span = timedelta(seconds=self.max_polling_s)
        whole = f"{span.seconds // 3600:02}:{span.seconds // 60 % 60:02}:{span.seconds % 60:02}"
        return f"{whole}.{span.microseconds * 10:07}" if span.microseconds else whole


# Timers are bound to these settings, so the host wants them to be there: the product's defaults.
_DEFAULTS = Tuning(
    max_polling_s=2.0,
    app_settings={
        "PLUMBLINE_SWEEP_SCHEDULE": "*/30 * * * * *",
        "PLUMBLINE_POISON_SCHEDULE": "0 * * * * *",
        "PLUMBLINE_SCAN_SCHEDULE": "0 */5 * * * *",
    },
    arm_knobs={"deployment_seconds": 0.0, "resource_seconds": 0.0, "retry_after": 0.2},
)

_DEMO = Tuning(
    max_polling_s=0.2,
    app_settings={
        "PLUMBLINE_SWEEP_SCHEDULE": "*/5 * * * * *",
        "PLUMBLINE_POISON_SCHEDULE": "*/10 * * * * *",
        "PLUMBLINE_SCAN_SCHEDULE": "*/5 * * * * *",
        "PLUMBLINE_CONFIRM_S": "20",
        "PLUMBLINE_WATCH_FIRST_S": "0.2",
        "PLUMBLINE_WATCH_MIN_S": "0.2",
        "PLUMBLINE_WATCH_MAX_S": "1",
    },
    arm_knobs={"deployment_seconds": 1.0, "resource_seconds": 0.2, "retry_after": 0.2},
)


def tuning(*, demo: bool, max_polling_s: float | None) -> Tuning:
    """Return the intervals for these options. Pure."""
    chosen = _DEMO if demo else _DEFAULTS
    if max_polling_s is None:
        return chosen
    return Tuning(max_polling_s, chosen.app_settings, chosen.arm_knobs)
