"""What takes the place of lost documents, and what ARM's tags tell of a lost attempt."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from shared.core import decision, names, rebuild
from shared.core import record as changes
from shared.core import tip as tips
from shared.core.arm_model import Deployment
from shared.core.audit import Audit
from shared.core.rebuild import Last
from shared.core.record import Asked, Attempt, Desired, Freeze, Record
from shared.core.release import Release
from shared.core.tip import Tip

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DIGEST, OTHER, SHA = "d" * 64, "e" * 64, "a" * 40
TAGS = {
    decision.TAG_RELEASE: "3.2",
    decision.TAG_REVISION: SHA,
    decision.TAG_SOURCE: DIGEST,
    decision.TAG_INPUTS: OTHER,
}
FOUND = Attempt(release="3.2", generation=3, revision=SHA, digest=DIGEST, inputs=OTHER, at=AT)


def new(**fields: Any) -> Record:
    """Return the record of a stack of which nothing was attempted, as far as it knows."""
    wanted = Desired(revision=SHA, digest=DIGEST)
    return Record(**{"repository": "r", "stack": "s", "generation": 1, "desired": wanted, **fields})


def ordered(operation: str, at: datetime, repository: str = "r", **more: Any) -> Audit:
    """Return the audit of an order."""
    return Audit(
        id="i",
        at=at,
        by="ops",
        operation=operation,
        repository=repository,
        stack="s",
        why="x",
        **more,
    )


def released(release: str = "3.2", **more: Any) -> Release:
    """Return a release's document."""
    fields = {
        "repository": "r",
        "stack": "s",
        "release": release,
        "revision": SHA,
        "outcome": "succeeded",
    }
    times = {"digest": DIGEST, "inputs": OTHER, "started_at": AT, "ended_at": AT}
    return Release(**{**fields, **times, "deployment_id": "/x/providers/y", **more})


def test_tags_tell_of_the_attempt_that_was_lost() -> None:
    """It began as long before its end as ARM says that it took."""
    found = Deployment(id="x", state="succeeded", tags=TAGS, timestamp=AT, duration_s=60.0)

    attempt = decision.remembered(found, AT + HOUR)

    assert attempt == changes.Attempt(
        release="3.2",
        generation=3,
        revision=SHA,
        digest=DIGEST,
        inputs=OTHER,
        at=AT - timedelta(seconds=60),
    )


@pytest.mark.parametrize("tag", sorted(TAGS))
@pytest.mark.parametrize("value", ["", "x", "../..", "1.1.1"])
def test_tags_that_are_not_whole_tell_of_nothing(tag: str, value: str) -> None:
    """What becomes part of names and is taken as applied has to be of its form."""
    found = Deployment(id="x", state="succeeded", tags={**TAGS, tag: value})

    assert decision.remembered(found, AT) is None


def test_a_remembered_release_counts_for_what_is_wanted_unless_it_ended_well() -> None:
    """A good one is kept as its own generation's; a bad one is not tried again for nothing."""
    bad = changes.recollect(new(), FOUND, "id", is_good=False)
    good = changes.recollect(new(), FOUND, "id", is_good=True)

    assert (bad.generation, good.generation) == (4, 4)
    assert bad.attempted is not None
    assert good.attempted is not None
    assert (bad.attempted.generation, good.attempted.generation) == (4, 3)
    assert bad.reached == good.reached == "3.2"
    assert (bad.attempt, bad.deployment_id, bad.raised) == (2, "id", (1, 4))


def test_a_remembered_release_of_something_else_keeps_its_generation() -> None:
    """Git wants another digest: what ran was an older generation, however it ends."""
    record = changes.recollect(
        new(desired=Desired(revision=SHA, digest=OTHER)), FOUND, "id", is_good=False
    )

    assert record.attempted == FOUND


@pytest.mark.parametrize(("good", "attempts"), [(True, 0), (False, 2)])
def test_what_was_asked_for_before_an_attempt_was_remembered_is_still_wanted(
    good: bool,  # noqa: FBT001
    attempts: int,
) -> None:
    """It is done with after the next attempt, not by the one that is taken up."""
    order = Asked(kind="retry", generation=1, above=0, by="ops", why="x", at=AT)
    record = changes.recollect(new(asked=order), FOUND, "id", is_good=good)
    raised = changes.catch_up(new(asked=order), 3)
    answered = changes.catch_up(new(asked=replace(order, generation=0)), 3)

    assert record.wanted is not None
    assert (record.wanted.generation, record.wanted.above) == (4, attempts)
    assert raised.wanted is not None
    assert (raised.wanted.generation, raised.wanted.above) == (4, 0)
    assert answered.wanted is None
    following = changes.next_attempt(record, inputs=OTHER, at=AT)
    assert changes.intend(record, following, "id", AT).wanted is None


@pytest.mark.parametrize("fields", [{"attempted": FOUND}, {"anew": True}])
def test_a_record_that_knows_better_takes_nothing_up(fields: dict[str, Any]) -> None:
    """It has an attempt, or begins anew on purpose while another has what ARM shows."""
    record = new(**fields)

    assert changes.recollect(record, FOUND, "id", is_good=True) is record


def test_a_freeze_is_found_in_the_audits_while_it_holds() -> None:
    """The last order of the stack counts; other repositories' and past ones do not."""
    until = AT + HOUR
    freeze = ordered("freeze", AT - HOUR, until=until)

    assert rebuild.freezes([freeze], "r")["s"].until == until
    assert rebuild.freezes([freeze, ordered("unfreeze", AT)], "r") == {}
    assert rebuild.freezes([ordered("freeze", AT, "other", until=until)], "r") == {}
    assert rebuild.freezes([freeze, ordered("release", AT)], "r").keys() == {"s"}


def test_a_freeze_holds_in_a_fresh_record_by_the_servers_time() -> None:
    """What has ended meanwhile is not taken up."""
    freeze = Freeze(by="ops", why="x", at=AT - HOUR, until=AT)

    def kept(at: datetime) -> Freeze | None:
        return rebuild.fresh_record("r", "s", {}, [], freeze, at).freeze

    assert kept(AT - HOUR) == freeze
    assert kept(AT) is None


@pytest.mark.parametrize("step", [1, -1])
def test_of_one_second_a_freeze_counts_after_what_lifts_one(step: int) -> None:
    """Names of audits tell the second only: it is safer frozen; the longest freeze counts."""
    orders = [
        ordered("unfreeze", AT + timedelta(milliseconds=300)),
        ordered("freeze", AT, until=AT + HOUR),
        ordered("freeze", AT, until=AT + 2 * HOUR),
    ]

    found = rebuild.freezes(orders[::step], "r")

    assert found["s"].until == AT + 2 * HOUR


def test_a_fresh_record_goes_on_above_all_that_is_known_of_the_old_one() -> None:
    """Its metadata and history: an older wish must not count, and no generation comes again."""
    fresh = rebuild.fresh_record(
        "r", "s", {"seq": "7", "generation": "5"}, ["6.1", "2.9"], None, AT
    )

    assert (fresh.seq, fresh.generation, fresh.raised) == (7, 6, (6, 7))
    assert fresh.fence == int(AT.timestamp())


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "\u0661"])
def test_facts_that_somebody_wrote_by_hand_count_as_none(text: str) -> None:
    """A listing is no document: what is no number there stops nobody."""
    fresh = rebuild.fresh_record("r", "s", {"seq": text, "generation": text}, [], None, AT)

    assert (fresh.seq, fresh.generation) == (0, 0)


def test_a_half_has_the_releases_of_its_stack_up_to_its_generation() -> None:
    """What the stack released elsewhere since is not the half's."""
    history = [("s", "1.1"), ("s", "2.1"), ("s", "2.10"), ("s", "3.1"), ("t", "9.9")]

    half, whole = rebuild.newest_first("s~2", history), rebuild.newest_first("s", history)

    assert half == (("s", "2.10"), ("s", "2.1"), ("s", "1.1"))
    assert whole == (("s", "3.1"), *half)
    assert rebuild.newest_first("u", history) == ()


def test_a_stack_that_left_is_where_its_last_release_says() -> None:
    """No sync names it: without history it is an orphan of which nothing is known."""
    fresh = rebuild.fresh_record("r", "s~3", {"orphaned": "1"}, [], None, AT)
    bad = Last().after(released("3.2", outcome="failed"))
    known = rebuild.left_manifest(fresh, Last().after(released()))
    failed = rebuild.left_manifest(fresh, bad)
    older = rebuild.left_manifest(fresh, bad.after(released("3.1")))
    nothing = rebuild.left_manifest(fresh, Last())

    assert known.orphaned
    assert (known.scope, known.deployment_id) == ("/x", "/x/providers/y")
    assert known.applied is not None
    assert (known.applied_home, known.formerly[0].stack) == ("s", "s")
    assert (failed.applied, failed.phase) == (None, "failed")
    assert older.applied is not None
    assert (older.applied.release, older.reached, older.phase) == ("3.1", "3.2", "failed")
    assert (nothing.orphaned, nothing.scope) == (True, None)


@pytest.mark.parametrize(
    "fields",
    [{"outcome": "kept"}, {"outcome": "refused"}, {"deployment_id": None}],
)
def test_a_release_that_changed_nothing_does_not_say_where_a_stack_is(
    fields: dict[str, Any],
) -> None:
    """The one before it does; an older one of another place says nothing of what is applied."""
    last = Last().after(released("3.3", **fields)).after(released("3.2", outcome="failed"))
    elsewhere = last.after(released("3.1", deployment_id="/z/providers/y"))

    assert last.placed is not None
    assert last.placed.release == "3.2"
    assert elsewhere == last
    assert not last.is_whole


def test_a_fresh_tip_starts_above_its_own_seq_and_those_of_records() -> None:
    """Rule 2: a lower seq would never be heard; halves are no stacks of a manifest."""
    listed = [
        (names.record("r", "a"), {"seq": "3"}),
        (names.record("r", "a~1"), {"seq": "4"}),
        ("stacks/r.a/drift.json", {"seq": "99"}),
    ]

    fresh = rebuild.fresh_tip("r", listed, {"seq": "9"}, AT)
    lost = rebuild.fresh_tip("r", listed, {}, AT)

    assert (fresh.sync_seq, lost.sync_seq) == (9, 4)
    assert fresh.recorded == ("a",)
    assert fresh.dirty
    assert fresh.fence == int(AT.timestamp())


def test_a_rebuild_that_was_ordered_during_a_sync_outlives_its_commit() -> None:
    """What that sync saw was read before the order; the next one takes it."""
    listed = [(names.record("r", "a"), {"seq": "3"})]
    first = rebuild.forced(Tip(repository="r", sync_seq=1), listed, AT)
    taken = tips.take(first, AT)
    second = rebuild.forced(taken, listed, AT)
    compiled = replace(taken, forced=False, recorded=())

    def commit(tip: Tip, seen: Tip) -> Tip:
        return tips.commit(tip, seen=seen, deliveries=tip.deliveries, at=AT, poll=HOUR)

    assert (first.sync_seq, first.recorded, first.due_at) == (3, ("a",), AT)
    done, again, unread = commit(taken, compiled), commit(second, compiled), commit(taken, taken)
    assert (done.forced, done.recorded, done.dirty) == (False, (), False)
    assert (again.forced, again.recorded, again.dirty) == (True, ("a",), True)
    assert (unread.forced, unread.recorded) == (True, ("a",))
