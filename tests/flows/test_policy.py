"""How a stack is treated reaches its record, and what left for good is known, without a release."""

import json
from typing import Any

import pytest

from shared.core import names
from shared.core.document import decode
from shared.core.policy import Ignore, Policy
from shared.core.tip import Tip, leavers
from tests.flows.world import CONFIGURATION, Killed, World, template


def shop(*stacks: str, head: str = "", **more: Any) -> dict[str, Any]:
    """Return a repository with these stacks; ``more`` are lines of each."""
    lines = ["version: 1", head, "stacks:"]
    for stack in stacks:
        lines += [f"  {stack}:", f"    template: {stack}.json", f"    scope: rg-{stack}"]
        lines += ["    createResourceGroup: westeurope"]
        lines += [f"    {key}: {value}" for key, value in more.items()]
    found: dict[str, Any] = {"plumbline.yaml": "\n".join(lines)}
    return found | {f"{stack}.json": template() for stack in stacks}


def with_ceilings(**ceilings: Any) -> dict[str, Any]:
    """Return the operator's configuration with these ceilings."""
    configuration: dict[str, Any] = json.loads(json.dumps(CONFIGURATION))
    configuration["repositories"]["example"]["ceilings"] = ceilings
    return configuration


def facts(world: World, stack: str) -> dict[str, str]:
    """Return what a listing shows of a stack's record."""
    name = names.record("example", stack)
    return next(dict(one.facts) for one in world.documents.list(name))


def test_a_change_of_policy_alone_releases_nothing(world: World) -> None:
    """It reaches the record at once, and neither generation nor Azure notice."""
    world.push(shop("a"))
    world.run(200)
    before = world.record("a")
    revision = world.push(
        shop("a", drift="{mode: heal, ignore: [{type: A/b, path: tags.x, value: 1}]}", prune="true")
    )
    world.run(60)
    after = world.record("a")

    ignored = (Ignore(type="A/b", path="tags.x", value=1),)
    assert after.policy == Policy(drift="heal", prune=True, ignore=ignored)
    assert (after.generation, after.applied) == (before.generation, before.applied)
    assert world.puts("a") == 1
    assert world.status(revision) == "nothing"


def test_an_operators_ceiling_reaches_the_record_without_a_push(world: World) -> None:
    """A lowered ceiling holds at the next poll, and the warning says where the manifest asks."""
    world.push(shop("a", drift="heal", prune="true"))
    world.run(60)
    world.configure(with_ceilings(heal=False, prune=False, delete_resources=1, delete_percent=0))
    world.restart()
    world.run(4000)

    policy = world.record("a").policy
    warnings = world.api("stacks/a")["warnings"]
    assert policy == Policy(delete_most=1, delete_percent=0)
    assert {(w["code"], w["path"]) for w in warnings} == {
        ("CeilingExceeded", "stacks.a.drift"),
        ("CeilingExceeded", "stacks.a.prune"),
    }
    assert world.puts("a") == 1


def test_what_left_is_kept_until_it_is_named(world: World) -> None:
    """A stack is removed when the manifest names it, also long after it left; and not any more then."""
    world.push(shop("a", "b", prune="true"))
    world.run(60)
    world.push(shop("a"))
    world.run(60)
    kept = world.record("b")
    world.push(shop("a", head="removed: [b]"))
    world.run(60)
    removed = world.record("b")
    world.push(shop("a"))
    world.run(60)

    assert [(r.orphaned, r.removed) for r in (kept, removed, world.record("b"))] == [
        (True, False),
        (True, True),
        (True, False),
    ]
    assert removed.desired == kept.desired


def test_a_stack_may_leave_and_be_named_in_one_push(world: World) -> None:
    """Its own last ``prune`` counts: there is no entry any more that could say it."""
    world.push(shop("a", "b", prune="true"))
    world.run(60)
    world.push(shop("a", head="removed: [b]"))
    world.run(60)

    assert world.record("b").removed
    assert facts(world, "b")["removed"] == "1"


def test_who_does_not_prune_keeps_what_it_names(world: World) -> None:
    """``removed`` without ``prune: true`` deletes nothing, and says how to mend it."""
    world.push(shop("a", "b"))
    world.run(60)
    world.push(shop("a", head="removed: [b]"))
    world.run(60)
    (warning,) = world.api("stacks/b")["warnings"]
    kept = world.record("b")
    world.push(shop("a", head="removed: [b]\ndefaults: {prune: true}"))
    world.run(60)

    assert (kept.removed, warning["code"]) == (False, "PruneOff")
    assert world.record("b").removed
    assert world.api("stacks/b")["warnings"] == []


def test_a_stack_that_comes_back_is_not_removed(world: World) -> None:
    """The manifest that has it again says so by that."""
    world.push(shop("a", "b", prune="true"))
    world.run(60)
    world.push(shop("a", head="removed: [b]"))
    world.run(60)
    world.push(shop("a", "b", prune="true"))
    world.run(60)

    assert (world.record("b").orphaned, world.record("b").removed) == (False, False)


def test_what_was_renamed_is_not_removed_by_its_old_name(world: World) -> None:
    """What it had is the new name's; and a name that means nothing costs no sync."""
    world.push(shop("a", prune="true"))
    world.run(60)
    renamed = shop("b", prune="true")
    renamed["plumbline.yaml"] = renamed["plumbline.yaml"].replace("rg-b", "rg-a")
    said = f"{renamed['plumbline.yaml']}\n    renamedFrom: a\n"
    world.push({**renamed, "plumbline.yaml": said})
    world.run(200)
    world.push({**renamed, "plumbline.yaml": f"{renamed['plumbline.yaml']}\nremoved: [a]\n"})
    world.run(60)
    stored = world.documents.read(names.tip("example"))
    assert stored is not None
    tip = decode(Tip, "tip", stored.data).document

    assert world.record("a").moved_to == "b"
    assert not world.record("a").removed
    assert leavers(tip, {stack: facts(world, stack) for stack in ("a", "b")}) == ()


def test_what_a_stack_left_in_another_scope_can_be_removed(world: World) -> None:
    """It has a name of its own, and was never in the manifest."""
    world.push(shop("a", prune="true"))
    world.run(60)
    there = shop("a", prune="true")
    there["plumbline.yaml"] = there["plumbline.yaml"].replace("rg-a", "rg-other")
    world.push(there)
    world.run(200)
    (half,) = world.api("stacks/example.a")["halves"]
    named = {**there, "plumbline.yaml": there["plumbline.yaml"] + f"\nremoved: [{half}]\n"}
    world.push(named)
    world.run(60)

    assert world.record(half).removed
    assert not world.record("a").removed


def test_a_manifest_that_cannot_be_read_removes_nothing_and_keeps_what_is_removed(
    world: World,
) -> None:
    """What is known stays as it was."""
    world.push(shop("a", "b", prune="true"))
    world.run(60)
    world.push(shop("a", head="removed: [b]"))
    world.run(60)
    world.push({"plumbline.yaml": "version: 1\nremoved: [a, b]\n"})
    world.run(60)

    assert not world.record("a").orphaned
    assert world.record("b").removed


@pytest.mark.parametrize("nth", range(1, 60, 3))
def test_a_crash_at_any_step_ends_the_same(world: World, nth: int) -> None:
    """The sweep finds records that do not say yet what the tip says."""
    world.push(shop("a", "b", prune="true"))
    world.run(60)
    count = 0

    def die(*_: object) -> None:
        nonlocal count
        count += 1
        if count == nth:
            raise Killed

    world.hook = die
    world.push(shop("a", head="removed: [b]", drift="heal"))
    world.run(1300)

    assert world.record("b").removed
    assert world.record("a").policy == Policy(drift="heal")
