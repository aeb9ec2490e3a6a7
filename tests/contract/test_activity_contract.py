"""What the flows may rely on from the Activity Log, shown on the fake and on the simulator."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.core.errors import Stalled
from tests.contract.activity_worlds import ACCOUNT, ANN, WORKSPACE, FakeWorld, World, simulated

BOB = "bob@contoso.example"
WRITE = "Microsoft.Storage/storageAccounts/write"
KINDS = ("fake", "fake workspace", "simulated", "simulated workspace")


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Offer each log, with one storage account to change."""
    with_workspace = request.param.endswith("workspace")
    if request.param.startswith("fake"):
        yield FakeWorld(WORKSPACE if with_workspace else None)
    else:
        with simulated(monkeypatch, workspace=with_workspace) as simulator:
            yield simulator


def test_a_change_by_hand_is_told_once_with_its_author(world: World) -> None:
    """Started and succeeded are one write: who, what, on which resource, when."""
    before = world.now()
    world.change(ANN)
    world.pass_time(1)
    [write] = [one for one in world.read(before).writes if one.caller == ANN]

    assert write.resource_id.lower() == ACCOUNT.lower()
    assert write.operation == WRITE
    assert not write.is_deletion
    assert before - timedelta(seconds=2) <= write.at <= write.seen_at
    assert write.correlation_id


def test_a_deletion_is_told_as_one(world: World) -> None:
    """What is gone was deleted by somebody."""
    before = world.now()
    world.change(ANN)
    world.delete(BOB)
    world.pass_time(1)
    told = [one for one in world.read(before).writes if one.resource_id.lower() == ACCOUNT.lower()]

    assert [(one.caller, one.is_deletion) for one in told if one.caller in {ANN, BOB}] == [
        (ANN, False),
        (BOB, True),
    ]


def test_what_changes_nothing_is_not_told(world: World) -> None:
    """Listing keys is in the log, and is no write."""
    world.pass_time(60)
    before = world.now()
    world.ask_for_keys()
    world.pass_time(1)

    assert world.read(before).writes == ()


def test_what_the_log_has_not_yet_is_told_later(world: World) -> None:
    """A late entry is not there, then there; its two times tell how late it was."""
    world.late(300)
    before = world.now()
    world.change(ANN)
    world.pass_time(1)
    early = [one for one in world.read(before).writes if one.caller == ANN]
    world.pass_time(300)
    [late] = [one for one in world.read(before).writes if one.caller == ANN]

    assert early == []
    assert late.seen_at - late.at == timedelta(seconds=300)


def test_what_was_asked_for_before_is_left_out(world: World) -> None:
    """The watermark saves reading everything anew."""
    world.change(ANN)
    world.pass_time(60)
    since = world.now()
    world.change(BOB)
    world.pass_time(1)
    callers = {one.caller for one in world.read(since).writes}

    assert callers == {BOB}


def test_a_right_that_is_missing_is_named(world: World) -> None:
    """A person must act, and is told what to grant; the next call is another matter."""
    world.forbid()
    with pytest.raises(Stalled) as caught:
        world.read(world.now())

    assert caught.value.reason == "AuthorizationFailed"
    assert "action" in f"{caught.value.message} {caught.value.hint}"
    assert world.read(world.now()).lost_before is None
