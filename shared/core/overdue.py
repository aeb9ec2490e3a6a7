"""What the sweep starts: everything whose time has come, from listings alone (rules 1 and 8)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.core import names
from shared.core.document import from_text
from shared.core.message import Queue
from shared.core.tip import Tip, is_copied, leavers, wishes

Listing = Iterable[tuple[str, Mapping[str, str]]]
"""Names of records and their facts."""

DELIVERY_PATIENCE: Final = timedelta(seconds=20)
"""How long a delivery may stay unanswered before the sweep asks for a sync."""


@dataclass(frozen=True)
class Errand:
    """One message that somebody lost or nobody sent yet."""

    queue: Queue
    repository: str
    stack: str | None = None


def _moment(facts: Mapping[str, str], key: str) -> datetime | None:
    text = facts.get(key)
    try:
        return from_text(text) if text else None
    except ValueError:
        return None


def stack_errands(listed: Listing, now: datetime, limit: int) -> list[Errand]:
    """Return the errands of stacks that are due, most overdue first, at most ``limit``. Pure.

    A stack that somebody works on is left alone until its hold has run out.
    """
    due: list[tuple[datetime, Errand]] = []
    for name, facts in listed:
        identity = names.identity_of_record(name)
        at = _moment(facts, "due_at")
        busy = _moment(facts, "busy_until")
        if identity is None or at is None or at > now or (busy is not None and busy > now):
            continue
        repository, stack = identity
        due.append((at, Errand(_queue(facts), repository, stack)))
        if "snapshot" in facts.get("owed", "").split(","):
            due.append((at, Errand("snapshot", repository, stack)))
    due.sort(key=lambda item: item[0])
    return [errand for _, errand in due[:limit]]


def _queue(facts: Mapping[str, str]) -> Queue:
    return "watch" if facts.get("phase") == "releasing" else "release"


def repository_errand(
    repository: str, tip: Tip | None, listed: Listing, now: datetime
) -> Errand | None:
    """Return a sync for a repository that is due, dirty or not copied into its records. Pure."""
    errand = Errand("sync", repository)
    if tip is None:
        return errand
    if tip.busy_until is not None and tip.busy_until > now:
        return None
    if tip.due_at is None or tip.due_at <= now:
        return errand
    known = {
        identity[1]: facts
        for name, facts in listed
        if (identity := names.identity_of_record(name)) is not None and identity[0] == repository
    }
    stale = any(
        not is_copied(known.get(name, {}), wanted)
        for name, wanted in wishes(tip, tip.sync_seq).items()
    )
    return errand if stale or leavers(tip, known) else None
