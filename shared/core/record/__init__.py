"""The record of a stack, and every way in which it may change.

One document per stack, changed by compare-and-swap only (docs/architecture.md, rule 4). Two kinds of
writers share it. *Sync* owns what is desired and may write at any time. The *holder*, who took the
stack and so raised the fence, owns what was attempted and applied, the phase, and what is owed.
Each function here is one change: it takes the newest record and returns the next, so that it can
be applied again when a compare-and-swap was lost. All are pure.
"""

from shared.core.record.model import (
    BLOCKED_RETRY,
    HOLD,
    MAX_TRANSIENT_ATTEMPTS,
    MAX_UNFINISHED,
    OWED_RETRY,
    ROTATION,
    SLOW,
    STALLED_RETRY,
    VERIFY_AFTER,
    Applied,
    Attempt,
    Desired,
    Outcome,
    Phase,
    Record,
    facts,
)
from shared.core.record.turns import (
    accepted,
    answer_lost,
    blocked,
    catch_up,
    ended,
    intend,
    is_slow,
    later,
    looked_after,
    next_attempt,
    overtaken,
    paid,
    quiet,
    refused,
    settled,
    stalled,
    succeeded,
    told,
)
from shared.core.record.wishes import Wish, orphan, shown, wish

__all__ = [
    "BLOCKED_RETRY",
    "HOLD",
    "MAX_TRANSIENT_ATTEMPTS",
    "MAX_UNFINISHED",
    "OWED_RETRY",
    "ROTATION",
    "SLOW",
    "STALLED_RETRY",
    "VERIFY_AFTER",
    "Applied",
    "Attempt",
    "Desired",
    "Outcome",
    "Phase",
    "Record",
    "Wish",
    "accepted",
    "answer_lost",
    "blocked",
    "catch_up",
    "ended",
    "facts",
    "intend",
    "is_slow",
    "later",
    "looked_after",
    "next_attempt",
    "orphan",
    "overtaken",
    "paid",
    "quiet",
    "refused",
    "settled",
    "shown",
    "stalled",
    "succeeded",
    "told",
    "wish",
]
