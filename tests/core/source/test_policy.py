"""How a stack is treated is understood as it was meant; what is wrong says where."""

import pytest

from shared.core.policy import Ignore, Policy
from shared.core.source.manifest import Manifest, parse_manifest
from shared.core.source.spec import MOST_ITEMS
from tests.core.source.test_manifest_problems import FILE, assert_complete

TAGS = Ignore(type="Microsoft.Web/sites", path="tags.owner")


def read(text: str, *, defaults: str = "") -> Manifest:
    """Return a manifest with a stack ``web`` that says ``text``."""
    common = f", {defaults}" if defaults else ""
    return parse_manifest(
        f"version: 1\ndefaults: {{scope: rg{common}}}\nstacks:\n"
        f"  web: {{template: t.json{text and ', '}{text}}}\n".encode(),
        FILE,
    )


def policy_of(text: str, *, defaults: str = "") -> Policy:
    """Return how the stack ``web`` is treated."""
    manifest = read(text, defaults=defaults)
    assert not manifest.problems
    assert not manifest.broken
    return manifest.stacks["web"].policy


IGNORED = "{type: Microsoft.Web/sites, path: tags.owner}"


@pytest.mark.parametrize(
    ("text", "defaults", "policy"),
    [
        ("", "", Policy()),
        ("drift: heal", "", Policy(drift="heal")),
        ("drift: {mode: heal}", "", Policy(drift="heal")),
        ("drift: {}", "", Policy()),
        ("", "drift: heal", Policy(drift="heal")),
        ("drift: report", "drift: heal", Policy()),
        (f"drift: {{ignore: [{IGNORED}]}}", "drift: heal", Policy(drift="heal", ignore=(TAGS,))),
        ("drift: heal", f"drift: {{ignore: [{IGNORED}]}}", Policy(drift="heal", ignore=(TAGS,))),
        ("", f"drift: {{ignore: [{IGNORED}]}}", Policy(ignore=(TAGS,))),
        (
            "drift: {ignore: [{type: a/b, path: c, value: ~}]}",
            f"drift: {{ignore: [{IGNORED}]}}",
            Policy(ignore=(TAGS, Ignore(type="a/b", path="c", value=None))),
        ),
        ("adopt: take", "", Policy(adopt="take")),
        ("", "adopt: take", Policy(adopt="take")),
        ("adopt: confirm", "adopt: take", Policy()),
        ("prune: true", "", Policy(prune=True)),
        ("prune: false", "prune: true", Policy()),
    ],
)
def test_how_a_stack_is_treated(text: str, defaults: str, policy: Policy) -> None:
    """The stack's own word wins, and what is ignored for all is ignored for it, too."""
    assert policy_of(text, defaults=defaults) == policy


@pytest.mark.parametrize(
    "value", [("1", 1), ("1.5", 1.5), ("true", True), ("'1'", "1"), ("~", None)]
)
def test_a_condition_keeps_its_kind(value: tuple[str, object]) -> None:
    """A number is not the text of it."""
    text, meant = value
    (ignore,) = policy_of(f"drift: {{ignore: [{{type: a/b, path: c, value: {text}}}]}}").ignore

    assert (ignore.value, type(ignore.value)) == (meant, type(meant))


def _ignore(text: str) -> str:
    return f"drift: {{ignore: [{text}]}}"


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("drift: mend", "UnknownWord", "drift"),
        ("drift: off", "AmbiguousValue", "drift"),
        ("drift: [heal]", "WrongType", "drift"),
        ("drift: {mode: heel}", "UnknownWord", "drift.mode"),
        ("drift: {mod: heal}", "UnknownKey", "drift.mod"),
        ("drift: {mode: heal, mode: report}", "DuplicateKey", "drift.mode"),
        ("drift: {ignore: {type: a/b}}", "WrongType", "drift.ignore"),
        ("drift: {ignore: !x [1]}", "TagRefused", "drift.ignore"),
        (_ignore("tags"), "WrongType", "drift.ignore[0]"),
        (_ignore("{path: c}"), "KeyMissing", "drift.ignore[0]"),
        (_ignore("{type: a/b}"), "KeyMissing", "drift.ignore[0]"),
        (_ignore("{type: a/b, path: c}, {type: ab, path: c}"), "BadType", "drift.ignore[1].type"),
        (_ignore("{type: '*', path: c}"), "BadType", "drift.ignore[0].type"),
        (_ignore("{type: 5, path: c}"), "WrongType", "drift.ignore[0].type"),
        (_ignore("{type: a/b, path: 'c[?x]'}"), "BadJsonPath", "drift.ignore[0].path"),
        (_ignore("{type: a/b, path: 5}"), "WrongType", "drift.ignore[0].path"),
        (_ignore("{type: a/b, path: c, value: [1]}"), "WrongType", "drift.ignore[0].value"),
        (_ignore("{type: a/b, path: c, value: !x 1}"), "TagRefused", "drift.ignore[0].value"),
        (_ignore("{type: a/b, path: c, value: yes}"), "AmbiguousValue", "drift.ignore[0].value"),
        (_ignore("{type: a/b, path: c, regex: x}"), "UnknownKey", "drift.ignore[0].regex"),
        (_ignore(", ".join([IGNORED] * (MOST_ITEMS + 1))), "TooManyItems", "drift.ignore"),
        ("adopt: yes", "AmbiguousValue", "adopt"),
        ("adopt: takes", "UnknownWord", "adopt"),
        ("prune: yes", "AmbiguousValue", "prune"),
        ("prune: 1", "WrongType", "prune"),
        ("prune: [true]", "WrongType", "prune"),
        ("prune: !!bool true", "TagRefused", "prune"),
    ],
)
def test_what_is_wrong_says_where(text: str, code: str, path: str) -> None:
    """The stack keeps its last good state, and the problem names the very member."""
    (problem, *_) = read(text).broken["web"]

    assert_complete(problem)
    assert (problem.code, problem.path, problem.line) == (code, f"stacks.web.{path}", 4)


def _removing(text: str) -> Manifest:
    return parse_manifest(
        f"version: 1\n{text}\nstacks: {{web: {{template: t, scope: rg}}}}\n".encode(), FILE
    )


def test_what_left_can_be_given_up_for_good() -> None:
    """Stacks by their names, and what one left in another scope."""
    manifest = _removing("removed: [api, web~3, api]\ndefaults: {prune: true}")

    assert not manifest.problems
    assert (manifest.removed, manifest.prunes) == (("api", "web~3"), True)


@pytest.mark.parametrize(
    ("text", "code", "path", "removed"),
    [
        ("removed: [web]", "RemovedStillThere", "removed[0]", ()),
        ("removed: [api, web]", "RemovedStillThere", "removed[1]", ("api",)),
        ("removed: [Api]", "BadName", "removed[0]", ()),
        ("removed: ['../x', api]", "BadName", "removed[0]", ("api",)),
        ("removed: [5]", "WrongType", "removed[0]", ()),
        ("removed: api", "WrongType", "removed", ()),
        ("removed:", "WrongType", "removed", ()),
        ("removed: !x [api]", "TagRefused", "removed", ()),
        ("removed: [api]\nremoved: [old]", "DuplicateKey", "removed", ()),
    ],
)
def test_what_is_in_doubt_is_not_deleted(
    text: str, code: str, path: str, removed: tuple[str, ...]
) -> None:
    """A mistake keeps resources, takes no stack with it, and is shown."""
    manifest = _removing(text)

    assert set(manifest.stacks) == {"web"}
    assert manifest.removed == removed
    (problem,) = manifest.problems
    assert_complete(problem)
    assert (problem.code, problem.path) == (code, path)


@pytest.mark.parametrize("entry", ["{template: t, renamedFrom: old}", "{renamedFrom: old}"])
def test_what_another_stack_takes_over_has_not_left(entry: str) -> None:
    """A deletion of the old name would take the resources of the new one away."""
    manifest = parse_manifest(
        f"version: 1\nremoved: [old]\ndefaults: {{scope: rg}}\nstacks: {{web: {entry}}}\n".encode(),
        FILE,
    )

    assert [problem.code for problem in manifest.problems] == ["RemovedStillThere"]
    assert manifest.removed == ()


def test_a_broken_stack_has_not_left() -> None:
    """An entry that cannot be read is in the manifest all the same."""
    manifest = parse_manifest(
        b"version: 1\nremoved: [web]\nstacks: {web: {template: 5, scope: rg}}\n", FILE
    )

    assert [problem.code for problem in manifest.problems] == ["RemovedStillThere"]
    assert manifest.removed == ()
