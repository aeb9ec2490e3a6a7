"""Waves: which stacks a stack waits for, and the values that it takes from them (rule 11). Pure.

Nothing here reads anything: a flow hands in the records that it read, and the outputs of their
applied releases.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

import msgspec

from shared.core.document import canonical
from shared.core.errors import Stalled
from shared.core.record import Record
from shared.core.redaction import STARS

NONE_TAKEN: Final = hashlib.sha256(b"{}").hexdigest()
"""The inputs digest of a stack that takes nothing from others."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The values that a stack takes from others, by parameter, and their digest.

    ``follows`` maps each stack that it depends on to that one's applied release.
    """

    values: Mapping[str, Any] = {}
    digest: str = NONE_TAKEN
    follows: Mapping[str, str] = {}


class Awaited(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stack that is waited for: how it stands, and the code of what keeps it."""

    stack: str
    phase: str
    code: str | None = None


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """What a stack waits for; ``chain`` leads from a direct dependency to the root of the matter."""

    chain: tuple[Awaited, ...]

    def __str__(self) -> str:
        return " → ".join(
            f"{one.stack} ({one.phase}{f': {one.code}' if one.code else ''})" for one in self.chain
        )


NO_INPUTS: Final = Inputs()


def unready(stack: str, record: Record | None) -> Awaited | None:
    """Return why a stack is not at what is desired of it, by itself; None when it is. Pure."""
    if record is None:
        return Awaited(stack=stack, phase="pending")
    if record.source_problems:
        return Awaited(stack=stack, phase="failed", code=record.source_problems[0].code)
    desired, applied = record.desired, record.present
    settled = (
        desired is not None
        and applied is not None
        and applied.digest == desired.digest
        and record.reached == applied.release
        and record.in_flight is None
    )
    if settled and record.standing == "steady" and not record.orphaned:
        return None
    phase = "orphaned" if record.orphaned else str(record.standing)
    return Awaited(stack=stack, phase=phase, code=record.problem.code if record.problem else None)


def waiting(record: Record, others: Mapping[str, Record]) -> tuple[Awaited, ...]:
    """Return the chain from a stack that is waited for to the root of the matter. Pure.

    ``others`` are the records of the repository. It is what can be told from them alone: whether
    a value has changed is known when the stack is looked at.
    """
    chain: list[Awaited] = []
    seen = {record.stack}
    current: Record | None = record
    while current is not None:
        found = _first_unready(current, others, seen)
        if found is None:
            break
        chain.append(found)
        current = others.get(found.stack) if found.phase == "pending" else None
    return tuple(chain)


def _first_unready(record: Record, others: Mapping[str, Record], seen: set[str]) -> Awaited | None:
    """Return the nearest stack behind this one that is not as it should be; marks what was seen."""
    waiting_for = list(record.waits_for)
    while waiting_for:
        name = waiting_for.pop(0)
        if name in seen:
            continue
        seen.add(name)
        other = others.get(name)
        awaited = unready(name, other)
        if awaited is not None:
            return awaited
        waiting_for.extend(other.waits_for if other is not None else ())
    return None


def inputs_of(
    record: Record, outputs: Mapping[str, Mapping[str, Any]], follows: Mapping[str, str]
) -> Inputs:
    """Return the values that a stack takes; ``outputs`` are its dependencies' by stack. Pure.

    ``follows`` are their applied releases.

    Raises Stalled (``OutputMissing``, ``OutputSecret``) for a value that a release did not leave.
    """
    values = {
        parameter: _value(taken.stack, taken.output, outputs.get(taken.stack, {}))
        for parameter, taken in record.takes.items()
    }
    digest = hashlib.sha256(canonical(values)).hexdigest() if values else NONE_TAKEN
    return Inputs(values=values, digest=digest, follows=follows)


def _value(stack: str, output: str, outputs: Mapping[str, Any]) -> Any:
    found = {name.lower(): value for name, value in outputs.items()}
    if output.lower() not in found:
        raise Stalled(
            "OutputMissing",
            f"The last release of {stack!r} left no output {output!r}.",
            hint="An output with a false condition has no value. Look at the other stack's outputs.",
        )
    value = found[output.lower()]
    if _is_masked(value):
        raise Stalled(
            "OutputSecret",
            f"The output {output!r} of {stack!r} looks like a secret, and Plumbline keeps none.",
            hint="Put the secret into a Key Vault, and give both stacks a reference to it.",
        )
    return value


def _is_masked(value: Any) -> bool:
    if isinstance(value, str):
        return STARS in value
    if isinstance(value, Mapping):
        return any(_is_masked(each) for each in value.values())
    return isinstance(value, list) and any(_is_masked(each) for each in value)


def levels(names: Iterable[str], waits_for: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the names in waves, each of stacks that wait for none of the later ones. Pure.

    What waits in a circle comes last, in one wave.
    """
    wanted = set(names)
    graph = {n: [d for d in waits_for.get(n, ()) if d in wanted and d != n] for n in sorted(wanted)}
    sorter = TopologicalSorter(graph)
    with suppress(CycleError):  # what is not in the circle is still handed out
        sorter.prepare()
    waves: list[list[str]] = []
    while ready := sorter.get_ready():
        waves.append(sorted(ready))
        sorter.done(*ready)
    left = wanted.difference(*waves)
    return [*waves, sorted(left)] if left else waves


def dependents(waits_for: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return for each stack those that wait for it. Pure."""
    found: dict[str, list[str]] = {}
    for name in sorted(waits_for):
        for dependency in waits_for[name]:
            found.setdefault(dependency, []).append(name)
    return {name: tuple(others) for name, others in found.items()}
