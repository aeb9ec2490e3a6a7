"""What nobody declared: who made it, who is too many to ask, and what a scope is covered by."""

import time
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.activity import Write
from shared.core.arm_model import Sighting
from shared.core.drift.evidence import SLACK
from shared.core.drift.strangers import (
    MOST_NAMED,
    candidates,
    child_item,
    covered,
    type_of,
    undeclared,
)
from tests.core.drift.cases import (
    BEFORE,
    GROUP,
    NOW,
    RELEASE,
    STORE,
    STORE_TYPE,
    SUBNET,
    VNET,
    write,
)

OTHER = f"{STORE}-other"
YOUNG = RELEASE.ended + SLACK + timedelta(seconds=1)
OWNED = {STORE.lower(), VNET.lower()}
ROLE = f"{VNET}/providers/Microsoft.Authorization/roleAssignments/r"


@pytest.mark.parametrize(
    ("created_at", "writes", "has_log", "is_item"),
    [
        (None, [write(OTHER)], True, True),
        (None, [write(OTHER.upper())], True, True),
        (YOUNG, [], True, False),
        (YOUNG, [], False, True),
        (RELEASE.ended, [], False, False),
        (None, [], False, False),
        (None, [write(OTHER, operation="a/b/delete")], True, False),
        (None, [write(f"{OTHER}/a/b")], True, False),
        (None, [write(OTHER, correlation_id="C-0")], True, False),
        (None, [write(OTHER, RELEASE.began - timedelta(seconds=1))], True, False),
        (None, [write(OTHER, BEFORE)], True, True),
    ],
)
def test_what_somebody_made_since_the_release_is_undeclared(
    created_at: datetime | None, writes: list[Write], *, has_log: bool, is_item: bool
) -> None:
    """Not what a provider makes unasked, what was there before, or what is gone again."""
    sighting = Sighting(OTHER, STORE_TYPE, created_at=created_at)
    found = undeclared([sighting], RELEASE, writes, has_log=has_log, at=NOW)

    assert [item.kind for item in found] == (["undeclared"] if is_item else [])
    assert all(not item.managed and item.first_seen == NOW for item in found)
    assert all(item.who is None or item.who.caller == "ann" for item in found)


@pytest.mark.parametrize(
    ("wrote", "is_one"),
    [
        (write(f"{VNET}/subnets/new"), True),
        (write(f"{VNET.upper()}/subnets/new"), True),
        (write(f"{VNET}/subnets/new/a/b"), True),
        (write(ROLE), True),
        (write(VNET), False),
        (write(f"{VNET}2/subnets/new"), False),
        (write(OTHER), False),
        (write(GROUP), False),
        (write(f"{VNET}/subnets"), False),
        (write(f"{VNET}/subnets/new/"), False),
        (write(f"{VNET}/providers/Microsoft.Resources/deployments/d"), False),
        (write(f"{VNET}/subnets/new", operation="a/b/delete"), False),
        (write(f"{VNET}/subnets/new", RELEASE.began - timedelta(seconds=1)), False),
        (write(f"{VNET}/subnets/new", correlation_id="C-0"), False),
        (write(f"{VNET}/subnets/new", correlation_id=None), True),
        (write(""), False),
        (write("/"), False),
        (write("//////////"), False),
    ],
)
def test_children_that_only_the_log_tells_of(wrote: Write, *, is_one: bool) -> None:
    """Inside what the stack owns, not owned themselves, and with an id that can be read."""
    found = candidates([wrote, wrote], RELEASE, OWNED)

    assert [resource for resource, _ in found] == ([wrote.resource_id] if is_one else [])


def test_an_owned_child_is_no_candidate() -> None:
    """It is in the inventory, and judged by itself."""
    assert candidates([write(SUBNET.upper())], RELEASE, {*OWNED, SUBNET.lower()}) == ()


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (STORE, STORE_TYPE),
        (SUBNET, "Microsoft.Network/virtualNetworks/subnets"),
        (ROLE, "Microsoft.Authorization/roleAssignments"),
        (GROUP, None),
        ("", None),
        ("/providers/", None),
        ("/providers/a/b", None),
        ("/providers/a/b/c", "a/b"),
        ("/providers/a/b/c/d", None),
    ],
)
def test_the_type_in_an_id(resource: str, kind: str | None) -> None:
    """Of the last provider; ids of odd shapes have none."""
    assert type_of(resource) == kind


@given(st.text(max_size=80) | st.text(alphabet="/providers.a", max_size=60))
def test_no_id_breaks_the_rules(resource: str) -> None:
    """Other people write into the log."""
    type_of(resource)
    candidates([write(resource)], RELEASE, OWNED)
    undeclared([Sighting(resource, "t")], RELEASE, [write(resource)], has_log=False, at=NOW)


def test_a_child_is_told_with_who_made_it() -> None:
    """The last who wrote it, and not who deleted it before, or wrote beside it."""
    later = write(SUBNET, NOW, caller="bob")
    gone = write(SUBNET, NOW, caller="eve", operation="a/b/delete")
    item = child_item(SUBNET, "t", [write(SUBNET), later, gone, write(VNET)], NOW)

    assert item.who is not None
    assert item.who.caller == "bob"
    assert child_item(SUBNET, "t", [], NOW).who is None


def test_how_much_of_a_scope_is_covered() -> None:
    """Counts are whole, names are few; scopes without resources count nothing, and others' nothing."""
    strangers = [Sighting(f"{GROUP}/providers/a/b/{n:04}", "a/b") for n in range(10_000)]
    elsewhere = Sighting("/subscriptions/s/resourceGroups/other/providers/a/b/c", "a/b")
    empty = "/subscriptions/s/resourcegroups/empty"
    started = time.process_time()
    none, found = covered(
        [Sighting(STORE.upper(), STORE_TYPE), *strangers, elsewhere, Sighting("odd", "")],
        [GROUP.lower(), empty],
        lambda resource: resource.lower() == STORE.lower(),
    )[::-1]

    assert time.process_time() - started < 2
    assert (found.in_stacks, found.in_none, len(found.others)) == (1, 10_000, MOST_NAMED)
    assert (none.scope, none.in_stacks, none.in_none) == (empty, 0, 0)


def test_a_full_log_costs_about_linear_time() -> None:
    """Two thousand entries, eight hundred resources, ten thousand strangers."""
    inventory = {f"{STORE}-{n}".lower() for n in range(800)}
    writes = [write(f"{STORE}-{n}/a/b") for n in range(2_000)]
    strangers = [Sighting(f"{STORE}-{n}/x/y", "t") for n in range(10_000)]
    started = time.process_time()

    assert len(candidates(writes, RELEASE, inventory)) == 800
    assert undeclared(strangers, RELEASE, writes, has_log=True, at=NOW) == ()
    assert time.process_time() - started < 5
