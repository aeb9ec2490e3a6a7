"""The timeout of a stack's releases: when one has run for too long, and what is said of it then.

It is the manifest's policy (``timeout: 90m``), and no more than the operator's ceiling; the newest
counts, for the release under way, too. It is measured from the last intent, in the storage server's time, so that no worker's clock matters.
All are pure.
"""

from datetime import datetime, timedelta

import msgspec

from shared.core.problem import Problem
from shared.core.record.model import Record


def limit_s(record: Record, ceiling_s: int | None) -> int | None:
    """Return how many seconds a release may run: the ceiling holds whatever was copied before it.

    A stack that Git has given up, or that cannot be compiled, keeps the timeout that it had.
    """
    known = [seconds for seconds in (record.timeout_s, ceiling_s) if seconds is not None]
    return min(known, default=None)


def is_overrun(record: Record, at: datetime, ceiling_s: int | None = None) -> bool:
    """Tell whether the release under way has run for longer than the stack and a ceiling allow.

    What was decided stays: a timeout that is longer since does not undo a cancel.
    """
    under_way = record.in_flight
    if under_way is None or record.timed_out_s is not None:
        return under_way is not None
    since = record.intended_at or under_way.at
    allowed_s = limit_s(record, ceiling_s)
    return allowed_s is not None and at - since > timedelta(seconds=allowed_s)


def timed_out(
    record: Record, at: datetime, rest: timedelta, ceiling_s: int | None = None
) -> Record:
    """Write down that the release under way is to be canceled, before ARM is asked to (rule 6).

    One that was given more time meanwhile is left alone. It is looked at again after ``rest``.
    """
    allowed_s = limit_s(record, ceiling_s)
    if allowed_s is None or not is_overrun(record, at, ceiling_s):
        return record
    return msgspec.structs.replace(
        record,
        timed_out_s=allowed_s,
        problem=overrun(allowed_s),
        due_at=at + rest,
    )


def overrun(timeout_s: int) -> Problem:
    """Return what is shown of a release until ARM has ended it."""
    return Problem(
        code="ReleaseTimedOut",
        message=f"The release has run for longer than its time limit of {said(timeout_s)}, "
        "and ARM is asked to cancel it.",
        hint="Wait until ARM has: it starts nothing more, and finishes what it is at.",
    )


def canceled(timeout_s: int, ran_s: float) -> Problem:
    """Return why a release was canceled that ran for ``ran_s`` seconds until its end."""
    return Problem(
        code="ReleaseTimedOut",
        message=f"The release was canceled after {said(ran_s)}: its time limit is "
        f"{said(timeout_s)}.",
        hint="What it had done by then stays, and it is not tried again by itself: look at what took "
        "so long in the deployment's operations, then order retry, or push a change of the stack.",
    )


def said(seconds: float) -> str:
    """Return a time as the manifest would say it, to the minute."""
    minutes = int(seconds) // 60
    return f"{minutes // 60}h" if minutes and minutes % 60 == 0 else f"{minutes}m"
