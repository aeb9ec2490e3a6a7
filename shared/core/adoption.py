"""The first release of a stack whose resources are there already: what it would do to them. Pure.

Nobody's estate is overwritten by a first push. ``shared/flows/adopt.py`` asks ARM; what
its what-if says becomes a plan here, or nothing where the release would only create.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from shared.core import plan as plans
from shared.core.arm_answers import flatten
from shared.core.document import canonical
from shared.core.plan import Details, Plan, Planning, PropertyStep
from shared.core.plan import Step as ResourceStep
from shared.core.prediction import Diagnostic, Prediction, PropertyChange, ResourceChange
from shared.core.problem import Problem
from shared.core.record import Record
from shared.core.redaction import mask, mask_text
from shared.core.waves import Inputs

CODE: Final = "ApprovalNeeded"

PATIENCE: Final = timedelta(minutes=10)
"""How long a what-if may take before nothing more is expected of it."""

MOST_SHOWN: Final = 200
"""Characters of a text, elements of a list, and differences of a resource that a plan shows."""

_LARGEST: Final = 2**63

_HARMLESS: Final = frozenset({"create", "ignore"})
_UNSEEN: Final = frozenset({"unsupported", "unknown"})
_DEPLOYMENTS: Final = "/providers/microsoft.resources/deployments/"


def is_first(record: Record) -> bool:
    """Tell whether nothing of the stack ever reached ARM where it is to go, and that matters."""
    return (
        record.policy.adopt == "confirm"
        and record.applied is None
        and record.reached is None
        and record.desired is not None
    )


def kept_plan(record: Record, inputs: Inputs) -> Plan | None:
    """Return the plan for exactly what would be released now.

    Who asks for a release while one waits has it made anew: Azure may have changed since.
    """
    plan, asked = record.plan, record.wanted
    if plan is None or plan.kind != "adopt" or plan.generation != record.generation:
        return None
    if (plan.source, plan.inputs) != _wanted(record, inputs):
        return None
    return plan if record.has_approved(plan) or asked is None or asked.at <= plan.at else None


def kept_planning(record: Record, inputs: Inputs) -> Planning | None:
    """Return the what-if that runs for exactly what would be released now."""
    planning = record.planning
    if planning is None or (planning.source, planning.inputs) != _wanted(record, inputs):
        return None
    return planning


def planning_for(record: Record, inputs: Inputs, address: str, since: datetime) -> Planning:
    """Return what is kept of a what-if that was started."""
    source, digest = _wanted(record, inputs)
    return Planning(address=address, source=source, inputs=digest, since=since)


def details_of(record: Record, inputs: Inputs, found: Prediction) -> Details | None:
    """Return what a first release would do, or None when it would create everything it names.

    What is in the group and not in the template is nobody's business here. A what-if that failed or
    did not look everywhere is a plan with gaps: nobody knows what it did not see.
    """
    steps = tuple(sorted(_steps(found), key=_order))
    gaps = tuple(sorted({*_gaps(found)}))
    if not gaps and all(step.kind in _HARMLESS for step in steps):
        return None
    return _details(record, inputs, steps=steps, gaps=gaps)


def _order(step: ResourceStep) -> tuple[str, bytes]:
    return step.resource.lower(), canonical(msgspec.to_builtins(step))


def blind_details(record: Record, inputs: Inputs, why: str) -> Details:
    """Return the plan of a release of which no what-if could be had, and why."""
    return _details(record, inputs, gaps=(why,))


def late_details(record: Record, inputs: Inputs) -> Details:
    """Return the plan of a release whose what-if did not end in time."""
    minutes = int(PATIENCE.total_seconds()) // 60
    return blind_details(record, inputs, f"The what-if did not end within {minutes} minutes.")


def _details(
    record: Record, inputs: Inputs, *, steps: tuple[ResourceStep, ...] = (), gaps: tuple[str, ...]
) -> Details:
    source, digest = _wanted(record, inputs)
    return Details(
        kind="adopt",
        repository=record.repository,
        stack=record.stack,
        source=source,
        inputs=digest,
        steps=steps,
        gaps=gaps,
    )


def plan_of(record: Record, details: Details, digest: str, at: datetime) -> Plan:
    """Return a plan for the record; ``digest`` is that of its details' content."""
    return Plan(
        kind=details.kind,
        digest=digest,
        generation=record.generation,
        counts=plans.counts(details),
        at=at,
        source=details.source,
        inputs=details.inputs,
    )


def problem_of_plan(details: Details, digest: str) -> Problem:
    """Return what is shown of a stack while its first release waits for approval."""
    found = Counts.of(plans.counts(details))
    told = [
        f"{found.changed} would be changed" if found.changed else "",
        f"{found.same} would stay as they are" if found.same else "",
        f"of {found.unseen} nothing can be told" if found.unseen else "",
    ]
    said = ", ".join(part for part in told if part)
    message = f"Resources are there before the stack's first release: {said}." if said else ""
    if details.gaps:
        message = f"{message} What-if did not look everywhere: {details.gaps[0]}".strip()
    return Problem(
        code=CODE,
        message=message,
        hint="Look at the plan (GET /api/stacks/{name}/plan), then order approve; or write "
        "adopt: take in the manifest to have what exists taken over unseen.",
        detail={"plan": digest},
    )


class Counts(msgspec.Struct, frozen=True):
    """How many resources a first release would meet, by what would become of them."""

    changed: int
    same: int
    unseen: int

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> "Counts":
        """Fold what-if's kinds."""
        unseen = sum(counts.get(kind, 0) for kind in _UNSEEN)
        same = counts.get("no_change", 0)
        made = sum(counts.get(kind, 0) for kind in _HARMLESS)
        return cls(changed=sum(counts.values()) - unseen - same - made, same=same, unseen=unseen)


def awaiting(record: Record, plan: Plan, problem: Problem, due_at: datetime) -> Record:
    """Let the stack go until somebody approves the plan, or asks for another.

    An attempt of an older generation that never arrived is given up: it would not be put again.
    """
    attempted = record.attempted
    if record.in_flight is not None:
        attempted = msgspec.structs.replace(record.in_flight, outcome="lost")
    return msgspec.structs.replace(
        record,
        attempted=attempted,
        plan=plan,
        planning=None,
        phase="pending",
        judged=record.generation,
        problem=problem,
        failure=None,
        looked_after_until=None,
        unfinished=0,
        busy_until=None,
        due_at=due_at,
    )


def _wanted(record: Record, inputs: Inputs) -> tuple[str, str]:
    return (record.desired.digest if record.desired else "", inputs.digest)


def _steps(found: Prediction) -> Iterator[ResourceStep]:
    for change in found.changes + found.potential:
        if change.kind == "ignore" or _DEPLOYMENTS in change.resource_id.lower():
            continue
        yield ResourceStep(
            resource=change.resource_id,
            kind=change.kind,
            changes=tuple(_properties(change)) if change.kind == "modify" else (),
            reason=_one_line(change.reason) if change.reason else None,
        )


def _gaps(found: Prediction) -> Iterator[str]:
    if found.error is not None:
        problem = flatten(found.error)
        yield f"The what-if failed: {problem.code}: {problem.message}"
    for diagnostic in found.diagnostics:
        if diagnostic.level.lower() != "info":
            yield _told(diagnostic)


def _told(diagnostic: Diagnostic) -> str:
    where = f" ({diagnostic.target})" if diagnostic.target else ""
    return _one_line(f"{diagnostic.code}: {diagnostic.message}{where}")


def _one_line(text: str) -> str:
    line = " ".join(mask_text(text).split())
    return line if len(line) <= 2 * MOST_SHOWN else f"{line[: 2 * MOST_SHOWN - 1]}…"


def _properties(change: ResourceChange) -> Iterator[PropertyStep]:
    """Yield the differences of a resource, arrays whole, with stars for secrets."""
    sides = (_masked(change.before, change), _masked(change.after, change))
    for shown, (names, difference) in enumerate(_leaves(change.delta, ())):
        if shown == MOST_SHOWN:
            yield PropertyStep(path="", kind="more")
            return
        if difference.kind == "no_effect":
            continue
        yield PropertyStep(
            path=".".join(names),
            kind=difference.kind,
            before=_side(sides[0], names, difference.before, change),
            after=_side(sides[1], names, difference.after, change),
        )


def _leaves(
    delta: Iterable[PropertyChange], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], PropertyChange]]:
    for difference in delta:
        names = (*above, *difference.path.split("."))
        if difference.kind == "modify" and difference.children:
            yield from _leaves(difference.children, names)
        else:
            yield names, difference


def _masked(body: Mapping[str, Any] | None, change: ResourceChange) -> Any:
    return mask(_typed(dict(body), change)) if body is not None else None


def _typed(body: Mapping[str, Any], change: ResourceChange) -> dict[str, Any]:
    """Return a body with type and name, by which some properties are known to be secrets."""
    parts = change.resource_id.rpartition("/providers/")[2].split("/")
    kind = "/".join([parts[0], *parts[1::2]])
    return {"type": kind, "name": "/".join(parts[2::2]), **body}


def _side(body: Any, names: tuple[str, ...], value: Any, change: ResourceChange) -> Any:
    """Return one side of a difference, masked: from the masked body, where it can be found there.

    What stands beside a value may say that it is a secret, so the whole body is masked; a value that
    is not where its path says is masked with nothing but the names of its path.
    """
    if value is None:
        return None
    found = body
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    if found is None:
        found = mask(_typed(_nested(names, value), change))
        for name in names:
            found = found[name]
    return _cut(found)


def _nested(names: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(names):
        value = {name: value}
    nested: dict[str, Any] = value
    return nested


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_SHOWN:
        return f"{value[: MOST_SHOWN - 1]}…"
    if isinstance(value, Mapping):
        return {name: _cut(each) for name, each in value.items()}
    if isinstance(value, list):
        more = [f"and {len(value) - MOST_SHOWN} more"] if len(value) > MOST_SHOWN else []
        return [_cut(each) for each in value[:MOST_SHOWN]] + more
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return str(value)
    return value
