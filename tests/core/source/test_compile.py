"""What ARM would receive, and the digest that changes with nothing else."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.source.compile import (
    Compiled,
    canonical_json,
    is_unchanged,
    spec_digest,
)
from tests.core.source.test_shop import compiled as compiled_shop
from tests.core.source.trees import (
    SUBSCRIPTION,
    MemoryTree,
    compiled,
    parameters,
    problems_of,
    stack,
    template,
    tree_of,
)

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "source"
MAIN = template(
    parameters={"text": {"type": "string"}, "list": {"type": "array", "defaultValue": [1, 2.5]}},
    variables={"a": None, "b": {"c": [True, "é", "[x(1, 'y')]"]}},
    resources=[{"type": "A.B/c", "apiVersion": "2020-01-01", "name": "n", "tags": {"K": "v"}}],
)
FILE = parameters(text={"value": "one"})


def shop_like(main: bytes, file: bytes, **fields: Any) -> Compiled:
    """Return a stack of these two files, compiled."""
    tree = MemoryTree({"main.json": main, "p.json": file})
    return compiled(tree, parameters=("p.json",), **fields)


ORIGINAL = shop_like(json.dumps(MAIN).encode(), json.dumps(FILE).encode())


def test_a_compiled_stack_holds_what_arm_receives() -> None:
    """Source, its canonical bytes, their digest, the files with their ids, and the policy."""
    assert ORIGINAL.source == {
        "engine": "deployment",
        "scope": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg",
        "location": None,
        "template": MAIN,
        "parameters": {"text": {"value": "one"}},
    }
    assert orjson.loads(ORIGINAL.content) == ORIGINAL.source
    assert ORIGINAL.digest == hashlib.sha256(ORIGINAL.content).hexdigest()
    assert set(ORIGINAL.files) == {"main.json", "p.json"}
    assert ORIGINAL.create_resource_group is None


def test_a_full_scope_is_kept_and_policy_is_handed_on() -> None:
    """A scope of another subscription; the location to create the group in."""
    scope = "/subscriptions/99999999-2222-3333-4444-555555555555/resourceGroups/rg"
    found = compiled(tree_of(main=template()), scope=scope, create_resource_group="westeurope")

    assert found.source["scope"] == scope
    assert found.create_resource_group == "westeurope"


@pytest.mark.parametrize("name", ["network", "logs", "storage", "web", "vault", "worker"])
def test_the_shop_compiles_to_what_was_reviewed(name: str) -> None:
    """A golden file per stack: a change of the compiler that changes a digest is seen."""
    found = compiled_shop(name)
    golden = json.loads((GOLDEN / f"{name}.json").read_text())

    assert found.source == golden["source"]
    assert found.digest == golden["digest"]


def spelled(value: Any, draw: st.DrawFn) -> str:
    """Return the value as JSON with drawn white space, comments and order of keys."""
    gap = draw(st.sampled_from(["", " ", "\n\t", "// c\n", '/* " { */', "\r\n  "]))
    if isinstance(value, dict):
        keys = draw(st.permutations(sorted(value)))
        inner = f",{gap}".join(f"{gap}{json.dumps(k)}{gap}:{spelled(value[k], draw)}" for k in keys)
        return f"{{{inner}{gap}}}"
    if isinstance(value, list):
        return f"[{gap}{f'{gap},'.join(spelled(each, draw) for each in value)}{gap}]"
    if isinstance(value, float):
        return draw(st.sampled_from([repr(value), f"{value}0", f"{value * 10}E-1"]))
    ascii_only = draw(st.booleans())
    return json.dumps(value, ensure_ascii=ascii_only)


@st.composite
def spellings(draw: st.DrawFn, value: Any) -> bytes:
    """Draw a spelling of a JSON value."""
    return spelled(value, draw).encode(draw(st.sampled_from(["utf-8", "utf-8-sig"])))


@given(spellings(MAIN), spellings(FILE))
def test_formatting_does_not_change_the_digest(main: bytes, file: bytes) -> None:
    """White space, comments, order of keys, escapes and the spelling of fractions are not ARM's."""
    found = shop_like(main, file)

    assert found.content == ORIGINAL.content
    assert found.digest == ORIGINAL.digest


def changed(value: Any) -> Iterator[Any]:
    """Yield the value with each leaf and each key in it changed once."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield {f"{k}x" if k == key else k: v for k, v in value.items()}
            yield from ({**value, key: other} for other in changed(each))
    elif isinstance(value, list):
        yield [*value, 0]
        for index, each in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1 :]] for other in changed(each))
    else:
        other = {str: f"{value}x", bool: not value}.get(type(value), value)
        yield other if other != value else [value]


@pytest.mark.parametrize("resource", list(changed(MAIN["resources"][0])))
def test_any_change_in_a_resource_changes_the_digest(resource: Any) -> None:
    """Every key and every value counts."""
    main = json.dumps({**MAIN, "resources": [resource]}).encode()

    assert shop_like(main, json.dumps(FILE).encode()).digest != ORIGINAL.digest


@pytest.mark.parametrize("variables", list(changed(MAIN["variables"])))
def test_any_change_in_variables_changes_the_digest(variables: Any) -> None:
    """Kinds of values count: null is not an empty list, 1 is not true."""
    main = json.dumps({**MAIN, "variables": variables}).encode()

    assert shop_like(main, json.dumps(FILE).encode()).digest != ORIGINAL.digest


def test_what_counts_and_what_does_not() -> None:
    """Scope, subscription and values count; file names, parameter case and policy do not."""
    main, file = json.dumps(MAIN).encode(), json.dumps(FILE).encode()
    renamed = MemoryTree({"x/y.json": main, "z.json": file.replace(b'"text"', b'"TEXT"')})

    assert compiled(renamed, template="x/y.json", parameters=("z.json",)).digest == ORIGINAL.digest
    assert shop_like(main, file, create_resource_group="westeurope").digest == ORIGINAL.digest
    assert shop_like(main, file, timeout=timedelta(hours=1)).digest == ORIGINAL.digest
    assert shop_like(main, file, scope="rg2").digest != ORIGINAL.digest
    assert shop_like(main, file, values={"text": "two"}).digest != ORIGINAL.digest
    assert shop_like(main, file, values={"text": "one"}).digest == ORIGINAL.digest


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1.0"),
        (True, "true"),
        (1.5, "1.5"),
        (100.0, "100.0"),
        ({"b": 1, "a": 2, "B": 3}, '{"B":3,"a":2,"b":1}'),
        ("é\n/", '"é\\n/"'),
    ],
)
def test_canonical_json(value: Any, text: str) -> None:
    """One spelling for each value; a number keeps its kind and a key its case."""
    assert canonical_json(value).decode() == text


def test_the_spec_digest_knows_the_spec() -> None:
    """Everything that may change the result without a change of a file."""
    digest = spec_digest(stack(), default_subscription=SUBSCRIPTION)
    others = [
        spec_digest(stack(**fields), default_subscription=SUBSCRIPTION)
        for fields in (
            {"template": "b.json"},
            {"parameters": ("p.json",)},
            {"values": {"a": 1}},
            {"scope": "rg2"},
            {"create_resource_group": "westeurope"},
            {"timeout": timedelta(hours=1)},
            {"timeout": timedelta(hours=2)},
        )
    ]
    others.append(spec_digest(stack(), default_subscription=SUBSCRIPTION.replace("1", "2")))

    assert len({digest, *others}) == len(others) + 1
    assert digest == spec_digest(stack(), default_subscription=SUBSCRIPTION.upper())


def test_unchanged_is_told_by_ids_alone() -> None:
    """No file is read; one that changed, went, or became a link is a change."""

    class Unreadable(MemoryTree):
        def read(self, path: str) -> bytes:
            raise AssertionError(path)

    files = {"main.json": b"a", "p.json": b"b"}
    known = {"main.json": MemoryTree(files).entry("main.json").id}  # type: ignore[union-attr]  # it is there

    assert is_unchanged(Unreadable(files), known)
    assert is_unchanged(Unreadable({**files, "p.json": b"c"}), known)
    assert not is_unchanged(Unreadable({**files, "main.json": b"c"}), known)
    assert not is_unchanged(Unreadable({"p.json": b"b"}), known)
    assert not is_unchanged(Unreadable(files, {"main.json": "symlink"}), known)


def test_parameters_over_arms_limit_are_refused() -> None:
    """Two files of a fair size may be too much together."""
    big = "x" * (3 * 1024 * 1024)
    tree = tree_of(
        main=template(parameters={"a": {"type": "string"}, "b": {"type": "string"}}),
        p=parameters(a={"value": big}),
        q=parameters(b={"value": big}),
    )
    (problem,) = problems_of(tree, parameters=("p.json", "q.json"))

    assert problem.code == "ParametersTooLarge"


class LyingTree(MemoryTree):
    """A tree whose files vanish, or grow, between looking and reading."""

    def read(self, path: str) -> bytes:
        """Return too much, or nothing."""
        if path == "main.json":
            raise KeyError(path)
        return b" " * (4 * 1024 * 1024 + 1)


def test_a_tree_that_changes_its_mind_is_still_answered() -> None:
    """What the tree's contract allows it to raise ends in a problem."""
    tree = LyingTree({"main.json": b"", "p.json": b""})
    codes = [each.code for each in problems_of(tree, parameters=("p.json",))]

    assert codes == ["FileNotFound", "FileTooLarge"]


def test_a_file_may_be_named_twice() -> None:
    """It is read once, and counts once."""
    tree = tree_of(main=template(parameters={"a": {"type": "int"}}), p=parameters(a={"value": 1}))

    assert set(compiled(tree, parameters=("p.json", "p.json")).files) == {"main.json", "p.json"}


def test_a_manifest_is_no_template() -> None:
    """Its lines are not looked for as if it were JSON."""
    tree = MemoryTree({"plumbline.yaml": b"version: 1", "p.json": b"{}"})
    codes = [
        (each.code, each.line)
        for each in problems_of(tree, template="plumbline.yaml", parameters=("gone.json",))
    ]

    assert codes == [("NotJson", 1), ("FileNotFound", None)]
