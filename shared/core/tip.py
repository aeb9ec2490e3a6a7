"""The tip of a followed repository: what is desired, in one document (rule 2).

``tip.json`` is changed by compare-and-swap under the fence of whoever took the repository. Records
of stacks are copies of its entries; a copy that is missing or stale is made again by any sync.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared.core import names
from shared.core.document import Document, to_text
from shared.core.policy import Policy
from shared.core.problem import Problem
from shared.core.record import HOLD, MAX_UNFINISHED, Desired, Wish, shown
from shared.core.taken import Taken
from shared.core.waves import dependents

MOST_DOUBLED: Final = 2
"""How often the hold of a repository is doubled: its syncs get three minutes at most."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one stack is at the tip.

    ``files`` maps each file that was read to its Git object id and ``spec`` is the digest of the
    manifest's entry: while both are the same, nothing needs to be read or compiled again.
    ``changed_by`` is the revision that brought this digest. ``waits_for`` names the stacks that this
    one depends on; ``takes`` maps parameters to outputs of them, ``outputs`` its own to their types.
    """

    spec: str
    files: Mapping[str, str]
    digest: str
    changed_by: str
    scope: str
    create_group: str | None = None
    waits_for: tuple[str, ...] = ()
    renamed_from: str | None = None
    takes: Mapping[str, Taken] = msgspec.field(default_factory=dict)
    outputs: Mapping[str, str] = msgspec.field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    timeout_s: int | None = None
    policy: Policy = Policy()


class Visit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the last committed sync saw: which stacks a revision changed, and which it broke."""

    revision: str
    seq: int
    changed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    unreadable: bool = False


class Deliveries(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the repository's hook does: its last delivery, and the pushes that came without one.

    ``healed`` counts revisions that a look without a delivery found: their webhook was lost. The
    last of them is ``found``: should its delivery come after all, it was only late.
    """

    last_at: datetime | None = None
    healed: int = 0
    healed_at: datetime | None = None
    healed_before: datetime | None = None
    found: str | None = None


class Tip(Document, frozen=True, kw_only=True, omit_defaults=True):
    """A repository as Plumbline knows it.

    ``problems`` are those of the manifest at the tip, ``trouble`` is what kept the last sync from
    looking. ``removed`` are stacks that left and whose resources the manifest
    wants deleted, ``prunes`` tells whether it says ``prune: true`` for all. ``recorded`` are the stacks that had records when the tip was made anew: those that a
    readable manifest does not name have left it. ``forced``: an operator wants all of it compiled
    anew. ``unfinished`` counts syncs that died; ``unanswered``: the document of the tip's
    revision may not be written yet.
    """

    repository: str
    revision: str | None = None
    sync_seq: int = 0
    fence: int = 0
    busy_until: datetime | None = None
    dirty: bool = False
    dirty_again: bool = False
    due_at: datetime | None = None
    entries: Mapping[str, Entry] = msgspec.field(default_factory=dict)
    broken: Mapping[str, tuple[Problem, ...]] = msgspec.field(default_factory=dict)
    gone: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    prunes: bool = False
    recorded: tuple[str, ...] = ()
    forced: bool = False
    problems: tuple[Problem, ...] = ()
    trouble: Problem | None = None
    unfinished: int = 0
    unanswered: bool = False
    visit: Visit | None = None
    deliveries: Deliveries = Deliveries()
    checked_at: datetime | None = None
    settings: str = ""


def anew(repository: str, listed: Iterable[tuple[str, Mapping[str, str]]]) -> Tip:
    """Return the tip of a repository that has none, over the records in a listing (rule 2). Pure.

    Its seq is that of the newest copy in a record: the next sync starts above it.
    """
    seq, stacks = 0, []
    for name, listing in listed:
        identity = names.identity_of_record(name)
        if identity is None:
            continue
        seq = max(seq, number(listing, "seq"))
        if names.is_stack_name(identity[1]):
            stacks.append(identity[1])
    return Tip(repository=repository, sync_seq=seq, recorded=tuple(sorted(stacks)))


def number(shown: Mapping[str, str], key: str) -> int:
    """Return a number in facts, 0 where there is none: somebody may have written them by hand. Pure."""
    text = shown.get(key, "")
    return int(text) if text.isascii() and text.isdigit() else 0


def facts(tip: Tip) -> dict[str, str]:
    """Return what a listing should show of a tip."""
    shown = {
        "seq": str(tip.sync_seq),
        "dirty": "1" if tip.dirty else "",
        "due_at": to_text(tip.due_at) if tip.due_at else "",
    }
    return {key: value for key, value in shown.items() if value}


def is_quiet(tip: Tip, at: datetime) -> bool:
    """Tell whether nobody asks for a look at the repository, as far as its tip knows. Pure."""
    idle = tip.busy_until is None and not tip.dirty
    return idle and tip.due_at is not None and tip.due_at > at


def take(tip: Tip, at: datetime) -> Tip:
    """Take the repository: fence and seq rise, and it is dirty until the sync is committed."""
    return msgspec.structs.replace(
        tip,
        fence=tip.fence + 1,
        sync_seq=tip.sync_seq + 1,
        busy_until=at + _hold(tip),
        due_at=at + _hold(tip),
        dirty=True,
        dirty_again=False,
        unfinished=tip.unfinished + 1,
    )


def _hold(tip: Tip) -> timedelta:
    """Return how long a sync keeps the repository: longer when the ones before did not end.

    A sync that takes longer than its hold is overtaken, and looks like one that died. The next has
    twice the time, up to a limit: a repository that takes minutes to read comes to its end, and
    workers that really die are told after a while.
    """
    doublings = min(tip.unfinished, MOST_DOUBLED)
    return HOLD * (1 << doublings)


def extend(tip: Tip) -> Tip:
    """Keep the repository for another while beyond the one that was taken."""
    until = tip.busy_until + HOLD if tip.busy_until is not None else None
    return msgspec.structs.replace(tip, busy_until=until, due_at=until)


def mark_dirty(tip: Tip) -> Tip:
    """Note that another push came while somebody syncs: they look again when they are done."""
    return msgspec.structs.replace(tip, dirty_again=True)


def heard(before: Deliveries, announced: Mapping[str, datetime], *, new: str | None) -> Deliveries:
    """Return how the hook does after a sync. Pure.

    ``announced`` are the revisions of pending deliveries and when they came; ``new`` is the revision
    that this sync found and the one before did not.
    """
    times = list(announced.values()) + ([before.last_at] if before.last_at else [])
    heard_of = msgspec.structs.replace(before, last_at=max(times, default=None))
    if before.found is not None and before.found in announced:
        heard_of = msgspec.structs.replace(
            heard_of, healed=before.healed - 1, healed_at=before.healed_before, found=None
        )
    if new is not None and new not in announced:
        heard_of = msgspec.structs.replace(heard_of, healed=heard_of.healed + 1, found=new)
    return heard_of


def commit(tip: Tip, *, seen: Tip, deliveries: Deliveries, at: datetime, poll: timedelta) -> Tip:
    """Commit what a sync found, in one write.

    Stays dirty when a push came since it was taken. Stays forced when a rebuild was ordered since, or
    when ``seen`` says so: there was no manifest to read.
    """
    if deliveries.healed > tip.deliveries.healed:
        before = tip.deliveries.healed_at
        deliveries = msgspec.structs.replace(deliveries, healed_at=at, healed_before=before)
    again = seen.forced or (tip.forced and tip.dirty_again)
    return msgspec.structs.replace(
        tip,
        revision=seen.revision,
        entries=seen.entries,
        broken=seen.broken,
        gone=seen.gone,
        removed=seen.removed,
        prunes=seen.prunes,
        recorded=tip.recorded if again else seen.recorded,
        forced=again,
        problems=seen.problems,
        visit=seen.visit,
        settings=seen.settings,
        trouble=None,
        unfinished=0,
        unanswered=seen.revision != tip.revision,
        deliveries=deliveries,
        checked_at=at,
        busy_until=None,
        dirty=tip.dirty_again,
        dirty_again=False,
        due_at=at if tip.dirty_again else at + poll,
    )


def give_back(tip: Tip, *, due_at: datetime, problem: Problem | None) -> Tip:
    """Let the repository go without a result; it stays dirty and is due at ``due_at``."""
    return msgspec.structs.replace(
        tip,
        busy_until=None,
        dirty=True,
        dirty_again=False,
        unfinished=0,
        due_at=due_at,
        trouble=problem or tip.trouble,
    )


def give_up(tip: Tip, *, due_at: datetime, problem: Problem) -> Tip:
    """Let a repository go over which sync after sync has died; one more is tried at a time."""
    left = give_back(tip, due_at=due_at, problem=problem)
    return msgspec.structs.replace(left, unfinished=MAX_UNFINISHED - 1)


def wishes(tip: Tip, seq: int) -> dict[str, Wish]:
    """Return what the tip says of each of its stacks. Pure."""
    waited_for = dependents({name: entry.waits_for for name, entry in tip.entries.items()})
    good = {
        name: Wish(
            seq=seq,
            desired=Desired(revision=entry.changed_by, digest=entry.digest),
            scope=entry.scope,
            create_group=entry.create_group,
            problems=(),
            warnings=entry.warnings,
            waits_for=entry.waits_for,
            takes=entry.takes,
            dependents=waited_for.get(name, ()),
            renamed_from=entry.renamed_from,
            timeout_s=entry.timeout_s,
            policy=entry.policy,
        )
        for name, entry in tip.entries.items()
        if name not in tip.broken
    }
    bad = {
        name: Wish(seq=seq, desired=None, problems=problems)
        for name, problems in tip.broken.items()
    }
    return good | bad


def is_copied(listed: Mapping[str, str], wanted: Wish) -> bool:
    """Tell from a record's facts whether the record already says what the tip says. Pure."""
    if "orphaned" in listed or listed.get("shown") != shown(wanted):
        return False
    return wanted.desired is None or listed.get("digest") == wanted.desired.digest


def leavers(tip: Tip, listed: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """Return the stacks whose records do not say yet that they left, or whether for good. Pure.

    ``listed`` are the facts of the repository's records by stack. What a stack left behind in another
    scope is orphaned by itself, and ``removed`` may name it.
    """
    here = {*tip.entries, *tip.broken}
    return tuple(
        name
        for name, facts in listed.items()
        if name not in here
        and (
            facts.get("removed", "") != _removed(tip, name, facts)
            if "orphaned" in facts
            else name in tip.gone
        )
    )


def _removed(tip: Tip, name: str, facts: Mapping[str, str]) -> str:
    """Return what an orphaned stack's facts shall say of ``removed``, as ``record.facts`` does."""
    if name not in tip.removed or "moved" in facts:
        return ""
    return "1" if tip.prunes or "prune" in facts else "off"
