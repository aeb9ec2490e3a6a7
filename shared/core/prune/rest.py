"""Whether a repository is at rest: prune is the last wave of a revision (rule 15). All are pure.

Told from the tip and from facts in a listing alone, so that the sweep can tell it, too.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from shared.core import names
from shared.core.document import from_text
from shared.core.record.facts import follows_mark
from shared.core.tip import Tip, is_copied, wishes

Facts = Mapping[str, str]

SOON: Final = timedelta(minutes=2)
"""A dependent whose next deletion is further away holds nobody up."""


def unrest(tip: Tip | None, listed: Mapping[str, Facts]) -> str | None:
    """Return why nothing may be deleted in a repository yet; None when it is at rest.

    ``listed`` are the facts of its records by stack. At rest, every stack of the tip is applied at
    what the tip wants, after the newest releases of those that it depends on, and none has failed.
    """
    if tip is None or tip.revision is None or tip.visit is None:
        return "no revision is known"
    if tip.dirty or tip.dirty_again or tip.busy_until is not None or tip.forced:
        return "a push is on its way"
    if tip.visit.unreadable:
        return "the manifest cannot be read"
    if tip.broken:
        return f"{min(tip.broken)} cannot be compiled"
    for name, wanted in wishes(tip, tip.sync_seq).items():
        facts = listed.get(name, {})
        if not is_copied(facts, wanted) or not _is_steady(facts):
            return f"{name} is not at what the tip wants"
        if facts.get("follows", "") != _newest(wanted.waits_for, listed):
            return f"{name} has not followed those that it depends on"
    running = [name for name, facts in listed.items() if "running" in facts]
    return f"a release of {min(running)} has not ended" if running else None


def _is_steady(facts: Facts) -> bool:
    settled = facts.get("phase") == "steady" and "running" not in facts and "broken" not in facts
    told = "dependents" not in facts.get("owed", "").split(",")
    return settled and told and facts.get("applied") == facts.get("generation")


def _newest(waits_for: tuple[str, ...], listed: Mapping[str, Facts]) -> str:
    releases = {name: listed.get(name, {}).get("release", "") for name in waits_for}
    return follows_mark({name: release for name, release in releases.items() if release})


def by_repository(listed: Iterable[tuple[str, Facts]]) -> dict[str, dict[str, Facts]]:
    """Return the facts of all records by repository and stack."""
    found: dict[str, dict[str, Facts]] = {}
    for name, facts in listed:
        identity = names.identity_of_record(name)
        if identity is not None:
            found.setdefault(identity[0], {})[identity[1]] = facts
    return found


def goes_before(tip: Tip, stack: str, listed: Mapping[str, Facts], at: datetime) -> str | None:
    """Return a stack of the tip that depends on ``stack`` and deletes soon what left it, too."""
    waiting = {name: entry.waits_for for name, entry in tip.entries.items()}
    edge, seen = [stack], {stack}
    while edge:
        one = edge.pop()
        for name, waits_for in waiting.items():
            if one in waits_for and name not in seen:
                seen.add(name)
                edge.append(name)
    late = at + SOON
    return next((n for n in sorted(seen - {stack}) if is_due(listed.get(n, {}), late)), None)


def due(
    tips: Mapping[str, Tip | None], listed: Iterable[tuple[str, Facts]], now: datetime
) -> list[tuple[str, str]]:
    """Return the stacks, as (repository, stack), whose deletions are due in repositories at rest."""
    found = []
    for repository, here in by_repository(listed).items():
        wanted = [stack for stack, facts in here.items() if is_due(facts, now)]
        if wanted and repository in tips and unrest(tips[repository], here) is None:
            found += [(repository, stack) for stack in sorted(wanted)]
    return found


def is_due(facts: Facts, at: datetime) -> bool:
    """Tell whether a stack has something to delete by then."""
    text = facts.get("prune_at")
    try:
        return text is not None and from_text(text) <= at
    except ValueError:
        return False
