"""What a review of the rebuild of lost state found, each as the promise that was broken."""

from datetime import timedelta
from typing import Any

import pytest

from shared import events
from shared.core import names
from shared.core.document import to_text
from tests.fakes.arm import Outcome
from tests.fakes.system import Moment, SkewedClock
from tests.flows.chains import FAILED
from tests.flows.losses import lose, lose_history, spoil
from tests.flows.test_leaving import at, puts
from tests.flows.world import World, files

RECORD_A = names.record("example", "a")


def test_a_fresh_record_waits_for_whoever_is_about_to_put(world: World) -> None:
    """Rule 4: a worker between its intent and its PUT has its hold; one release is put, not two."""
    done: list[str] = []

    def lost(moment: Moment, call: str, _: str) -> None:
        if not done and (moment, call) == ("before", "arm.put"):
            done.append(call)
            spoil(world, RECORD_A)
            world.rebuild()
            world.run(15)

    world.hook = lost
    world.push(files("a", a="one"))
    world.run(600)

    assert done
    assert world.puts("a") == 1
    assert world.record("a").phase == "steady"


def test_a_freeze_that_replaced_one_within_a_second_is_not_lost(world: World) -> None:
    """I26: whichever of the two audits comes first in a listing, the stack stays frozen."""
    world.push(files("a", a="one"))
    world.run()
    now = world.clock.now()
    world.order("a", "freeze", "long", until=to_text(now + timedelta(days=20)))
    world.run(5)
    for audit, operation, more in (
        ("f", "unfreeze", {}),
        ("0", "freeze", {"until": to_text(now + timedelta(hours=2))}),
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(world.services.operate.ids), "new", lambda _, name=audit: name)
            world.order("a", operation, "shorter", **more)
    spoil(world, RECORD_A)
    world.push(files("a", a="two"))
    answered = world.rebuild()
    world.run(600)

    assert answered.body.frozen == ("a",)
    assert world.note("a") == "one"


def test_a_worker_whose_clock_is_ahead_loses_no_freeze(world: World) -> None:
    """I26: whether a freeze holds still is told by the server's time."""
    world.push(files("a", a="one"))
    world.run()
    world.order("a", "freeze", "x", until=to_text(world.clock.now() + timedelta(minutes=9)))
    world.run(5)
    spoil(world, RECORD_A)
    world.services = world.worker(SkewedClock(world.clock, 600))
    world.push(files("a", a="two"))
    world.rebuild()
    world.services = world.worker(world.clock)
    world.run(60)

    assert world.note("a") == "one"


def test_a_revision_that_failed_is_not_told_deployed(world: World) -> None:
    """Rule 12: history knows how it ended, whatever the fresh record's count went on to."""
    world.arm.default = Outcome(seconds=100, failures=FAILED.failures)
    bad = world.push(files("a", a="bad"))
    world.run(20)
    spoil(world, RECORD_A)
    world.arm.default = Outcome(seconds=1)
    good = world.push(files("a", a="good"))
    world.run(20)
    world.rebuild()
    world.run(600)

    assert world.status(good) == "deployed"
    assert world.status(bad) in {"failed", "superseded"}


def test_contents_are_written_anew_once_a_manifest_can_be_read(world: World) -> None:
    """A rebuild is ordered while the tip's manifest is damaged: there was nothing to compile yet."""
    world.push(files("a"))
    world.run()
    world.push({**files("a"), "plumbline.yaml": "version: 1\nstacks: [\n"})
    world.run()
    lose_history(world, "contents/")
    world.restart()
    world.rebuild()
    world.run(60)
    world.push(files("a"))
    world.run(60)

    assert _has_content(world)


def test_contents_are_written_anew_once_the_branch_is_back(world: World) -> None:
    """A rebuild is ordered while the followed branch is missing."""
    world.push(files("a"))
    world.run()
    lose_history(world, "contents/")
    world.restart()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(world.git), "tip", lambda *_: None)
        world.rebuild()
        world.run(60)
    world.run(600)

    assert _has_content(world)


def test_what_is_lost_while_a_rebuild_compiles_is_written_by_a_second(world: World) -> None:
    """The first sync had read and kept its contents when they were lost: another one follows."""
    world.push(files("a"))
    world.run()
    done: list[str] = []

    def lost(moment: Moment, call: str, name: str) -> None:
        kept = (moment, call) == ("after", "history.put") and name.startswith("contents/")
        if kept and not done:
            done.append(name)
            lose_history(world, "contents/")
            world.restart()
            world.rebuild()

    world.hook = lost
    world.rebuild()
    world.run(60)

    assert done
    assert _has_content(world)


def _has_content(world: World) -> bool:
    """Tell whether history has what the stack's record wants to be deployed."""
    desired = world.record("a").desired
    return desired is not None and names.contents(desired.digest) in world.kept()


def order_once_looked_at(world: World) -> list[str]:
    """Let an operator order a release when ARM was asked, and before its answer is taken up."""
    done: list[str] = []

    def order(moment: Moment, call: str, name: str) -> None:
        if (moment, call) == ("after", "arm.deployment") and not done:
            done.append(name)
            world.order("a", "release", "the quota is there now")

    world.hook = order
    return done


@pytest.mark.parametrize("spoiled", [RECORD_A, None])
def test_an_order_counts_although_a_failed_release_is_remembered_after_it(
    world: World, spoiled: str | None
) -> None:
    """What ARM remembers became this generation's failure: the order is for the next attempt."""
    world.arm.default = FAILED
    world.push(files("a"))
    world.run()
    world.arm.default = Outcome(seconds=1)
    if spoiled is not None:
        spoil(world, spoiled)
        world.rebuild()
    else:
        lose(world, "stacks/")
    done = order_once_looked_at(world)
    world.run(600)

    assert done
    assert world.record("a").phase == "steady"
    assert world.puts("a") == 2


def test_an_order_counts_although_a_good_release_is_remembered_after_it(world: World) -> None:
    """Its generation rises above ARM's, and takes the order along: one release more, not two."""
    for note in ("one", "two", "three"):
        world.push(files("a", a=note))
        world.run(60)
    lose(world, "stacks/")
    lose_history(world, "stacks/")
    before = world.puts("a")
    done = order_once_looked_at(world)
    world.run(600)

    assert done
    assert world.puts("a") == before + 1


def test_a_damaged_audit_does_not_stop_a_rebuild(world: World) -> None:
    """It is passed over and named: what it tells is lost, and nothing else."""
    world.push(files("a", "b"))
    world.run()
    world.order("b", "release", "x")
    world.run()
    (audit,) = [name for name in world.kept() if name.startswith("audit/")]
    world.history.corrupt(audit, b"rot")
    spoil(world, RECORD_A)
    world.restart()
    answered = world.rebuild()
    world.run()

    assert (answered.status, answered.body.unread) == (202, (audit,))
    assert audit in [line["document"] for line in world.log.named(events.STALLED)]
    assert world.record("a").phase == "steady"


def test_a_damaged_release_does_not_stop_a_rebuild(world: World) -> None:
    """It counts as none, and is named; all other documents are mended."""
    world.push(files("a", "b", "c"))
    world.run()
    world.push(files("b", "c"))
    world.run()
    for name in (RECORD_A, names.record("example", "b"), names.tip("example")):
        spoil(world, name)
    release = names.release("example", "a", "1.1")
    world.history.corrupt(release, b"rot")
    world.restart()
    answered = world.rebuild()
    world.run()

    assert (answered.status, answered.body.unread) == (202, (release,))
    assert world.record("b").phase == "steady"
    assert world.record("a").orphaned
    assert world.api("health")["status"] == "ok"


def test_an_orphan_whose_last_release_was_kept_is_where_it_was(world: World) -> None:
    """Rule 15: a push came and went again without a release, and then the stack left."""
    world.push(files("a", "b", a="one"))
    world.run()
    until = to_text(world.clock.now() + timedelta(hours=1))
    world.order("a", "freeze", until=until)
    world.push(files("a", "b", a="two"))
    world.run(20)
    world.push(files("a", "b", a="one"))
    world.run(20)
    world.order("a", "unfreeze")
    world.run(60)
    kept = names.release("example", "a", "3.0") in world.kept()
    shown = orphaned_and_rebuilt(world)

    assert kept
    assert shown["after"]["scope"] == shown["before"]["scope"]
    assert shown["after"]["applied"]["digest"] == shown["before"]["applied"]["digest"]


def test_an_orphan_whose_last_release_failed_still_has_the_one_before(world: World) -> None:
    """Rule 15: what is applied is the last good release, whatever failed after it."""
    world.push(files("a", "b", a="one"))
    world.run()
    world.arm.default = FAILED
    world.push(files("a", "b", a="two"))
    world.run()
    shown = orphaned_and_rebuilt(world)

    assert shown["after"]["applied"]["digest"] == shown["before"]["applied"]["digest"]


def orphaned_and_rebuilt(world: World) -> dict[str, Any]:
    """Let a stack leave, lose its record and rebuild; returns what is shown before and after."""
    world.push(files("b"))
    world.run()
    before = world.api("stacks/a")
    spoil(world, RECORD_A)
    world.rebuild()
    world.run(4000)
    return {"before": before, "after": world.api("stacks/a")}


def test_an_orphan_is_found_without_its_metadata(world: World) -> None:
    """Whoever wrote the bytes wrote no metadata: the tip knows that the stack has left."""
    world.push(files("a", "b"))
    world.run()
    world.push(files("b"))
    world.run()
    world.documents.overwrite(RECORD_A, b"{", {})
    world.rebuild()
    world.run(4000)

    shown = world.api("stacks/a")
    assert shown["phase"] == "orphaned"
    assert shown["scope"].endswith("rg-a")
    assert shown["applied"] is not None


def test_a_half_is_found_without_its_metadata(world: World) -> None:
    """Its name says what it is, and history where."""
    world.push(files("a"))
    world.run()
    moved = files("a")["plumbline.yaml"].replace("scope: rg-a", "scope: rg-z")
    world.push({**files("a"), "plumbline.yaml": moved})
    world.run()
    (half,) = world.api("stacks/a")["halves"]
    world.documents.overwrite(names.record("example", half), b"{", {})
    world.rebuild()
    world.run(4000)

    shown = world.api(f"stacks/{half}")
    assert shown["phase"] == "orphaned"
    assert shown["scope"].endswith("rg-a")


def test_a_freeze_that_came_along_with_a_rename_is_not_lost(world: World) -> None:
    """I26: it was ordered of the old name, and is the new name's since; so is its end."""
    world.push(at("rg-a", "one", name="old"))
    world.run()
    world.order("old", "freeze", until=to_text(world.clock.now() + timedelta(hours=5)))
    world.run(5)
    world.push(at("rg-a", "one", name="new", renamedFrom="old"))
    world.run()
    world.push(at("rg-a", "one", name="new"))
    world.run()
    before = len(world.arm.taken)
    spoil(world, names.record("example", "new"))
    world.push(at("rg-a", "two", name="new"))
    answered = world.rebuild()
    world.run(600)

    assert answered.body.frozen == ("new",)
    assert len(world.arm.taken) == before


@pytest.mark.parametrize("running", [True, False])
def test_a_renamed_stack_does_not_take_over_a_second_time(
    world: World,
    running: bool,  # noqa: FBT001
) -> None:
    """What it released under its new name is taken up from ARM, and nothing is put."""
    world.push(at("rg-a", "one", name="old"))
    world.run()
    world.push(at("rg-a", "one", name="new", renamedFrom="old"))
    world.run()
    world.arm.default = Outcome(seconds=100)
    world.push(at("rg-a", "two", name="new", renamedFrom="old"))
    world.run(20 if running else 600)
    before = puts(world)
    spoil(world, names.record("example", "new"))
    world.rebuild()
    world.run(600)

    assert puts(world) == before
    assert world.record("new").phase == "steady"
    shown = [release["release"] for release in world.api("stacks/new/releases")]
    assert "1.1" in shown


@pytest.mark.parametrize("facts", [True, False])
def test_a_name_that_was_given_over_stays_given_over(
    world: World,
    facts: bool,  # noqa: FBT001
) -> None:
    """Rule 15: two stacks must not own one resource; the name begins anew when it comes back."""
    world.push(at("rg-a", "one", name="old"))
    world.run()
    world.push(at("rg-a", "one", name="new", renamedFrom="old"))
    world.run()
    name = names.record("example", "old")
    if facts:
        spoil(world, name)
    else:
        world.documents.overwrite(name, b"{", {})
    world.rebuild()
    world.run(600)

    assert world.record("old").moved_to == "new"
    assert world.record("old").applied is None
    assert world.record("new").phase == "steady"
    assert len(world.arm.taken) == 1


def test_a_half_shows_a_release_once_after_a_rebuild(world: World) -> None:
    """History has it by the stack's name: it is not kept by the half's, too."""
    world.push(at("rg-a", "one"))
    world.run()
    world.push(at("rg-b", "one"))
    world.run()
    before = (world.api("stacks/web~1/releases"), world.record("web~1").owns)
    spoil(world, names.record("example", "web~1"))
    world.rebuild()
    world.run(4000)

    assert (world.api("stacks/web~1/releases"), world.record("web~1").owns) == before
    assert world.record("web~1").phase == "steady"
