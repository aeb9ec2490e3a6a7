"""What left a template: whose it is, in which order it goes, and what needs somebody's word."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import names, owners
from shared.core.errors import Stalled, Transient
from shared.core.policy import Policy
from shared.core.prune import choice, claims, ids, leaving, steps
from shared.core.prune.data import holds_data, may_go
from shared.core.prune.model import Deletion, Left
from shared.core.prune.relations import relations
from shared.core.record import Applied, Record, facts
from shared.core.release import Owned
from shared.core.scopes import fold

SUB = "/subscriptions/11111111-1111-1111-1111-111111111111"
GROUP = f"{SUB}/resourceGroups/rg-web"
NET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/net"
SUBNET = f"{NET}/subnets/one"
LOCK = f"{SUBNET}/providers/Microsoft.Authorization/locks/keep"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/site"
AT = datetime(2026, 1, 1, tzinfo=UTC)

_SEGMENT = st.sampled_from(["a", "b", "c"])
_TREES = st.lists(
    st.lists(_SEGMENT, min_size=1, max_size=3).map(
        lambda parts: f"{GROUP}/providers/Microsoft.X/" + "/".join(f"t/{p}" for p in parts)
    ),
    min_size=1,
    max_size=8,
    unique=True,
)


def lefts(*resource_ids: str) -> tuple[Left, ...]:
    """Return resources that left with one release."""
    return tuple(Left(id=one, type=ids.type_of(one), release="2.1") for one in resource_ids)


def record(**more: object) -> Record:
    """Return a stack that prunes."""
    fields = {"repository": "example", "stack": "web", "policy": Policy(prune=True), **more}
    return Record(**fields)  # type: ignore[arg-type]


def owner(stack: str, *owned: str, scope: str = GROUP, **more: object) -> Record:
    """Return a steady stack that owns these."""
    applied = Applied(
        release="1.1", generation=1, revision="a" * 40, digest="b" * 64, inputs="c" * 64, at=AT
    )
    fields = {
        "applied": applied,
        "phase": "steady",
        "scope": scope,
        "owns": owners.sketch(owned),
        "around": owners.sketch_around(owned),
        **more,
    }
    return Record(repository="example", stack=stack, **fields)  # type: ignore[arg-type]


def suspects(*others: Record, of: Sequence[str]) -> claims.Suspects:
    """Ask who may have these."""
    listed = [(names.record(one.repository, one.stack), facts(one)) for one in others]
    return claims.suspects(("example", "web"), of, listed)


# ---- ids ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource_id", "kind", "name", "outer"),
    [
        (NET, "Microsoft.Network/virtualNetworks", "net", ()),
        (SUBNET, "Microsoft.Network/virtualNetworks/subnets", "net/one", (NET,)),
        (LOCK, "Microsoft.Authorization/locks", "keep", (NET, SUBNET)),
        (GROUP, "", "", ()),
        (SUB, "", "", ()),
    ],
)
def test_an_id_says_what_it_lies_inside_of(
    resource_id: str, kind: str, name: str, outer: tuple[str, ...]
) -> None:
    """Children and extensions lie inside of resources; groups and subscriptions are none."""
    assert ids.type_of(resource_id) == kind
    assert ids.name_of(resource_id) == name
    assert ids.above(resource_id) == outer


def test_a_resource_group_never_goes() -> None:
    """It is no candidate, whatever its id looks like."""
    group = Owned(id=GROUP, type="Microsoft.Resources/resourceGroups")

    found = leaving.after_release(
        record(), "2.1", (Owned(id=NIC, type=""),), (group, Owned(id=NET, type="")), {}
    )

    assert found == lefts(NET)
    assert not may_go("microsoft.resources/RESOURCEGROUPS")


def test_the_tags_of_a_group_never_go() -> None:
    """To ARM they are one resource: deleting it would take everybody's."""
    tags = Owned(id=f"{GROUP}/providers/Microsoft.Resources/tags/default", type="")

    assert leaving.after_release(record(), "2.1", (Owned(id=NIC, type=""),), (tags,), {}) == ()


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("Microsoft.Storage/storageAccounts", True),
        ("MICROSOFT.SQL/servers/DATABASES", True),
        ("Microsoft.Sql/servers/firewallRules", False),
        ("Microsoft.KeyVault/vaults/keys/versions", True),
        ("Microsoft.DBforPostgreSQL/flexibleServers", True),
        ("Microsoft.Cache/redis", True),
        ("Microsoft.ContainerRegistry/registries", True),
        ("Microsoft.OperationalInsights/workspaces", True),
        ("Microsoft.RecoveryServices/vaults", True),
        ("Microsoft.Compute/disks", True),
        ("Microsoft.AzureActiveDirectory/b2cDirectories", True),
        ("Microsoft.Network/networkSecurityGroups", False),
        ("Microsoft.Web/sites", False),
    ],
)
def test_the_table_of_what_holds_data(kind: str, holds: bool) -> None:  # noqa: FBT001 - a table
    """By type, in any casing."""
    assert holds_data(kind) is holds


# ---- what left ------------------------------------------------------------------------------------


@given(before=_TREES, after=_TREES, touched=_TREES)
def test_what_left_is_what_was_there_and_is_not(
    before: list[str], after: list[str], touched: list[str]
) -> None:
    """Of the last good release and of failed attempts since; nothing that is there, nothing twice."""
    known = record(touched=tuple(touched))
    owned = [Owned(id=one.upper(), type="") for one in after]
    found = leaving.after_release(
        known, "2.1", owned, [Owned(id=one, type="") for one in before], {}
    )
    told = [fold(one.id) for one in found]

    assert set(told) == {fold(x) for x in [*before, *touched]} - {fold(x) for x in after}
    assert len(told) == len(set(told))


def test_what_an_earlier_release_left_keeps_that_release() -> None:
    """Two releases leave two resources, each its own."""
    first = record(left=lefts(NET))
    found = leaving.after_release(first, "3.1", (), (Owned(id=NIC, type=""),), {})

    assert leaving.left(msgspec.structs.replace(first, left=found)) == {NET: "2.1", NIC: "3.1"}


# ---- who else has it ------------------------------------------------------------------------------


@given(mine=_TREES, theirs=_TREES)
def test_whoever_has_something_is_always_read(mine: list[str], theirs: list[str]) -> None:
    """A stack that owns one of the resources, or something inside of one, is never passed over."""
    found = suspects(owner("api", *[one.upper() for one in theirs], scope=SUB), of=mine)
    taken, around = claims.sort_out(mine, theirs, ())

    assert bool(found.claimants) or not (taken | around)
    assert taken == {fold(x) for x in mine} & {fold(x) for x in theirs}
    assert all(any(ids.is_inside(t, one) for t in theirs) for one in around)


@pytest.mark.parametrize(
    ("other", "read"),
    [
        (owner("api", SITE), False),
        (owner("api", NIC), True),
        (owner("api", SUBNET), True),
        (owner("api", SITE, around=None), True),
        (owner("api", SITE, phase="failed"), True),
        (owner("api", SITE, phase="failed", scope=f"{SUB}/resourceGroups/other"), False),
        (
            owner("api", SITE, phase="failed", scope=f"{SUB}/resourceGroups/other", touched=[NIC]),
            True,
        ),
        (owner("web~1", NIC), True),
        (owner("web", NIC), False),
        (owner("api", NIC, orphaned=True), True),
        (owner("api", NIC, moved_to="new"), False),
    ],
)
def test_who_is_read(other: Record, read: bool) -> None:  # noqa: FBT001 - a table
    """Owners, those inside, those of old versions, and failed neighbours; halves count as others."""
    assert bool(suspects(other, of=[NET, NIC]).claimants) is read


def test_nothing_is_safe_near_a_release_that_runs() -> None:
    """It might be about to take the resource over."""
    at_work = owner("api", SITE)
    attempt = {"release": "2.1", "generation": 2, "revision": "a" * 40, "digest": "b" * 64}
    running = msgspec.convert(
        {**msgspec.to_builtins(at_work), "attempted": {**attempt, "inputs": "c" * 64, "at": AT}},
        Record,
    )
    found = suspects(running, of=[NET])

    assert not claims.is_safe(NET, found.unsafe)


def test_a_sketch_that_does_not_fit_says_so() -> None:
    """More than a listing's facts can hold makes a stack one that is always read."""
    inside = [f"{GROUP}/providers/Microsoft.X/t/n{n}/c/one" for n in range(500)]
    many = [f"{GROUP}/providers/Microsoft.X/t/n{n}" for n in range(1000)]

    assert suspects(owner("api", *inside), of=[NIC]).claimants
    assert all(suspects(owner("api", *many), of=[one]).claimants for one in many)


# ---- what needs somebody's word -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "owned", "policy", "waits"),
    [
        (3, 5, Policy(prune=True), False),
        (4, 5, Policy(prune=True), True),
        (4, 36, Policy(prune=True), False),
        (1, 5, Policy(prune=True, delete_most=0, delete_percent=0), True),
        (5, 5, Policy(prune=True, delete_most=0, delete_percent=50), False),
        (1, 0, Policy(prune=True), True),
    ],
)
def test_the_delete_budget(count: int, owned: int, policy: Policy, waits: bool) -> None:  # noqa: FBT001
    """The larger of a number and a part of the stack; and something must be left of it."""
    many = lefts(*(f"{NIC}{n}" for n in range(count)))
    found = choice.choose(record(policy=policy), many, (), (), owned=owned)

    assert (found.approval is not None) is waits
    assert found.fresh == many


@given(tree=_TREES, taken=_TREES, around=_TREES, going=_TREES)
def test_every_resource_is_in_one_place(
    tree: list[str], taken: list[str], around: list[str], going: list[str]
) -> None:
    """What left goes on, is new, is another's, or is kept: one of the four."""
    known = record(deleting=[Deletion(id=one, type="", release="1.1") for one in going])
    fold_all = {fold(one) for one in taken}
    found = choice.choose(
        known, lefts(*tree), fold_all, {fold(x) for x in around} - fold_all, owned=9
    )
    places = [
        *(one.id for one in found.going),
        *(one.id for one in found.fresh),
        *found.dropped,
        *found.kept,
    ]

    assert sorted(places) == sorted(tree)


def test_a_plan_names_the_release_that_left_each() -> None:
    """So that no approval is good for another time."""
    again = tuple(msgspec.structs.replace(one, release="4.1") for one in lefts(NET, NIC))

    assert choice.details(record(), lefts(NET, NIC)) == choice.details(record(), lefts(NIC, NET))
    assert choice.details(record(), again) != choice.details(record(), lefts(NET, NIC))


# ---- in which order -------------------------------------------------------------------------------


@given(tree=_TREES, needs=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=12))
def test_everything_goes_some_time_and_children_before_parents(
    tree: list[str], needs: list[tuple[int, int]]
) -> None:
    """Whatever a template says, circles included: each turn deletes something until all is gone."""
    wanted = {one: tuple(tree[b] for a, b in needs if a == n and b < len(tree) and a != b)
              for n, one in enumerate(tree)}  # fmt: skip
    fresh = [msgspec.structs.replace(one, needs=wanted[one.id]) for one in lefts(*tree)]
    items, order = choice.decided((), fresh, None), list[str]()
    for _ in range(len(tree)):
        now = steps.ready(items, AT)
        order += [one.id for one in now]
        items = steps.merged(items, [steps.gone(one) for one in now])

    assert sorted(order) == sorted(tree)
    for n, one in enumerate(order):
        assert not any(ids.is_inside(later, one) for later in order[n:])


def test_a_templates_relations_are_found_by_id_name_symbol_and_module() -> None:
    """Whatever a dependsOn is written as; what only ARM knows is left out."""
    nested = {"resources": [{"type": "Microsoft.Web/sites", "name": "site"}]}
    source = {
        "scope": GROUP,
        "parameters": {"name": {"value": "nic"}},
        "template": {
            "resources": [
                {
                    "type": "Microsoft.Network/virtualNetworks",
                    "name": "net",
                    "resources": [{"type": "subnets", "name": "one", "dependsOn": ["net"]}],
                },
                {
                    "type": "Microsoft.Network/networkInterfaces",
                    "name": "[parameters('name')]",
                    "dependsOn": [
                        "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'one')]",
                        "[reference('x').y]",
                    ],
                },
                {
                    "type": "Microsoft.Resources/deployments",
                    "name": "module",
                    "dependsOn": ["[parameters('name')]"],
                    "properties": {"template": nested},
                },
            ]
        },
    }

    assert relations(source, [NET, SUBNET, NIC, SITE]) == {
        fold(SUBNET): (NET,),
        fold(NIC): (SUBNET,),
        fold(SITE): (NIC,),
    }


# ---- step by step ---------------------------------------------------------------------------------


def test_who_waits_for_a_refused_one() -> None:
    """What it lies inside of does; what only a template's order puts behind it does not."""
    refused = steps.failed(
        Deletion(id=SUBNET, type="", release="2.1"), Stalled("ScopeLocked", "locked"), AT
    )
    outer = Deletion(id=NET, type="", release="2.1", after=(SUBNET,))
    other = Deletion(id=NIC, type="", release="2.1", after=(SUBNET,))

    assert steps.ready([refused, outer, other], AT) == (other,)
    assert steps.wait_for([refused, outer], AT) == steps.REST


def test_a_conflict_is_tried_again_later_each_time() -> None:
    """The wait grows, and what ARM asks for is heeded."""
    one, waits = Deletion(id=NIC, type="", release="2.1"), []
    for _ in range(4):
        one = steps.failed(one, Transient("Conflict", "in use"), AT)
        waits.append(steps.wait_for([one], AT))
        assert steps.ready([one], AT) == ()

    assert waits == sorted(waits)
    assert waits[-1] > timedelta(seconds=10)
    slow = steps.failed(one, Transient("Conflict", "in use", retry_after_s=600), AT)
    assert steps.wait_for([slow], AT) == timedelta(minutes=10)
