"""What a revision wants, against what the tip said: changed, broken, gone, or not worth reading."""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson
import pytest

from shared.core.configuration import Ceilings, Repository
from shared.core.policy import Policy
from shared.core.survey import Survey, survey
from shared.core.tip import Tip
from tests.fakes.git import FakeTree, Symlink

SUB = "11111111-1111-1111-1111-111111111111"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
TEMPLATE = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": []}


def _repository(**changed: Any) -> Repository:
    repository = Repository(
        url="https://git.example/shop",
        branch="main",
        hook="some-hook",
        hook_secrets=["PLUMBLINE_SECRET_X"],
        default_subscription=SUB,
        scopes=[f"/subscriptions/{SUB}"],
    )
    return msgspec.structs.replace(repository, **changed)


def _template(note: str = "") -> bytes:
    return orjson.dumps(TEMPLATE | {"outputs": {"note": {"type": "string", "value": note}}})


def _manifest(*names: str, **scopes: str) -> str:
    lines = ["version: 1", "stacks:"]
    for name in names:
        scope = scopes.get(name, f"rg-{name}")
        lines.append(f"  {name}: {{template: {name}.json, scope: {scope}}}")
    return "\n".join(lines)


def _files(*names: str, **scopes: str) -> dict[str, Any]:
    return {"plumbline.yaml": _manifest(*names, **scopes)} | {
        f"{name}.json": _template() for name in names
    }


class _Counting(FakeTree):
    """A tree that tells which files were read."""

    def __init__(self, revision: str, files: Mapping[str, Any]) -> None:
        super().__init__(revision, files)
        self.reads: list[str] = []

    def read(self, path: str) -> bytes:
        self.reads.append(path)
        return super().read(path)


def _seen(previous: Tip, revision: str, files: Mapping[str, Any], **settings: Any) -> Survey:
    tree = _Counting(revision, files)
    return survey(
        msgspec.structs.replace(previous, sync_seq=previous.sync_seq + 1),
        tree,
        _repository(**settings),
    )


EMPTY = Tip(repository="example")


def _codes(found: Survey, stack: str) -> list[str]:
    return [problem.code for problem in found.tip.broken.get(stack, ())]


def test_a_first_revision_changes_every_stack() -> None:
    """Each stack of the manifest gets an entry and a content."""
    found = _seen(EMPTY, "r1", _files("a", "b"))

    assert found.tip.visit is not None
    assert found.tip.visit.changed == ("a", "b")
    assert set(found.contents) == {entry.digest for entry in found.tip.entries.values()}


def test_an_unchanged_stack_is_not_even_read() -> None:
    """Only the manifest and what differs is read: two thousand quiet stacks cost nothing."""
    first = _seen(EMPTY, "r1", _files("a", "b")).tip
    tree = _Counting("r2", _files("a", "b") | {"b.json": _template("new")})

    found = survey(first, tree, _repository())

    assert found.tip.visit is not None
    assert found.tip.visit.changed == ("b",)
    assert set(tree.reads) == {"plumbline.yaml", "b.json"}
    assert found.tip.entries["a"] == first.entries["a"]


def test_formatting_and_comments_change_nothing() -> None:
    """What ARM would receive is the same, so nothing is released; the file ids are new."""
    first = _seen(EMPTY, "r1", _files("a")).tip
    text = b"// hello\n" + _template().replace(b",", b" ,\n ")

    found = _seen(first, "r2", _files("a") | {"a.json": text})

    assert found.tip.visit is not None
    assert found.tip.visit.changed == ()
    assert found.tip.entries["a"].changed_by == "r1"
    assert found.tip.entries["a"].files != first.entries["a"].files


def test_a_broken_stack_keeps_its_entry_and_takes_no_other_with_it() -> None:
    """The last good state stays; the others go on."""
    first = _seen(EMPTY, "r1", _files("a", "b")).tip

    found = _seen(first, "r2", _files("a", "b") | {"a.json": b"{", "b.json": _template("x")})

    assert found.tip.visit is not None
    assert (found.tip.visit.changed, found.tip.visit.broken) == (("b",), ("a",))
    assert found.tip.entries["a"] == first.entries["a"]


def test_a_mended_stack_is_compiled_again_even_if_its_files_came_back() -> None:
    """A problem does not outlive its cause."""
    files = _files("a")
    first = _seen(EMPTY, "r1", files).tip
    broken = _seen(first, "r2", files | {"a.json": b"{"}).tip

    found = _seen(broken, "r3", files)

    assert found.tip.broken == {}
    assert found.tip.visit is not None
    assert found.tip.visit.changed == ()


def test_a_stack_that_left_is_gone_and_comes_back_as_changed() -> None:
    """It is remembered as gone, so that its record can be marked, until it returns."""
    first = _seen(EMPTY, "r1", _files("a", "b")).tip
    left = _seen(first, "r2", _files("a"))
    back = _seen(left.tip, "r3", _files("a", "b"))

    assert left.tip.gone == ("b",)
    assert back.tip.gone == ()
    assert back.tip.visit is not None
    assert back.tip.visit.changed == ("b",)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "ManifestMissing"),
        ({"plumbline.yaml": Symlink("other.yaml")}, "ManifestNotAFile"),
        ({"plumbline.yaml/x": "y"}, "ManifestNotAFile"),
        ({"plumbline.yaml": b"#" * (5 * 1024 * 1024)}, "ManifestTooLarge"),
    ],
)
def test_an_unreadable_manifest_changes_nothing(files: dict[str, Any], code: str) -> None:
    """A missing, linked or huge manifest orphans nothing and is shown."""
    first = _seen(EMPTY, "r1", _files("a")).tip

    found = _seen(first, "r2", files)

    assert [problem.code for problem in found.tip.problems] == [code]
    assert (found.tip.entries, found.tip.gone) == (first.entries, ())
    assert found.tip.visit is not None
    assert found.tip.visit.unreadable


def test_a_name_that_is_none_is_the_repositorys_problem() -> None:
    """It becomes no stack and no document; the good stacks go on, and the revision has failed."""
    files = _files("a")
    files["plumbline.yaml"] += "\n  ../../evil: {template: a.json, scope: rg-a}"

    found = _seen(EMPTY, "r1", files)

    assert set(found.tip.entries) == {"a"}
    assert found.tip.broken == {}
    assert [problem.code for problem in found.tip.problems] == ["BadName"]
    assert found.tip.visit is not None
    assert found.tip.visit.unreadable


def test_a_scope_the_operator_does_not_allow_is_shown_where_it_is_written() -> None:
    """File, path and hint lead to the manifest's line; the stack is not deployed."""
    files = _files(
        "a", "b", a="/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/x"
    )

    found = _seen(EMPTY, "r1", files)

    (problem,) = found.tip.broken["a"]
    assert problem.code == "ScopeNotAllowed"
    assert (problem.file, problem.path) == ("plumbline.yaml", "stacks.a.scope")
    assert problem.hint
    assert set(found.tip.entries) == {"b"}


def _nested(**place: str) -> bytes:
    nested = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2024-03-01",
        "name": "elsewhere",
        **place,
        "properties": {"mode": "Incremental", "template": TEMPLATE},
    }
    return orjson.dumps(TEMPLATE | {"resources": [nested]})


def test_a_nested_deployment_cannot_leave_the_allowed_scopes() -> None:
    """What the manifest may not say, a template inside of it may not say either."""
    allowed = [f"/subscriptions/{SUB}/resourceGroups/rg-a"]

    found = _seen(
        EMPTY, "r1", _files("a") | {"a.json": _nested(resourceGroup="rg-other")}, scopes=allowed
    )

    (problem,) = found.tip.broken["a"]
    assert problem.code == "ScopeNotAllowed"
    assert problem.file == "a.json"


def test_a_scope_that_cannot_be_told_before_the_deployment_is_refused() -> None:
    """What the gate cannot decide it does not let through."""
    place = "[reference('x', '2024-01-01').group]"

    found = _seen(EMPTY, "r1", _files("a") | {"a.json": _nested(resourceGroup=place)})

    assert _codes(found, "a") == ["ScopeUndecided"]


def test_a_new_ceiling_is_applied_to_what_did_not_change() -> None:
    """When the operator withdraws a scope, the next sync shows it although no file changed."""
    first = _seen(EMPTY, "r1", _files("a")).tip

    found = _seen(first, "r1", _files("a"), scopes=[f"/subscriptions/{SUB}/resourceGroups/other"])

    assert _codes(found, "a") == ["ScopeNotAllowed"]


def _asking(more: str) -> dict[str, Any]:
    """Return a revision whose stack ``a`` asks for something."""
    manifest = f"version: 1\nstacks:\n  a: {{template: a.json, scope: rg-a, {more}}}\n"
    return {"plumbline.yaml": manifest, "a.json": _template()}


@pytest.mark.parametrize(
    ("more", "allowed", "path"),
    [
        (
            "createResourceGroup: westeurope",
            Ceilings(create_resource_groups=False),
            "stacks.a.createResourceGroup",
        ),
        ("timeout: 2h", Ceilings(timeout_minutes=119), "stacks.a.timeout"),
        ("drift: heal", Ceilings(heal=False), "stacks.a.drift"),
        ("drift: {mode: heal}", Ceilings(heal=False), "stacks.a.drift.mode"),
        ("prune: true", Ceilings(prune=False), "stacks.a.prune"),
    ],
)
def test_a_stack_that_asks_for_more_than_a_ceiling_is_capped_and_warned(
    more: str, allowed: Ceilings, path: str
) -> None:
    """What ARM receives stays as it was; lifting the ceiling gives it all, without a push."""
    first = _seen(EMPTY, "r1", _asking(more)).tip

    capped = _seen(first, "r1", _asking(more), ceilings=allowed).tip
    lifted = _seen(capped, "r1", _asking(more)).tip

    (warning,) = capped.entries["a"].warnings
    assert (warning.code, warning.path) == ("CeilingExceeded", path)
    assert capped.entries["a"].digest == first.entries["a"].digest
    assert capped.entries["a"].create_group is None
    assert capped.entries["a"].timeout_s in {None, 119 * 60}
    assert capped.entries["a"].policy == Policy()
    assert lifted.entries["a"] == first.entries["a"]


def _defaulting(defaults: str, more: str, rest: str = "") -> dict[str, Any]:
    manifest = (
        f"version: 1\ndefaults: {{{defaults}}}\n{rest}\n"
        f"stacks:\n  a: {{template: a.json, scope: rg-a{more}}}\n"
    )
    return {"plumbline.yaml": manifest, "a.json": _template()}


def test_what_defaults_ask_for_too_much_is_warned_of_there() -> None:
    """Also where the stack says something else about drift, and only its mode is inherited."""
    for more in ("", ", drift: {ignore: [{type: a/b, path: c}]}"):
        found = _seen(
            EMPTY, "r1", _defaulting("drift: heal", more), ceilings=Ceilings(heal=False)
        ).tip

        (warning,) = found.entries["a"].warnings
        assert (warning.code, warning.path) == ("CeilingExceeded", "defaults.drift")


def test_policy_is_no_part_of_what_arm_receives() -> None:
    """To change it is to change no digest, and yet the tip says it anew."""
    first = _seen(EMPTY, "r1", _asking("drift: report")).tip
    second = _seen(first, "r2", _asking("drift: heal, prune: true, adopt: take")).tip

    assert second.entries["a"].policy == Policy(drift="heal", prune=True, adopt="take")
    assert second.entries["a"].digest == first.entries["a"].digest
    assert second.entries["a"].changed_by == first.entries["a"].changed_by
    assert second.visit is not None
    assert second.visit.changed == ()


def test_the_delete_budget_is_the_operators() -> None:
    """A new one reaches the stack although no file changed."""
    first = _seen(EMPTY, "r1", _files("a")).tip
    allowed = Ceilings(delete_resources=0, delete_percent=50)

    found = _seen(first, "r1", _files("a"), ceilings=allowed).tip

    assert first.entries["a"].policy == Policy()
    assert found.entries["a"].policy == Policy(delete_most=0, delete_percent=50)
    assert found.entries["a"].warnings == ()


def test_nothing_is_removed_where_the_operator_lets_nobody_delete() -> None:
    """The ceiling holds for stacks that left, too, and is shown where the manifest says it."""
    files = _defaulting("prune: true", "", "removed: [b]")

    free = _seen(EMPTY, "r1", files).tip
    held = _seen(EMPTY, "r1", files, ceilings=Ceilings(prune=False)).tip

    assert (free.removed, free.problems) == (("b",), ())
    assert held.removed == ()
    assert [(p.code, p.path) for p in held.problems] == [("CeilingExceeded", "removed")]


@pytest.mark.parametrize(
    ("asked", "allowed", "seconds"),
    [
        ("timeout: 60m", None, 3600),
        ("timeout: 60m", 60, 3600),
        ("timeout: 60m", 90, 3600),
        ("", 90, 5400),
        ("", None, None),
    ],
)
def test_a_release_may_run_as_long_as_the_smaller_of_manifest_and_ceiling(
    asked: str, allowed: int | None, seconds: int | None
) -> None:
    """A stack that says nothing has the ceiling; one that asks for less gets what it asks for."""
    more = asked or "parameters: []"

    tip = _seen(EMPTY, "r1", _asking(more), ceilings=Ceilings(timeout_minutes=allowed)).tip

    assert tip.entries["a"].timeout_s == seconds
