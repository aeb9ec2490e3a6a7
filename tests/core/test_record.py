"""How a record changes: who may change what, and what each change leaves behind."""

from datetime import timedelta

import pytest

from shared.core import record as changes
from shared.core.record import Record, Wish
from tests.core.stacks import (
    PROBLEM,
    T0,
    applied,
    attempt_of,
    failed,
    fresh,
    pushed,
    put,
    replace,
    wish,
)


def test_a_new_digest_is_a_new_generation_and_due_at_once() -> None:
    """A push that changes what ARM would receive starts the next generation."""
    record = pushed(applied("d1"), "d2")

    assert (record.generation, record.due_at) == (2, T0)


def test_the_same_digest_changes_neither_generation_nor_due_time() -> None:
    """A README push costs an unchanged stack nothing."""
    before = applied("d1")

    after = pushed(before, "d1")

    assert (after.generation, after.due_at, after.desired) == (1, before.due_at, before.desired)


def test_an_older_wish_changes_nothing() -> None:
    """A slow sync never overwrites what a later one has said (rule 2)."""
    record = pushed(applied("d1"), "d2")

    assert changes.wish(record, wish("d0", 1), T0) is record


def test_a_wish_that_did_not_compile_keeps_what_was_desired() -> None:
    """The last good state stays, and the problem is shown."""
    record = applied("d1")

    broken = changes.wish(record, Wish(seq=2, desired=None, problems=(PROBLEM,)), T0)

    assert broken.desired == record.desired
    assert broken.source_problems == (PROBLEM,)
    assert broken.due_at == record.due_at


def test_a_mending_push_clears_the_source_problem() -> None:
    """A problem is shown no longer than it exists."""
    broken = changes.wish(applied("d1"), Wish(seq=2, desired=None, problems=(PROBLEM,)), T0)

    assert pushed(broken, "d1").source_problems == ()


def test_the_intent_keeps_others_off() -> None:
    """Until the hold has run out, nobody else acts on the stack."""
    before = fresh()

    attempt = changes.next_attempt(before, inputs="", at=T0)
    after = changes.intend(before, attempt, "id", T0)

    assert after.busy_until == T0 + changes.HOLD
    assert after.phase == "releasing"


def test_attempts_are_counted_within_a_generation() -> None:
    """Release ids are <generation>.<attempt>; a new generation counts from one."""
    once = failed(put(fresh()), transient=True)
    twice = failed(put(once), transient=True)

    assert attempt_of(twice).release == "1.2"
    assert attempt_of(put(pushed(twice, "d2"))).release == "2.1"


def test_a_generation_is_tried_three_times_for_passing_reasons() -> None:
    """Rule 10: after the third failure only a person or a new revision starts another attempt."""
    record = fresh()
    seen = []
    for _ in range(changes.MAX_TRANSIENT_ATTEMPTS):
        record = failed(put(record), transient=True)
        seen.append(attempt_of(record).transient)

    assert seen == [True, True, False]


def test_retries_back_off() -> None:
    """Each retry waits longer than the one before."""
    once = failed(put(fresh()), transient=True)
    twice = failed(put(once), transient=True)
    at = T0 + timedelta(seconds=1)

    assert once.due_at is not None
    assert twice.due_at is not None
    assert twice.due_at - at > once.due_at - at > timedelta(0)


def test_a_failure_of_an_overtaken_generation_does_not_delay_the_next() -> None:
    """Newest wins: the stack is pending and due at once, whatever became of the older release."""
    record = failed(pushed(put(fresh()), "d2"))

    assert (record.phase, record.due_at) == ("pending", T0 + timedelta(seconds=1))


def test_a_good_release_owes_a_snapshot_and_a_second_look() -> None:
    """Rule 7: ARM's tags are read once more after a late PUT could have arrived."""
    record = applied()

    assert record.owed == ("snapshot",)
    assert record.due_at == T0 + changes.VERIFY_AFTER
    assert record.phase == "steady"


def test_a_good_release_of_an_overtaken_generation_is_applied_and_pending() -> None:
    """What ARM did is recorded, and the newer generation is due at once."""
    record = changes.succeeded(pushed(put(fresh()), "d2"), T0, ())

    assert record.applied is not None
    assert (record.applied.generation, record.phase, record.due_at) == (1, "pending", T0)


def test_brought_back_to_what_is_applied_counts_as_deployed() -> None:
    """The applied generation follows when Git comes back to it."""
    record = pushed(pushed(applied("d1"), "d2"), "d1")

    settled = changes.settled(record, T0)

    assert settled.applied is not None
    assert settled.applied.generation == settled.generation == 3


def test_a_stalled_attempt_that_reached_arm_stays_under_way() -> None:
    """A missing permission to read does not make a running deployment forgotten."""
    record = changes.stalled(put(fresh()), PROBLEM, T0)

    assert record.in_flight is not None


def test_a_stalled_attempt_that_never_reached_arm_is_withdrawn_and_tried_again() -> None:
    """Once a person has acted, the stack goes on by itself."""
    attempt = changes.next_attempt(fresh(), inputs="", at=T0)
    record = changes.stalled(changes.intend(fresh(), attempt, "id", T0), PROBLEM, T0)

    assert record.in_flight is None
    assert attempt_of(record).transient
    assert record.due_at == T0 + changes.STALLED_RETRY


def test_settling_gives_up_an_attempt_that_never_arrived_and_looks_once_more() -> None:
    """Its PUT may still land: ARM's tags are read again after it can have."""
    base = applied("d1")
    attempt = changes.next_attempt(pushed(base, "d2"), inputs="", at=T0)
    record = pushed(changes.intend(pushed(base, "d2"), attempt, "id", T0), "d1")

    settled = changes.settled(record, T0)

    assert attempt_of(settled).outcome == "lost"
    assert settled.due_at == T0 + changes.VERIFY_AFTER


def test_orphaning_keeps_everything_but_says_so() -> None:
    """A stack that left the manifest keeps its record, and comes back with a push."""
    record = changes.orphan(applied("d1"), 2, named=False, prunes=False, at=T0)
    back = changes.wish(record, wish("d1", 3), T0)

    assert (record.orphaned, record.applied) == (True, applied("d1").applied)
    assert (back.orphaned, back.due_at) == (False, T0)


def test_lost_state_starts_above_what_arm_remembers() -> None:
    """Release ids are never used twice, not even after the record was lost."""
    assert changes.catch_up(fresh(), 7).generation == 8
    assert changes.catch_up(replace(fresh(), generation=9), 7).generation == 9


def test_nothing_desired_has_no_next_attempt() -> None:
    """There is nothing to put before the first good compilation."""
    with pytest.raises(ValueError, match="nothing is desired"):
        changes.next_attempt(Record(repository="r", stack="s"), inputs="", at=T0)


def test_facts_show_what_a_listing_needs_and_nothing_empty() -> None:
    """The sweep and sync decide from metadata alone."""
    shown = changes.facts(applied("d1"))

    assert shown["digest"] == "d1"
    assert shown["owed"] == "snapshot"
    assert shown["phase"] == "steady"
    assert all(shown.values())
    assert "busy_until" not in shown
