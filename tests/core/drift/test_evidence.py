"""Who touched what: the listing and the log, late, absent, or speaking of our own work."""

import time
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.activity import Write
from shared.core.drift import evidence
from shared.core.drift.evidence import SLACK, Evidence, Nearby, Release, weigh
from tests.core.drift.cases import (
    BEFORE,
    GROUP,
    RELEASE,
    STORE,
    SUBNET,
    TOUCHED_AT,
    VNET,
    owned,
    write,
)

DELETE = "Microsoft.Storage/storageAccounts/delete"
MOVE = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action"
AFTER = RELEASE.ended + SLACK + timedelta(seconds=1)


def weighed(
    *writes: Write,
    changed_at: datetime | None = None,
    is_listed: bool = True,
    has_log: bool = True,
    resource: str = STORE,
) -> Evidence:
    """Return what is known of the store."""
    return weigh(
        resource, RELEASE, writes, changed_at=changed_at, is_listed=is_listed, has_log=has_log
    )


@pytest.mark.parametrize(
    ("changed_at", "is_listed", "has_log", "touch"),
    [
        (AFTER, True, False, "touched"),
        (AFTER, True, True, "touched"),
        (RELEASE.ended + SLACK, True, True, "untouched"),
        (RELEASE.ended + SLACK, True, False, "untouched"),
        (None, True, False, "unsure"),
        (None, True, True, "untouched"),
        (None, False, True, "untouched"),
        (None, False, False, "unsure"),
    ],
)
def test_what_the_listing_says(
    changed_at: datetime | None, *, is_listed: bool, has_log: bool, touch: str
) -> None:
    """It tells of resources with a changed time; of others only a log can say that nobody came."""
    found = weighed(changed_at=changed_at, is_listed=is_listed, has_log=has_log)

    assert found.touch == touch
    assert found.at == ((changed_at,) if touch == "touched" else ())


@pytest.mark.parametrize(
    ("wrote", "is_foreign"),
    [
        (write(), True),
        (write(STORE.upper()), True),
        (write(f"{STORE}/blobServices/default"), True),
        (write(f"{STORE}2"), False),
        (write(GROUP), False),
        (write(VNET), False),
        (write(at=BEFORE), True),
        (write(at=RELEASE.began), True),
        (write(at=RELEASE.began - timedelta(seconds=1)), False),
        (write(correlation_id="c-0"), False),
        (write(correlation_id="C-0"), False),
        (write(correlation_id=None), True),
        (write(caller=None), True),
    ],
)
def test_what_counts_as_a_touch(wrote: Write, *, is_foreign: bool) -> None:
    """Writes of others to it or below it, since the release began; ours by the correlation id."""
    found = weighed(wrote, has_log=False)

    assert found.touch == ("touched" if is_foreign else "unsure")
    assert found.writes == ((wrote,) if is_foreign else ())


def test_without_a_correlation_id_all_writes_are_others() -> None:
    """A release that ARM gave no such id hides nobody."""
    release = Release(RELEASE.began, RELEASE.ended)
    found = weigh(
        STORE,
        release,
        [write(correlation_id=None)],
        changed_at=None,
        is_listed=True,
        has_log=True,
    )

    assert found.touch == "touched"


@pytest.mark.parametrize(
    ("wrote", "touch", "who"),
    [
        (write(operation=DELETE), "touched", "ann"),
        (write(GROUP, operation="Microsoft.Resources/subscriptions/x/delete"), "touched", "ann"),
        (write(GROUP, operation=MOVE), "untouched", "ann"),
        (write(GROUP, operation=MOVE.lower()), "untouched", "ann"),
        (write(GROUP, operation=DELETE, correlation_id="C-0"), "untouched", None),
        (write(f"{STORE}/x/y", operation=DELETE), "touched", None),
        (write(), "touched", None),
        (write(operation=DELETE, caller=None), "touched", None),
    ],
)
def test_who_ended_a_resource(wrote: Write, touch: str, who: str | None) -> None:
    """Who deleted or moved it, or what it is in; a move alone does nothing to what stays."""
    found = weighed(wrote)
    told = evidence.deleter(found)

    assert found.touch == touch
    assert (told.caller if told is not None else None) == who


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_one_is_named(order: tuple[int, ...]) -> None:
    """In whatever order the log tells, its times decide; what is of the resource itself goes first."""
    writes = [
        write(at=TOUCHED_AT, caller="first"),
        write(at=TOUCHED_AT + timedelta(minutes=1), caller="last"),
        write(f"{STORE}/x/y", TOUCHED_AT + timedelta(minutes=2), caller="child"),
    ]
    found = weighed(*(writes[n] for n in order))
    who = evidence.changer(STORE, found.writes)

    assert found.writes == tuple(writes)
    assert who is not None
    assert who.caller == "last"


def test_nobody_is_named_where_the_log_names_nobody() -> None:
    """An honest unknown: an older caller is not blamed for what a nameless one did last."""
    later = write(at=TOUCHED_AT + timedelta(minutes=1), caller=None)

    assert evidence.changer(STORE, [write(), later]) is None
    assert evidence.changer(STORE, []) is None


@pytest.mark.parametrize(
    ("resource", "other", "is_so"),
    [
        (SUBNET, VNET, True),
        (VNET.upper(), VNET, True),
        (VNET, SUBNET, False),
        (f"{VNET}2", VNET, False),
        (VNET, GROUP, True),
        (
            f"{GROUP}/\u212a",
            f"{GROUP}/k",
            False,
        ),
    ],
)
def test_what_is_inside_what(resource: str, other: str, *, is_so: bool) -> None:
    """By whole segments, and as ARM compares ids."""
    assert evidence.is_at_or_below(resource, other) == is_so


MOMENTS = st.integers(-60, 60).map(lambda minutes: RELEASE.began + timedelta(minutes=minutes))
WRITES = st.builds(
    write,
    st.sampled_from([STORE, f"{STORE}/a/b", GROUP, VNET]),
    MOMENTS,
    correlation_id=st.sampled_from(["c-0", "c-1", None]),
    operation=st.sampled_from(["a/b/write", DELETE, MOVE]),
)


@given(
    writes=st.lists(WRITES, max_size=6),
    changed_at=st.none() | MOMENTS,
    is_listed=st.booleans(),
    has_log=st.booleans(),
)
def test_more_witnesses_never_acquit(
    writes: list[Write], changed_at: datetime | None, *, is_listed: bool, has_log: bool
) -> None:
    """Who was seen to touch it has touched it, whatever else is heard; no order matters."""
    all_of_them = weighed(*writes, changed_at=changed_at, is_listed=is_listed, has_log=has_log)
    backwards = weighed(
        *reversed(writes), changed_at=changed_at, is_listed=is_listed, has_log=has_log
    )
    fewer = weighed(*writes[1:], changed_at=changed_at, is_listed=is_listed, has_log=has_log)

    assert (all_of_them.touch, all_of_them.at) == (backwards.touch, backwards.at)
    assert fewer.touch != "touched" or all_of_them.touch == "touched"
    assert (all_of_them.touch == "touched") == bool(all_of_them.at)


@given(st.lists(WRITES, max_size=6), st.sampled_from([STORE, STORE.upper(), VNET, SUBNET]))
def test_what_was_near_a_resource_is_all_that_counts_for_it(
    writes: list[Write], resource: str
) -> None:
    """An index leaves out nothing that the whole log would have told."""
    assert weighed(*Nearby(writes).of(resource), resource=resource) == weighed(
        *writes, resource=resource
    )


def test_a_full_log_and_a_full_inventory_are_weighed_in_seconds() -> None:
    """Eight hundred resources, two thousand entries: what one stack can have at most."""
    inventory = [owned(f"{STORE}-{n}") for n in range(800)]
    writes = [write(f"{STORE}-{n}/a/b") for n in range(2_000)]
    started = time.process_time()
    nearby = Nearby(writes)
    found = [weighed(*nearby.of(one.id), resource=one.id) for one in inventory]

    assert time.process_time() - started < 2
    assert all(one.touch == "touched" for one in found)
