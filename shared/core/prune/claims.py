"""Who else has a resource that is to be deleted: found in a listing, then read exactly. All are pure.

A record's facts hold a sketch of what its stack owns, and one of what that lies inside of: a network
must not go while another stack has a subnet in it. Who may have something is read; so is every stack
near it whose last attempt failed, and each one that failed attempts wrote anything for, wherever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.core import names, owners
from shared.core.owners import Identity
from shared.core.prune.ids import above, group_of
from shared.core.record.facts import UNKNOWN
from shared.core.scopes import fold

Listed = Iterable[tuple[str, Mapping[str, str]]]
"""Names of all records, of every repository, and their facts."""


@dataclass(frozen=True)
class Suspects:
    """Stacks whose records are to be read, and the ids near which a release runs now."""

    claimants: tuple[Identity, ...]
    unsafe: frozenset[str]


def suspects(identity: Identity, ids: Iterable[str], listed: Listed) -> Suspects:
    """Return who may have one of ``ids`` or something inside of it, beside the stack itself.

    What a stack left in another scope counts as another stack. ``unsafe`` ids are folded.
    """
    wanted = {fold(one): one for one in ids}
    marks = owners.marks_of(wanted)
    claimants, unsafe = [], set()
    for name, facts in listed:
        other = names.identity_of_record(name)
        if other is None or other == identity:
            continue
        near = {key for key, one in wanted.items() if _is_near(one, facts.get("scope", ""))}
        if "running" in facts:
            unsafe |= near
        # A nested deployment writes anywhere: what a failed one wrote is in its record only.
        failing = "touched" in facts or (bool(near) and facts.get("phase") != "steady")
        if failing or _may_have(facts, marks):
            claimants.append(other)
    return Suspects(tuple(claimants), frozenset(unsafe))


def _may_have(facts: Mapping[str, str], marks: frozenset[int]) -> bool:
    inside = facts.get("inside", "")
    if inside == UNKNOWN:
        return True
    return not marks.isdisjoint((*owners.marks(facts.get("owns", "")), *owners.marks(inside)))


def _is_near(resource_id: str, scope: str) -> bool:
    """Tell whether a stack's scope is the resource's group or its subscription."""
    group = fold(group_of(resource_id))
    where = fold(scope)
    return bool(where) and (group == where or group.startswith(f"{where}/"))


def is_safe(resource_id: str, unsafe: frozenset[str]) -> bool:
    """Tell whether no release runs where a resource is: it might be about to take it over."""
    return fold(resource_id) not in unsafe


def sort_out(
    ids: Iterable[str], theirs: Iterable[str], own: Iterable[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the folded ids that others have, and those inside of which somebody has something.

    ``theirs`` is what others have, ``own`` what the stack itself has and keeps.
    """
    taken = frozenset(fold(one) for one in theirs)
    around = {fold(outer) for one in (*taken, *own) for outer in above(one)}
    wanted = frozenset(fold(one) for one in ids)
    return wanted & taken, (wanted & around) - taken
