"""What is to be done with a stack, as a table of situations (rules 5, 6, 7 and 10)."""

from collections.abc import Callable

import pytest

from shared.core import record as changes
from shared.core.arm_model import Deployment
from shared.core.decision import (
    Adopt,
    Block,
    Conclude,
    Put,
    Rest,
    Stall,
    Step,
    Wait,
    decide,
    tagged_generation,
)
from shared.core.record import Record
from shared.core.waves import Awaited, Inputs, Waits
from tests.core.stacks import (
    INPUTS,
    INSTALLATION,
    PROBLEM,
    SCOPE,
    T0,
    applied,
    attempt_of,
    deployment,
    failed,
    fresh,
    pushed,
    put,
    replace,
)

Situation = tuple[Record, Deployment | None]
WAITS = Waits(chain=(Awaited(stack="network", phase="failed", code="X"),))


def TAKEN() -> Inputs:  # noqa: N802 - it stands where a value would
    """Return what the stack takes: what its attempts took."""
    return Inputs(digest=INPUTS)


def _intended(record: Record) -> Record:
    """Return the record between the intent and the PUT."""
    attempt = changes.next_attempt(record, inputs=INPUTS, at=T0)
    return changes.intend(record, attempt, f"{SCOPE}/deployment", T0)


def _running() -> Situation:
    record = put(fresh())
    return record, deployment(record, attempt_of(record), "running")


def _ended() -> Situation:
    record = put(fresh())
    return record, deployment(record, attempt_of(record), "failed")


def _never_arrived() -> Situation:
    return _intended(fresh()), None


def _arrived_before_the_crash() -> Situation:
    record = _intended(fresh())
    return record, deployment(record, attempt_of(record), "running")


def _overtaken_before_it_arrived() -> Situation:
    return pushed(_intended(fresh()), "d2"), None


def _other_digest_under_the_same_release_id() -> Situation:
    record = put(fresh())
    return record, deployment(record, attempt_of(record), "succeeded", plumbline_source="other")


def _an_older_release_still_runs() -> Situation:
    first = applied()
    older = deployment(first, attempt_of(first), "running")
    return _intended(pushed(first, "d2")), older


def _quiet() -> Situation:
    record = applied()
    return record, deployment(record, attempt_of(record), "succeeded")


def _history_groomed() -> Situation:
    return applied(), None


def _late_stale_put_landed() -> Situation:
    first = applied()
    second = changes.succeeded(put(pushed(first, "d2")), T0, ())
    return second, deployment(first, attempt_of(first), "succeeded")


def _new_revision() -> Situation:
    record = applied()
    return pushed(record, "d2"), deployment(record, attempt_of(record), "succeeded")


def _half_applied_then_back() -> Situation:
    record = failed(put(pushed(applied("d1"), "d2")))
    return pushed(record, "d1"), deployment(record, attempt_of(record), "failed")


def _refused_then_back() -> Situation:
    first = applied("d1")
    record = changes.refused(_intended(pushed(first, "d2")), PROBLEM, T0)
    return pushed(record, "d1"), deployment(first, attempt_of(first), "succeeded")


def _failed_for_good() -> Situation:
    record = failed(put(fresh()))
    return record, deployment(record, attempt_of(record), "failed")


def _failed_for_a_passing_reason() -> Situation:
    record = failed(put(fresh()), transient=True)
    return record, deployment(record, attempt_of(record), "failed")


def _untagged() -> Situation:
    return fresh(), Deployment(id="x", state="succeeded", tags={})


def _of_another_installation() -> Situation:
    record = applied()
    found = deployment(record, attempt_of(record), "succeeded", plumbline_installation="theirs")
    return record, found


def _of_another_stack() -> Situation:
    record = applied()
    return record, deployment(record, attempt_of(record), "succeeded", plumbline_stack="web")


def _never_compiled() -> Situation:
    return Record(repository="example", stack="network"), None


def _orphaned() -> Situation:
    return replace(applied(), orphaned=True), None


def _orphaned_while_it_runs() -> Situation:
    record = replace(put(fresh()), orphaned=True)
    return record, deployment(record, attempt_of(record), "running")


def _orphaned_before_it_arrived() -> Situation:
    return replace(_intended(fresh()), orphaned=True), None


def _state_lost_while_it_runs() -> Situation:
    known = put(fresh())
    return fresh(), deployment(known, attempt_of(known), "running")


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (_running, Adopt),
        (_ended, Conclude),
        (_never_arrived, Put),
        (_arrived_before_the_crash, Adopt),
        (_overtaken_before_it_arrived, Put),
        (_other_digest_under_the_same_release_id, Put),
        (_an_older_release_still_runs, Wait),
        (_quiet, Rest),
        (_history_groomed, Rest),
        (_late_stale_put_landed, Put),
        (_new_revision, Put),
        (_half_applied_then_back, Put),
        (_refused_then_back, Rest),
        (_failed_for_good, Rest),
        (_failed_for_a_passing_reason, Put),
        (_untagged, Stall),
        (_of_another_installation, Stall),
        (_of_another_stack, Stall),
        (_never_compiled, Rest),
        (_orphaned, Rest),
        (_orphaned_while_it_runs, Adopt),
        (_orphaned_before_it_arrived, Rest),
        (_state_lost_while_it_runs, Wait),
    ],
)
def test_each_situation_has_one_step(
    situation: Callable[[], Situation], expected: type[Step]
) -> None:
    """Every situation of the protocol leads to exactly the step that the design names."""
    record, found = situation()

    step = decide(record, found, installation=INSTALLATION, inputs=TAKEN)

    assert type(step) is expected


def test_a_put_that_did_not_arrive_is_sent_again_under_its_own_id() -> None:
    """A crash between intent and PUT does not use up an attempt: the same release is put."""
    record, found = _never_arrived()

    step = decide(record, found, installation=INSTALLATION, inputs=TAKEN)

    assert isinstance(step, Put)
    assert step.again == record.attempted


def test_an_overtaken_put_is_not_sent_again() -> None:
    """Newest wins: what never arrived and is not desired any more is not put."""
    record, found = _overtaken_before_it_arrived()

    step = decide(record, found, installation=INSTALLATION, inputs=TAKEN)

    assert isinstance(step, Put)
    assert step.again is None


def test_what_is_applied_is_told_from_what_only_failed() -> None:
    """Resting on a failure never counts as being applied."""
    good = decide(*_quiet(), installation=INSTALLATION, inputs=TAKEN)
    bad = decide(*_failed_for_good(), installation=INSTALLATION, inputs=TAKEN)

    assert isinstance(good, Rest)
    assert isinstance(bad, Rest)
    assert (good.applied, bad.applied) == (True, False)


def test_other_inputs_are_released() -> None:
    """A value taken from another stack that changed brings a release, with the same source."""
    record, found = _quiet()

    step = decide(record, found, installation=INSTALLATION, inputs=lambda: Inputs(digest="in1"))

    assert isinstance(step, Put)


def test_a_failed_generation_is_released_again_when_a_value_changed() -> None:
    """What failed with one value may work with another; with the same one it stays failed."""
    record, found = _failed_for_good()

    same = decide(record, found, installation=INSTALLATION, inputs=TAKEN)
    other = decide(record, found, installation=INSTALLATION, inputs=lambda: Inputs(digest="in1"))

    assert isinstance(same, Rest)
    assert isinstance(other, Put)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (_running, Adopt),
        (_ended, Conclude),
        (_never_arrived, Block),
        (_overtaken_before_it_arrived, Block),
        (_quiet, Block),
        (_orphaned, Rest),
    ],
)
def test_what_waits_for_others_is_still_watched_and_concluded_and_never_put(
    situation: Callable[[], Situation], expected: type[Step]
) -> None:
    """A dependency that is not ready stops PUTs, and nothing that ARM has begun."""
    record, found = situation()

    step = decide(record, found, installation=INSTALLATION, inputs=lambda: WAITS)

    assert type(step) is expected


@pytest.mark.parametrize(
    ("tag", "expected"), [("7.2", 7), ("7", 7), ("", 0), ("x.1", 0), ("\u0661.1", 0)]
)
def test_a_release_tag_gives_its_generation(tag: str, expected: int) -> None:
    """A tag that nobody of ours wrote counts as generation 0, never as an error."""
    assert tagged_generation({"plumbline-release": tag}) == expected
