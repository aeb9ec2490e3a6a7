"""What is drift: the principles of the judgement, each on a body that looks like its opposite."""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given

from shared.core.drift import noise, paths
from shared.core.drift.differences import MISSING, differences
from shared.core.drift.evidence import Evidence
from shared.core.drift.judgement import (
    Judged,
    Looked,
    Standard,
    by_the_parent,
    handed_down,
    is_worth_another_look,
    judge,
    together,
)
from shared.core.drift.model import ABSENT, SECRET, Gap, Settled
from shared.core.policy import Ignore
from tests.core.drift.cases import (
    BODIES,
    GROUP,
    NOW,
    STORE,
    STORE_TYPE,
    SUBNET,
    TOUCHED_AT,
    UNSURE,
    UNTOUCHED,
    VNET,
    VNET_TYPE,
    look,
    owned,
    standard,
    touched,
    write,
)

A = {"properties": {"a": 1, "same": True}}
B = {"properties": {"a": 2, "same": True}}
C = {"properties": {"a": 3, "same": True}}
PLACE = ("properties", "a")
MOVING = noise.by_key([noise.found(STORE_TYPE, "properties.a", noise.MOVES, NOW, 2)])
WANTED = {STORE.lower(): A}
GAP = Gap(code="Forbidden", message="x", resource=STORE)
MOVED = "Microsoft.Resources/subscriptions/resourceGroups/moveResources/action"
MINUTE = timedelta(minutes=1)


def secret(key: str, value: int) -> str:
    """Return the digest of a secret."""
    return f"secret-digest:{key}:{value:032d}"


def settled(body: Any = B, at: Any = NOW - MINUTE) -> dict[tuple[str, str], Settled]:
    """Return that ``a`` had come to what it is in a body, when nobody had touched the store."""
    (one,) = judge(look(A, body, UNTOUCHED), standard(at=at)).settled
    return {(STORE.lower(), "properties.a"): one}


def paths_of(judged: Judged) -> list[str]:
    """Return where items are."""
    return [item.path for item in judged.items]


@pytest.mark.parametrize("proof", [touched(), UNSURE])
def test_what_was_touched_and_is_another_value_is_drift(proof: Evidence) -> None:
    """It says what was, what is, what the template leads to, and who did it where that is known."""
    (item,) = judge(look(A, B, proof), standard(wanted=WANTED)).items

    assert (item.kind, item.path, item.managed) == ("modified", "properties.a", True)
    assert (item.wanted, item.released, item.now) == (1, 1, 2)
    assert (item.who.caller if item.who is not None else None) == (
        "ann" if proof.touch == "touched" else None
    )
    assert item.first_seen == NOW


def test_what_git_is_silent_about_is_drift_too() -> None:
    """N23: a member that somebody added, which the template does not know, is shown as unmanaged."""
    now = {"properties": {**A["properties"], "allowPermanentDelete": True}, "tags": {"v": "2"}}
    found = judge(look(A, now), standard(wanted=WANTED))

    assert paths_of(found) == ["properties.allowPermanentDelete", "tags"]
    assert [(item.managed, item.released) for item in found.items] == [(False, ABSENT)] * 2


@given(one=BODIES, other=BODIES)
def test_the_untouched_never_drifts(one: Any, other: Any) -> None:
    """Whatever differs on a resource that nobody touched: it moves by itself, and is remembered."""
    judged = judge(look(one, other, UNTOUCHED), standard(wanted={STORE.lower(): one}))

    assert judged.items == ()
    assert len(judged.settled) == len(differences(one, other))


@given(one=BODIES, other=BODIES)
def test_the_touched_always_drifts(one: Any, other: Any) -> None:
    """Each difference is an item, unless a rule, a stamp, the manifest or the past speaks for it."""
    judged = judge(look(one, other), standard())
    found = differences(one, other)

    assert paths_of(judged) == [paths.text(each.place) for each in found]
    assert all(item.now == SECRET or item.released != item.now for item in judged.items)


@pytest.mark.parametrize(
    ("looked", "by"),
    [
        (look(A, A), standard()),
        (look(A, B), standard(ignores=[Ignore(type=STORE_TYPE, path="properties.a")])),
        (look(A, B), standard(ignores=[Ignore(type=STORE_TYPE, path="properties", value=2)])),
        (look(A, B), standard(rules=MOVING)),
        (look(A, B, again=C), standard()),
        (look(A, B, again=A), standard(wanted=WANTED)),
        (look({"t": "2020-01-01T00:00:00Z"}, {"t": TOUCHED_AT.isoformat()}), standard()),
        (look(A, B), standard(settled=settled(at=TOUCHED_AT - MINUTE))),
        (look(A, B, UNSURE), standard(settled=settled())),
        (look(MISSING, B), standard()),
        (look(None, B), standard()),
        (look(A, MISSING), standard()),
        (look(None, None), standard()),
    ],
)
def test_what_is_no_drift(looked: Looked, by: Standard) -> None:
    """As released, ignored, moving, a stamp, settled before, over again, or without a measure."""
    assert judge(looked, by).items == ()


@pytest.mark.parametrize(
    ("looked", "by"),
    [
        (look(A, B), standard(ignores=[Ignore(type=STORE_TYPE, path="properties", value=1)])),
        (look(A, B), standard(ignores=[Ignore(type=VNET_TYPE, path="properties.a")])),
        (look(A, B), standard(rules=MOVING, wanted=WANTED)),
        (look(A, B, again=C), standard(wanted=WANTED)),
        (look(A, B, again=B), standard()),
        (look(A, B, again=None), standard()),
        (look(A, B), standard(settled=settled(at=TOUCHED_AT + MINUTE))),
        (look(A, B), standard(settled=settled(C, at=TOUCHED_AT - MINUTE))),
        (
            look({"t": "2020-01-01T00:00:00Z"}, {"t": TOUCHED_AT.isoformat()}),
            standard(wanted={STORE.lower(): {"t": "2020-01-01T00:00:00Z"}}),
        ),
    ],
)
def test_what_looks_like_noise_and_is_drift(looked: Looked, by: Standard) -> None:
    """Another value than the manifest's, another than what had settled, and all that the template says.

    Settled in a look that came after the touch, when the log was late, is not settled.
    """
    assert len(judge(looked, by).items) == 1


def test_what_settles_stays_settled_from_when_it_did() -> None:
    """The same value keeps its moment; another one settles anew and is evidence that it moves."""
    first = judge(look(A, B, UNTOUCHED), standard(at=NOW))
    before = {(STORE.lower(), "properties.a"): first.settled[0]}
    same = judge(look(A, B, UNTOUCHED), standard(at=NOW + MINUTE, settled=before))
    other = judge(look(A, C, UNTOUCHED), standard(at=NOW + MINUTE, settled=before))

    assert same == Judged(settled=first.settled)
    assert other.settled[0].at == NOW + MINUTE
    assert [len(each.learned) for each in (first, same, other)] == [1, 0, 1]


def test_two_readings_that_differ_are_evidence_for_this_look() -> None:
    """What moved between them is no drift now, and makes a rule with the next; what is as released teaches none."""
    (one,) = noise.gathered(judge(look(A, B, again=C), standard()).learned)

    assert not noise.is_moving(noise.by_key([one]), STORE_TYPE, PLACE)
    assert noise.is_moving(noise.by_key(noise.merged([one], [one])), STORE_TYPE, PLACE)
    assert judge(look(A, B, again=A), standard()) == Judged()


@pytest.mark.parametrize(
    ("looked", "is_so"),
    [
        (look(A, B), True),
        (look(A, B, UNSURE), True),
        (look(A, A), False),
        (look(A, B, UNTOUCHED), False),
        (look(A, None), False),
        (look(A, MISSING, gap=GAP), False),
    ],
)
def test_what_is_read_again(looked: Looked, *, is_so: bool) -> None:
    """What seems to have drifted, and nothing else: a call costs."""
    assert is_worth_another_look(looked, standard()) == is_so


@pytest.mark.parametrize(
    ("released", "proof", "is_deleted"),
    [
        (A, UNTOUCHED, True),
        (A, UNSURE, True),
        (MISSING, UNSURE, True),
        (None, UNTOUCHED, False),
        (None, touched(STORE, write(operation="a/b/delete")), True),
        (None, touched(), False),
    ],
)
def test_what_is_gone(released: Any, proof: Evidence, *, is_deleted: bool) -> None:
    """Deleted is drift, without any witness; what was not there at the snapshot needs one."""
    judged = judge(look(released, None, proof), standard())

    assert [item.kind for item in judged.items] == (["deleted"] if is_deleted else [])
    assert all(item.severity == "high" and item.managed for item in judged.items)


@pytest.mark.parametrize(
    ("writes", "caller", "is_moved"),
    [
        ([write(operation="Microsoft.Storage/storageAccounts/delete")], "ann", False),
        ([write(GROUP, operation="Microsoft.Resources/resourceGroups/delete")], "ann", False),
        ([write(GROUP, operation=MOVED)], "ann", True),
        ([write()], None, False),
        ([write(VNET, operation="Microsoft.Network/virtualNetworks/delete")], None, False),
    ],
)
def test_who_deleted_it(writes: list[Any], caller: str | None, *, is_moved: bool) -> None:
    """Whoever deleted it or its group; one that was moved says so, and how to mend it."""
    (item,) = judge(look(A, None, touched(STORE, *writes)), standard()).items

    assert (item.who.caller if item.who is not None else None) == caller
    assert (item.hint is not None) == is_moved


@pytest.mark.parametrize("where", ["whole", "member", "array", "deep"])
def test_secrets_with_two_keys_are_a_gap(where: str) -> None:
    """Never drift, and never clean: after the digest key was changed nobody can tell."""

    def body(key: str) -> Any:
        value = secret(key, 1)
        return {
            "whole": {"s": value},
            "member": {"l": [{"name": "x", "s": value}]},
            "array": {"l": [value, "plain"]},
            "deep": {"l": [{"a": {"b": [value]}}]},
        }[where]

    judged = judge(look(body("one"), body("two")), standard())

    assert judged.items == ()
    assert [gap.code for gap in judged.gaps] == ["SecretUncomparable"]


def test_a_changed_secret_is_shown_as_changed_and_no_more() -> None:
    """High, by its digest with one key; neither value nor digest is in the item."""
    (item,) = judge(look({"s": secret("k", 1)}, {"s": secret("k", 2)}), standard()).items

    assert (item.now, item.severity) == (SECRET, "high")
    assert "secret-digest" not in repr(item)


def test_a_text_that_looks_like_a_digest_makes_no_gap() -> None:
    """Who writes such a text beside a secret, or in place of a plain value, is found."""
    plain = look({"a": "Allow"}, {"a": secret("x", 1)})
    beside = look({"l": [secret("k", 1)]}, {"l": [secret("k", 1), secret("x", 1)]})

    assert [len(judge(each, standard()).items) for each in (plain, beside)] == [1, 1]


def network(prefix: str, **more: Any) -> dict[str, Any]:
    """Return a network with one subnet, which has an id of its own."""
    subnet = {"name": "web", "id": SUBNET.upper(), "properties": {"addressPrefix": prefix}}
    return {"properties": {"subnets": [subnet], **more}}


def test_children_are_told_of_the_children() -> None:
    """N8: what differs in a child's part of the parent is the child's, if that is judged by itself."""
    looked = look(
        network("10.0.0.0/24"),
        network("10.0.1.0/24", dhcp=True),
        touched(VNET),
        owned=owned(VNET, VNET_TYPE),
    )
    alone = judge(looked, standard(owned={VNET.lower()}))
    both = judge(looked, standard(owned={VNET.lower(), SUBNET.lower()}))

    assert paths_of(alone) == [
        "properties.dhcp",
        "properties.subnets[name=web].properties.addressPrefix",
    ]
    assert paths_of(both) == ["properties.dhcp"]


def test_a_child_that_is_gone_from_its_parent_is_told_of_the_child() -> None:
    """Its own look finds that it is deleted."""
    looked = look(
        network("10.0.0.0/24"),
        {"properties": {"subnets": []}},
        touched(VNET),
        owned=owned(VNET, VNET_TYPE),
    )

    assert judge(looked, standard(owned={VNET.lower(), SUBNET.lower()})).items == ()


def test_a_reference_to_another_resource_is_no_child() -> None:
    """N23: a network rule of a store names a subnet of the stack; taking it away is the store's drift."""
    rule = {"id": SUBNET, "action": "Allow"}
    looked = look(
        {"properties": {"networkAcls": {"virtualNetworkRules": [rule]}}},
        {"properties": {"networkAcls": {"virtualNetworkRules": []}}},
    )
    (item,) = judge(looked, standard(owned={STORE.lower(), SUBNET.lower()})).items

    assert item.severity == "high"


def test_what_could_not_be_read_is_a_gap_and_nothing_else() -> None:
    """Neither clean nor drifted."""
    assert judge(look(A, MISSING, gap=GAP), standard()) == Judged(gaps=(GAP,))


def test_judgements_add_up() -> None:
    """Several looks are one, in order, and no look is nothing."""
    parts = [judge(look(A, B), standard()), judge(look(A, C, UNTOUCHED), standard())]
    whole = together(parts)

    assert together([]) == Judged()
    assert (whole.items, whole.settled) == (parts[0].items, parts[1].settled)


def test_five_thousand_differences_are_judged_in_seconds() -> None:
    """An array with as many named elements as nobody has, all of them edited."""

    def body(port: int) -> Any:
        rules = [{"name": f"r{n}", "id": f"{STORE}/r/{n}", "p": port} for n in range(5_000)]
        return {"properties": {"rules": rules}}

    looked = look(body(1), body(2), again=body(2))
    started = time.process_time()
    judged = judge(looked, standard(wanted={STORE.lower(): body(1)}))

    assert time.process_time() - started < 20
    assert len(judged.items) == 5_000


def test_who_writes_a_parent_with_its_children_writes_them() -> None:
    """The log tells of the parent only: its child counts as touched by the same hand, if it differs."""
    by = standard(owned={VNET.lower(), SUBNET.lower()})
    parent = look(
        network("10.0.0.0/24"),
        network("10.0.1.0/24"),
        touched(VNET, write(VNET)),
        owned=owned(VNET, VNET_TYPE),
    )
    child = look(
        {"properties": {"addressPrefix": "10.0.0.0/24"}},
        {"properties": {"addressPrefix": "10.0.1.0/24"}},
        UNTOUCHED,
        owned=owned(SUBNET, f"{VNET_TYPE}/subnets"),
    )
    (item,) = judge(by_the_parent(child, parent), by).items

    assert handed_down(parent, by) == {SUBNET.lower()}
    assert item.who is not None
    assert item.who.caller == "ann"
    assert judge(child, by).items == ()


@pytest.mark.parametrize(
    ("now", "proof", "children"),
    [
        (network("10.0.1.0/24"), UNTOUCHED, set()),
        (network("10.0.0.0/24", dhcp=True), touched(VNET, write(VNET)), set()),
        ({"properties": {"subnets": []}}, touched(VNET, write(VNET)), {SUBNET.lower()}),
        (None, touched(VNET, write(VNET)), set()),
        (MISSING, touched(VNET, write(VNET)), set()),
    ],
)
def test_only_what_differs_is_handed_down(now: Any, proof: Evidence, children: set[str]) -> None:
    """A parent that nobody touched, or whose own members differ, says nothing of its children."""
    by = standard(owned={VNET.lower(), SUBNET.lower()})
    looked = look(network("10.0.0.0/24"), now, proof, owned=owned(VNET, VNET_TYPE))

    assert handed_down(looked, by) == children


def test_a_child_that_was_touched_itself_keeps_its_own_witnesses() -> None:
    """Who wrote the child is named, and not who wrote its parent."""
    child, parent = look(A, B), look(A, B, touched(STORE, write(caller="bob")))

    assert by_the_parent(child, parent) is child


def test_what_the_template_says_may_move_if_it_moved_while_nobody_touched_it() -> None:
    """A number of nodes that is scaled is named by the template, and moves all the same (N20)."""
    scaled = look(A, B, touched(STORE, write()), again=C)
    once = noise.by_key([noise.found(STORE_TYPE, "properties.a", noise.MOVES, NOW)])

    assert paths_of(judge(scaled, standard(wanted=WANTED))) == ["properties.a"]
    assert judge(scaled, standard(wanted=WANTED, rules=once)).items == ()
    assert (
        judge(scaled, standard(wanted=WANTED, settled=settled(C, TOUCHED_AT - MINUTE))).items == ()
    )


@pytest.mark.parametrize(
    ("agreed", "is_drift"),
    [
        ({STORE.lower(): B}, False),
        ({STORE.lower(): A}, True),
        ({STORE.lower(): {"properties": {}}}, True),
        ({VNET.lower(): B}, True),
        ({}, True),
    ],
)
def test_what_became_what_the_template_says_is_no_drift(
    agreed: dict[str, Any], *, is_drift: bool
) -> None:
    """As it was known before: only that value, at that place, of that resource."""
    assert bool(judge(look(A, B), standard(agreed=agreed)).items) == is_drift


def test_no_secret_agrees_with_what_if() -> None:
    """What stands for a secret in a template says nothing of what is there."""
    looked = look({"s": secret("k", 1)}, {"s": secret("k", 2)})
    agreed = {STORE.lower(): {"s": secret("k", 2)}}

    assert len(judge(looked, standard(agreed=agreed)).items) == 1
