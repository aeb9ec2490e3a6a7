"""Good ends: what must be so when nothing goes wrong any more (I2, I4, I11)."""

from typing import Any, Final

from shared.core import names, waves
from shared.core.record import Record
from shared.core.revision import Revision
from shared.core.tip import Tip
from tests.simulation.documents import AHEAD, Blob, document
from tests.simulation.model import TIP, Model
from tests.simulation.replay import END, REPOSITORY, Task
from tests.simulation.state import Draft, Hand, State

_AT_WORK: Final = "it is at work"


def wrong_with(model: Model, state: State) -> str:
    """Return what is wrong with a state as an end; nothing when all is well."""
    if state.workers or state.flying or any(how == "running" for _, _, how in state.arm):
        return _AT_WORK
    documents = dict(state.documents)
    tip: Tip | None = document(TIP, documents[TIP]) if TIP in documents else None
    if tip is None or tip.revision != model.revisions[state.head - 1]:
        return "the tip is not what was pushed"
    records = {name: _record(documents, name) for name in tip.entries}
    for name, entry in tip.entries.items():
        record = records[name]
        if record is None or record.desired is None or record.desired.digest != entry.digest:
            return f"{name}: the record does not want what the tip wants"
        if "release" not in model.scenario.hears:
            continue
        if wrong := _wrong_with_stack(model, state, record, records):
            return f"{name}: {wrong}"
    return _wrong_with_revisions(model, state, records)


def _record(documents: dict[str, Blob], stack: str) -> Record | None:
    name = names.record(REPOSITORY, stack)
    found: Record | None = document(name, documents[name]) if name in documents else None
    return found


def _is_frozen(record: Record) -> bool:
    return record.freeze is not None and record.freeze.until == AHEAD


def _wrong_with_stack(
    model: Model, state: State, record: Record, records: dict[str, Record | None]
) -> str:
    if record.wanted is not None and record.standing == "pending":
        return "what was asked for was not done"
    if _is_frozen(record):
        return ""
    standing = record.standing
    if standing in {"failed", "stalled"}:
        return "" if record.problem else f"{standing}, and it does not say why"
    if standing == "pending":
        others = {name: found for name, found in records.items() if found is not None}
        chain = waves.waiting(record, others)
        root = others.get(chain[-1].stack) if chain else None
        why = root is not None and (root.is_failed or _is_frozen(root))
        return "" if why else "pending, and nothing is waited for"
    applied, desired = record.applied, record.desired
    if standing != "steady" or applied is None or desired is None:
        return f"it is {standing}"
    if applied.digest != desired.digest:
        return "another source is applied"
    return _wrong_in_arm(state, record) or _wrong_inputs(model, state, record)


def _wrong_in_arm(state: State, record: Record) -> str:
    applied = record.applied
    found = [(dict(tags), how) for i, tags, how in state.arm if i == record.deployment_id]
    if applied is None or not found:
        return "ARM knows nothing of it"
    tags, how = found[0]
    said = (tags["plumbline-release"], tags["plumbline-source"], tags["plumbline-inputs"], how)
    wanted = (applied.release, applied.digest, applied.inputs, "succeeded")
    return "" if said == wanted else f"ARM has {said[0]} ({how}), the record {applied.release}"


def _wrong_inputs(model: Model, state: State, record: Record) -> str:
    """Dependents have the newest values, unless one that gives them is held back itself."""
    if not record.waits_for:
        return ""
    wanted = _ask(model, state, Task("inputs", record.stack))
    if not isinstance(wanted, waves.Inputs):
        return ""
    is_so = record.applied is not None and record.applied.inputs == wanted.digest
    return "" if is_so else "it has old values of those that it depends on"


def _wrong_with_revisions(model: Model, state: State, records: dict[str, Record | None]) -> str:
    """Every revision that was pushed has a final status, and the host was told that one (rule 12)."""
    if any(record is not None and _is_frozen(record) for record in records.values()):
        return ""
    documents = dict(state.documents)
    for revision in model.revisions[: state.head]:
        answer = _answer(model, state, revision)
        if answer is None or not (answer[0] or "release" not in model.scenario.hears):
            return f"revision {revision[:7]} has no final status"
        if not model.scenario.tells_host:
            continue
        name = names.revision(REPOSITORY, revision)
        if name not in documents:
            return f"revision {revision[:7]} has no document"
        found: Revision = document(name, documents[name])
        if any(visit.settled is None for visit in found.visits[-1:]):
            return f"revision {revision[:7]} is not settled"
        told = {state for (sha, _), state in state.told if sha == revision}
        if not told or "pending" in told:
            return f"the host waits for the status of {revision[:7]}"
    return ""


def _answer(model: Model, state: State, revision: str) -> tuple[bool, str] | None:
    """Ask the product for a revision's status."""
    answered = _ask(model, state, Task("answer", revision))
    return (answered.body.final, answered.body.status) if answered.status == 200 else None


def _ask(model: Model, state: State, task: Task) -> Any:
    """Let the product answer a question that changes nothing."""
    draft, hand = Draft(state, model.revisions), Hand(task)
    while (request := model.flows.next(task, tuple(hand.answers))) is not END:
        draft.perform(hand, request)
    return model.flows.result(task, tuple(hand.answers))
