"""The protocol with one rule taken out: each must be caught, or the search proves nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec
import pytest

from shared.core import decision, names, revision
from shared.core.arm_model import Deployment
from shared.core.record import Attempt, Record, intend, turns, wishes
from shared.core.record import model as records_model
from shared.core.tip import Tip
from shared.flows import put, turn, watch
from shared.ports import ChangedError
from shared.state.held import TRIES, Held
from shared.state.records import Change, Hold, Records
from shared.state.tips import Tips
from tests.simulation import replay, scenarios
from tests.simulation.documents import document
from tests.simulation.model import Scenario
from tests.simulation.state import Budget

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Variant:
    """One broken protocol, where it is looked for, and the kind of claim that must fail."""

    name: str
    scenario: Scenario
    kind: str
    breaks: Patch


def _name_per_revision(patch: pytest.MonkeyPatch) -> None:
    def place(self: replay._World, deployment_id: str) -> str:
        """Return a name of the generation that this turn last saw."""
        seen = [a for a in self._answers[: self._next] if a[0] in {"read", "wrote"}]
        record: Record = document(seen[-1][1], seen[-1][2])
        return f"{deployment_id}.{record.generation}"

    patch.setattr(replay._World, "_place", place)


def _no_fence(patch: pytest.MonkeyPatch) -> None:
    def update(self: Records, hold: Hold, change: Change) -> Hold:
        record, held = hold.record, hold.held
        name = names.record(record.repository, record.stack)
        for _ in range(TRIES):
            changed = change(held.document, held.at)
            if not hold.taken:
                changed = msgspec.structs.replace(changed, fence=record.fence + 1)
            try:
                written = self._shelf.replace(name, held, changed)
            except ChangedError:
                newest = self.read(record.repository, record.stack)
                assert newest is not None
                held = newest
            else:
                return Hold(written, hold.seen, hold.seen + 44.0, taken=True)
        raise AssertionError("others keep winning")

    patch.setattr(Records, "update", update)


def _fence_never_raised(patch: pytest.MonkeyPatch) -> None:
    real = Records.update

    def update(self: Records, hold: Hold, change: Change) -> Hold:
        return real(self, replace(hold, taken=True), change)

    patch.setattr(Records, "update", update)


def _record_only(patch: pytest.MonkeyPatch) -> None:
    real = decision._fresh

    def fresh(record: Record, desired: Any, deployment: Deployment | None, inputs: Any) -> Any:
        del deployment
        return real(record, desired, None, inputs)

    patch.setattr(decision, "_fresh", fresh)


def _no_verify(patch: pytest.MonkeyPatch) -> None:
    def carries(deployment: Deployment, attempt: Attempt) -> bool:
        return bool(deployment.tags and attempt.release)

    patch.setattr(decision, "carries", carries)
    patch.setattr(watch, "carries", carries)


def _freeze_before_intent(patch: pytest.MonkeyPatch) -> None:
    def intends(_: Any, turn: turn.Turn, attempt: Attempt, deployment_id: str) -> bool:
        turn.update(lambda record, at: intend(record, attempt, deployment_id, at))
        return True

    patch.setattr(put.Puts, "_intends", intends)


def _no_debt(patch: pytest.MonkeyPatch) -> None:
    real = turns._owing

    def owing(record: Record, *debts: str) -> tuple[str, ...]:
        return tuple(debt for debt in real(record, *debts) if debt != "dependents")

    patch.setattr(turns, "_owing", owing)


def _any_generation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(turn.Turn, "decide", turn.Turn.update)


def _not_settled(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(revision, "settle", lambda found, answered, at: found)  # noqa: ARG005 - its shape


def _older_wish(patch: pytest.MonkeyPatch) -> None:
    real = wishes.wish

    def wish(record: Record, wanted: wishes.Wish, at: datetime) -> Record:
        changed = real(msgspec.structs.replace(record, seq=0), wanted, at)
        return msgspec.structs.replace(changed, seq=wanted.seq)

    patch.setattr("shared.core.record.wish", wish)


def _no_fence_of_syncs(patch: pytest.MonkeyPatch) -> None:
    def finish(self: Tips, taken: Held[Tip], change: Callable[[Tip, datetime], Tip]) -> Held[Tip]:
        name, held = names.tip(taken.document.repository), taken
        counts = {"fence": taken.document.fence, "sync_seq": taken.document.sync_seq}
        for _ in range(TRIES):
            mine = msgspec.structs.replace(held.document, **counts)
            try:
                return self._shelf.replace(name, held, change(mine, held.at))
            except ChangedError:
                newest = self.read(taken.document.repository)
                assert newest is not None
                held = newest
        raise AssertionError("others keep winning")

    patch.setattr(Tips, "finish", finish)


def _for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(turns, "MAX_TRANSIENT_ATTEMPTS", 100)
    patch.setattr(records_model, "MAX_TRANSIENT_ATTEMPTS", 100)


def _as_it_is(patch: pytest.MonkeyPatch) -> None:
    del patch


_LATE: Final = replace(scenarios.LATE, budget=Budget(late=1))

VARIANTS: Final = (
    Variant("a deployment name per revision", scenarios.TAKEOVER, "two active", _name_per_revision),
    Variant("no fence on record writes", scenarios.TAKEOVER, "fenced worker wrote", _no_fence),
    Variant("a sweep that compares only the record", _LATE, "never ends well", _record_only),
    Variant(
        "no sweep",
        replace(scenarios.PUSHES, revisions=scenarios.lone("1"), sweeps=False),
        "never ends well",
        _as_it_is,
    ),
    Variant("no look at the tag after the end", scenarios.LATE, "claims too much", _no_verify),
    Variant(
        "a freeze read before the intent",
        scenarios.FREEZE,
        "put while frozen",
        _freeze_before_intent,
    ),
    Variant("dependents told without a debt", scenarios.WAVES, "never ends well", _no_debt),
    Variant("decided for another generation", scenarios.BACK, "claims too much", _any_generation),
    Variant("statuses folded, never settled", scenarios.SETTLED, "status changed", _not_settled),
    Variant("an older wish overwrites a newer", scenarios.SYNCS, "record went back", _older_wish),
    Variant("no fence on tips", scenarios.SYNCS_EXPIRY, "tip went back", _no_fence_of_syncs),
    Variant("passing failures retried for ever", scenarios.FAILURE, "too many attempts", _for_ever),
    Variant(
        "a fence that is never raised", scenarios.TAKEOVER, "claims too much", _fence_never_raised
    ),
)
