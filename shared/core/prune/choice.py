"""Which of what left is deleted, in which order, and whether somebody has to approve it first. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from shared.core.plan import Details, Step
from shared.core.problem import Problem
from shared.core.prune.data import holds_data
from shared.core.prune.ids import is_inside
from shared.core.prune.model import Deletion, Left
from shared.core.record.model import Record
from shared.core.record.requests import Approved
from shared.core.scopes import fold
from shared.core.waves import levels


@dataclass(frozen=True)
class Choice:
    """What is done with what left: ``going`` was decided on before, ``fresh`` is new.

    ``dropped`` are ids that other stacks have now, ``kept`` those inside of which somebody has
    something. ``approval`` says why somebody has to agree to what is fresh.
    """

    going: tuple[Deletion, ...]
    fresh: tuple[Left, ...]
    dropped: tuple[str, ...]
    kept: tuple[str, ...]
    approval: str | None


def choose(
    record: Record,
    lefts: Sequence[Left],
    taken: Collection[str],
    around: Collection[str],
    *,
    owned: int,
) -> Choice:
    """Sort out what left: ``taken`` and ``around`` are folded ids that others have, or are inside of.

    ``owned`` is how many resources the stack has now.
    """
    allowed = {
        fold(one.id): one
        for one in lefts
        if fold(one.id) not in taken and fold(one.id) not in around
    }
    going = tuple(one for one in record.deleting if fold(one.id) in allowed)
    decided = {fold(one.id) for one in going}
    fresh = tuple(one for key, one in allowed.items() if key not in decided)
    return Choice(
        going=going,
        fresh=fresh,
        dropped=tuple(one.id for one in lefts if fold(one.id) in taken),
        kept=tuple(
            one.id for one in lefts if fold(one.id) not in taken and fold(one.id) not in allowed
        ),
        approval=needs_approval(record, fresh, owned=owned, of=owned + len(lefts)),
    )


def needs_approval(record: Record, fresh: Sequence[Left], *, owned: int, of: int) -> str | None:
    """Return why deleting these needs somebody's approval; None when it does not.

    ``of`` is how many resources the stack had: the delete budget is a part of them.
    """
    if not fresh:
        return None
    data = sum(holds_data(one.type) for one in fresh)
    if data:
        return f"{data} of them hold data" if data > 1 else "one of them holds data"
    if owned == 0 and not record.orphaned:
        return "nothing would be left of the stack"
    if any(one.emptied for one in fresh) and not record.orphaned:
        return "they left when the template was emptied"
    budget = max(record.policy.delete_most, record.policy.delete_percent * of // 100)
    return f"the delete budget is {budget}" if len(fresh) > budget else None


def details(record: Record, fresh: Iterable[Left]) -> Details:
    """Return what is to be approved: exactly these resources, as these releases left them.

    A release is in it, so that no approval is ever good for another time that they leave.
    """
    steps = sorted(
        (Step(resource=one.id, kind="delete", reason=_reason(record, one)) for one in fresh),
        key=lambda step: fold(step.resource),
    )
    return Details(
        kind="prune",
        repository=record.repository,
        stack=record.stack,
        source="",
        inputs="",
        steps=tuple(steps),
    )


def _reason(record: Record, one: Left) -> str:
    data = "; it holds data" if holds_data(one.type) else ""
    if record.orphaned:
        return f"the stack is removed, its last release was {one.release}{data}"
    return f"it left with the release {one.release}{data}"


def waits_problem(count: int, approval: str) -> Problem:
    """Return what is shown while somebody has to approve."""
    one = count == 1
    return Problem(
        code="PruneWaits",
        message=f"{count} resource{'' if one else 's'} would be deleted, and {approval}: "
        "nothing is until somebody approves.",
        hint="Look at GET /api/stacks/{name}/plan, and order approve if it is right.",
    )


def needed(other: str) -> Problem:
    """Return what is shown on a removed stack while another that has left, too, depends on it."""
    return Problem(
        code="PruneNeeded",
        message=f"The stack is removed after {other}, which left the manifest, too, and depends on it.",
        hint=f"Nothing, if {other} is under removed, too; else list it there, or take this one out.",
    )


def decided(
    going: Sequence[Deletion], fresh: Sequence[Left], approved: Approved | None
) -> tuple[Deletion, ...]:
    """Return all deletions with what goes before each: what is inside of it, and what depends on it."""
    new = [
        Deletion(
            id=one.id,
            type=one.type,
            release=one.release,
            api_version=one.api_version,
            after=tuple(other.id for other in fresh if one.id in other.needs),
            by=approved.by if approved else None,
            why=approved.why if approved else None,
        )
        for one in fresh
    ]
    return _without_circles([*going, *new])


def _without_circles(items: Sequence[Deletion]) -> tuple[Deletion, ...]:
    """Add what is inside of each; where a template's relations make a circle only that counts."""
    inside = {
        one.id: tuple(other.id for other in items if is_inside(other.id, one.id)) for one in items
    }
    both = {one.id: (*dict.fromkeys(inside[one.id] + one.after),) for one in items}
    after: Mapping[str, tuple[str, ...]] = both if _is_ordered(both) else inside
    return tuple(msgspec.structs.replace(one, after=after[one.id]) for one in items)


def _is_ordered(after: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether there is an order: of a circle, ``levels`` makes one last wave."""
    done: set[str] = set()
    for wave in levels(after, after):
        known = set(after)
        if any(not (set(after[one]) & known) <= done for one in wave):
            return False
        done.update(wave)
    return True
