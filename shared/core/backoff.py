"""How long a message waits before it is tried again."""

from typing import Final

FIRST_S: Final = 2.0
CAP_S: Final = 300.0


def delay_s(tries: int, retry_after_s: float | None) -> float:
    """Return the seconds to wait after the hiccup number ``tries`` (from 0).

    At least what the other side asked for; else doubling from two seconds to five minutes. Pure.
    """
    grown = min(CAP_S, FIRST_S * 2.0 ** min(tries, 16))
    return max(grown, retry_after_s or 0.0)


def look_delay_s(looks: int, *, first_s: float, least_s: float, most_s: float) -> float:
    """Return the seconds until a running release is looked at for the time ``looks`` (from 0).

    ``first_s`` at first, then from ``least_s`` to ``most_s``, half as long again each time
    (rule 9). Pure.
    """
    if looks <= 0:
        return first_s
    return min(most_s, least_s * 1.5 ** min(looks - 1, 32))
