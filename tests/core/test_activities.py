"""What is kept of the Activity Log, and what is told from it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import activities
from shared.core.activities import KEPT, MOST, OVERLAP, SLACK, Activity, told
from shared.core.activity import Reading, Write, changes, one_each
from shared.core.document import decode, encode
from shared.core.problem import Problem
from tests.fakes.system import START as NOW

SUB = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-shop"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
SUBNET = f"{VNET}/subnets/web"
EMPTY = Activity(subscription=SUB)
MINUTE = timedelta(minutes=1)


def write(name: str, resource: str = VNET, ago: timedelta = MINUTE, **more: Any) -> Write:
    """Return a write that happened some time ago, and was seen at once."""
    at = NOW - ago
    operation = "Microsoft.Network/virtualNetworks/write"
    return Write(
        **{
            "id": name,
            "resource_id": resource,
            "operation": operation,
            "at": at,
            "seen_at": at,
            "correlation_id": f"correlation of {name}",
            **more,
        }
    )


def reading(*writes: Write, **more: Any) -> Reading:
    """Return what the log said."""
    return Reading(writes=one_each(writes), **more)


def names(writes: Iterable[Write]) -> list[str]:
    """Return the ids of writes."""
    return [one.id for one in writes]


# ---- what counts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("Microsoft.Network/virtualNetworks/write", True),
        ("MICROSOFT.NETWORK/VIRTUALNETWORKS/SUBNETS/WRITE", True),
        ("Microsoft.Storage/storageAccounts/delete", True),
        ("Microsoft.Resources/tags/write", True),
        ("Microsoft.Authorization/locks/delete", True),
        ("Microsoft.Resources/subscriptions/resourceGroups/moveResources/action", True),
        ("Microsoft.Storage/storageAccounts/regenerateKey/action", True),
        ("Microsoft.Web/sites/slots/slotsswap/action", True),
        ("Microsoft.Web/sites/restart/action", False),
        ("Microsoft.Storage/storageAccounts/listKeys/action", False),
        ("Microsoft.Resources/subscriptions/resourceGroups/validateMoveResources/action", False),
        ("Microsoft.Resources/deployments/write", False),
        ("Microsoft.Resources/deployments/whatIf/action", False),
        ("Microsoft.Storage/storageAccounts/read", False),
        ("write", True),
        ("", False),
    ],
)
def test_what_changes_a_resource(operation: str, *, expected: bool) -> None:
    """Writes, deletes and the actions after which a resource is another; no deployment by itself."""
    assert changes(operation) is expected


def test_the_entries_of_one_operation_are_one_write() -> None:
    """The newest entry stands for it; another operation, resource or correlation is another write."""
    same: dict[str, Any] = {"correlation_id": "c"}
    entries = [
        write("accepted", ago=3 * MINUTE, **same),
        write("succeeded", VNET.upper(), ago=2 * MINUTE, **same),
        write("deleted", operation="Microsoft.Network/virtualNetworks/delete", **same),
        write("subnet", SUBNET, **same),
        write("alone", correlation_id=None, ago=2 * MINUTE),
        write("alone too", correlation_id=None),
    ]

    assert set(names(one_each(entries))) == {
        *("succeeded", "deleted", "subnet", "alone", "alone too"),
    }


# ---- keeping -------------------------------------------------------------------------------


def test_nothing_is_known_of_a_log_that_was_never_asked() -> None:
    """It does not answer yet, and is asked for a week."""
    assert not EMPTY.answers
    assert EMPTY.known_until is None
    assert activities.ask_since(EMPTY, NOW) == NOW - KEPT


def test_what_others_did_is_kept_and_what_releases_did_is_not() -> None:
    """Correlation ids are compared without case, and what is empty is nobody's."""
    ours = write("ours", correlation_id="ABC")
    found = told(
        EMPTY, reading(ours, write("by hand"), write("x", correlation_id=None)), ["abc"], NOW
    )

    assert names(found.writes) == ["by hand", "x"]
    assert found.answers
    assert found.asked_at == NOW


def test_a_release_that_becomes_known_late_takes_its_writes_along() -> None:
    """What was kept is judged anew each time."""
    before = told(EMPTY, reading(write("ours", correlation_id="abc")), [], NOW)
    after = told(before, reading(), ["abc"], NOW)

    assert names(before.writes) == ["ours"]
    assert after.writes == ()


def test_the_writes_of_a_former_release_do_not_become_foreign() -> None:
    """The log repeats the last half an hour, and records know the last release only."""
    ours = write("ours", correlation_id="abc")
    known = told(EMPTY, reading(ours), ["abc"], NOW)
    again = told(known, reading(ours), ["another"], NOW + 10 * MINUTE)
    later = told(again, reading(), [], NOW + KEPT)

    assert again.writes == ()
    assert again.ours == {"abc": ours.seen_at}
    assert later.ours == {}


def test_the_log_is_asked_again_for_half_an_hour() -> None:
    """The watermark is the log's time of the newest entry, or nearly ours; it never goes back."""
    quiet = told(EMPTY, reading(), [], NOW)
    busy = told(EMPTY, reading(write("new", ago=MINUTE)), [], NOW)
    back = told(busy, reading(), [], NOW - 60 * MINUTE)

    assert quiet.seen_at == NOW - SLACK
    assert busy.seen_at == NOW - MINUTE
    assert activities.ask_since(busy, NOW) == busy.known_until == NOW - MINUTE - OVERLAP
    assert back.seen_at == busy.seen_at
    assert back.asked_at == NOW


def test_a_log_that_was_not_asked_for_long_is_asked_for_a_week() -> None:
    """What is older is not kept anyway, and is said to be missing."""
    known = told(EMPTY, reading(write("old")), [], NOW)
    later = NOW + 3 * KEPT
    after = told(known, reading(), [], later)

    assert activities.ask_since(known, later) == later - KEPT
    assert after.writes == ()
    assert after.known_from == later - KEPT


def test_what_was_not_read_is_asked_for_or_said_to_be_lost() -> None:
    """Newer entries that did not fit hold the watermark; older ones are missing for good."""
    until, before = NOW - 50 * MINUTE, NOW - 5 * MINUTE
    more = told(EMPTY, reading(write("old", ago=60 * MINUTE), read_until=until), [], NOW)
    lost = told(EMPTY, reading(write("new"), lost_before=before), [], NOW)

    assert more.seen_at == until
    assert more.known_until == until - OVERLAP
    assert lost.known_from == before
    assert told(lost, reading(), [], NOW).known_from == before


def test_the_oldest_go_first_and_that_is_said() -> None:
    """No more than MOST are kept."""
    many = [write(str(n), ago=timedelta(seconds=MOST + 3 - n)) for n in range(MOST + 3)]
    found = told(EMPTY, reading(*many), [], NOW)

    assert len(found.writes) == MOST
    assert found.writes[0].id == "3"
    assert found.known_from == many[2].at


def test_a_log_that_is_silent_says_since_when() -> None:
    """What is known stays; the problem keeps its beginning, and ends with the next answer."""
    known = told(EMPTY, reading(write("a")), [], NOW)
    problem, other = Problem(code="A", message="a"), Problem(code="B", message="b")
    first = activities.silent(known, problem, NOW + MINUTE)
    second = activities.silent(first, other, NOW + 2 * MINUTE)
    healed = told(second, reading(), [], NOW + 3 * MINUTE)

    assert names(second.writes) == ["a"]
    assert (second.problem, second.problem_since) == (other, NOW + MINUTE)
    assert not second.answers
    assert second.known_until == known.known_until
    assert (healed.problem, healed.problem_since, healed.answers) == (None, None, True)
    assert activities.facts(second)["problem"] == "B"
    assert "problem" not in activities.facts(healed)


_writes = st.lists(
    st.builds(
        lambda n, minutes, late, correlation: write(
            str(n),
            [VNET, SUBNET, GROUP][n % 3],
            ago=minutes * MINUTE,
            seen_at=NOW - minutes * MINUTE + late * MINUTE,
            correlation_id=correlation,
        ),
        st.integers(0, 30),
        st.integers(0, 12 * 24 * 60),
        st.integers(0, 20),
        st.sampled_from(["ours", "x", "y", None]),
    ),
    unique_by=lambda one: one.id,
)


def _without_seen_at(activity: Activity) -> Activity:
    """Return what is kept without when it was seen: what came late was seen later."""
    writes = [msgspec.structs.replace(one, seen_at=one.at) for one in activity.writes]
    return msgspec.structs.replace(activity, seen_at=None, writes=tuple(writes))


@given(_writes, st.data())
def test_the_order_and_the_repetition_of_readings_change_nothing(
    writes: list[Write], data: st.DataObject
) -> None:
    """Read at once or in parts, twice or shuffled: the same is kept, foreign, recent and in order."""
    cut = data.draw(st.integers(0, len(writes)))
    parts = data.draw(st.permutations([writes[:cut], writes[cut:], writes]))
    whole = told(EMPTY, reading(*writes), ["ours"], NOW)
    pieces = EMPTY
    for part in parts:
        pieces = told(pieces, reading(*part), ["ours"], NOW)

    assert whole == told(whole, reading(*writes), ["ours"], NOW)
    assert _without_seen_at(pieces) == _without_seen_at(whole)
    assert pieces.seen_at is not None
    assert all(one.seen_at <= pieces.seen_at for one in pieces.writes)
    assert all(one.correlation_id != "ours" and one.at > NOW - KEPT for one in whole.writes)
    assert list(whole.writes) == sorted(whole.writes, key=lambda one: (one.at, one.id))
    assert decode(Activity, "a", encode(whole)).document == whole


# ---- who did it ----------------------------------------------------------------------------


def test_what_was_written_on_a_resource_and_below_it_is_found() -> None:
    """Children, tags and locks count for their resource, in any casing; neighbours do not."""
    lock = f"{VNET}/providers/Microsoft.Authorization/locks/l"
    writes = [
        write("lock", lock, ago=2 * MINUTE),
        write("vnet", VNET.upper(), ago=4 * MINUTE),
        write("subnet", SUBNET, ago=3 * MINUTE),
        write("neighbour", f"{VNET}2"),
    ]
    found = activities.touched(writes)

    assert names(activities.writes_on(found, f"{VNET}/")) == ["vnet", "subnet", "lock"]
    assert names(activities.writes_on(found, VNET, NOW - 3 * MINUTE)) == ["subnet", "lock"]
    assert names(activities.writes_on(found, SUBNET.lower())) == ["subnet"]
    assert len(activities.writes_on(found, GROUP)) == 4
    assert activities.writes_on(found, f"{GROUP}2") == ()


def test_the_newest_write_of_each_resource_is_found() -> None:
    """A child's write is not its parent's."""
    writes = [write("new"), write("old", ago=9 * MINUTE), write("subnet", SUBNET)]
    found = activities.latest(writes)

    assert {key: one.id for key, one in found.items()} == {
        VNET.lower(): "new",
        SUBNET.lower(): "subnet",
    }


@pytest.mark.parametrize(
    ("resource", "since", "expected"),
    [
        (VNET, None, "vnet"),
        (SUBNET, None, "vnet"),
        (SUBNET, NOW - 2 * MINUTE, None),
        (f"{GROUP}/providers/Microsoft.Web/sites/s", None, "group"),
        (f"{GROUP}2/providers/Microsoft.Web/sites/s", None, None),
    ],
)
def test_a_resource_goes_with_what_it_was_in(
    resource: str, since: datetime | None, expected: str | None
) -> None:
    """Who deleted a group or a parent deleted what was in it; the newest deletion counts."""
    writes = [
        write("group", GROUP, ago=5 * MINUTE, operation="x/delete"),
        write("vnet", VNET, ago=3 * MINUTE, operation="x/DELETE"),
        write("written", VNET),
    ]
    found = activities.deletion_of(writes, resource, since)

    assert (found.id if found else None) == expected


def test_a_document_of_a_later_version_is_read() -> None:
    """What a newer Plumbline wrote into it is no error (I31)."""
    data = msgspec.json.encode({"subscription": SUB, "schema_version": 1, "new": {"a": 1}})

    assert decode(Activity, "a", data).document == EMPTY
