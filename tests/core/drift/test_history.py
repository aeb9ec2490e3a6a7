"""Items over time: when they opened, when they closed, and which are kept when there are too many."""

import time
from datetime import timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from shared.core.drift import history
from shared.core.drift.history import MOST_ITEMS, MOST_KEPT
from shared.core.drift.model import Item
from tests.core.drift.cases import NOW, STORE, VNET, item, who

LATER = NOW + timedelta(minutes=5)
ITEMS = st.lists(
    st.builds(
        item,
        st.sampled_from(["a", "b", ""]),
        kind=st.sampled_from(["modified", "deleted"]),
        resource=st.sampled_from([STORE, STORE.upper(), VNET]),
        first_seen=st.sampled_from([NOW, LATER]),
    ),
    max_size=6,
)


def keys(items: tuple[Item, ...] | list[Item]) -> set[tuple[str, str, str]]:
    """Return what items are told by."""
    return {one.key for one in items}


@given(before=ITEMS, found=ITEMS, covered=st.none() | st.sets(st.sampled_from([STORE, VNET])))
def test_open_items_are_those_found_and_those_not_looked_at(
    before: list[Item], found: list[Item], covered: set[str] | None
) -> None:
    """A partial look closes nothing that it did not look at, and a full one all that it did not find."""
    looked_at = None if covered is None else {one.lower() for one in covered}
    after = history.carried(before, found, looked_at)
    kept = [
        one for one in before if looked_at is not None and one.resource.lower() not in looked_at
    ]

    assert keys(after) == keys(found) | keys(kept)
    assert list(after) == sorted(after, key=lambda one: one.key)


@given(before=ITEMS, after=ITEMS)
def test_each_item_opens_once_and_closes_once(before: list[Item], after: list[Item]) -> None:
    """What is there on both sides is neither."""
    opened = history.opened(before, after)
    closed = history.closed(before, after, (), reason="healed", release="1.2", at=LATER)

    assert keys(opened) == keys(after) - keys(before)
    assert {one.item.key for one in closed} == keys(before) - keys(after)
    assert all(
        (one.closed_at, one.reason, one.release) == (LATER, "healed", "1.2") for one in closed
    )


def test_an_item_keeps_when_it_was_first_seen_and_who_did_it() -> None:
    """The log forgets; what it says anew goes before what it said."""
    before = item(who=who("ann"), now=1)
    silent = item(first_seen=LATER, now=2, resource=STORE.upper())
    loud = msgspec.structs.replace(silent, who=who("bob"))
    (quiet,) = history.carried([before], [silent], None)
    (named,) = history.carried([before], [loud], None)

    assert (quiet.first_seen, quiet.now, quiet.who) == (NOW, 2, before.who)
    assert (named.first_seen, named.who) == (NOW, loud.who)


def test_a_crowd_of_small_items_hides_no_bad_one() -> None:
    """Ten thousand edited tags, and one opened door: the door is among what is kept."""
    crowd = [item(f"tags.t{n}", severity="low") for n in range(10_000)]
    door = item("z", kind="undeclared", resource=VNET, severity="high")
    started = time.process_time()
    kept = history.carried([], [*crowd, door], None)

    assert time.process_time() - started < 2
    assert len(kept) == MOST_ITEMS
    assert door in kept
    assert history.carried(kept, [*crowd, door], None) == kept


def test_what_is_remembered_is_bounded_and_the_newest_is_first() -> None:
    """A hundred closed items."""
    before = tuple(item(f"p{n}") for n in range(MOST_KEPT))
    old = history.closed(before, (), (), reason="reverted", release=None, at=NOW)
    new = history.closed((item("new"),), (), old, reason="healed", release="1.1", at=LATER)

    assert len(new) == MOST_KEPT
    assert new[0].item.path == "new"
