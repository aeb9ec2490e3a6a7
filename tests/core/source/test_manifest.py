"""A manifest that is right is understood as it was meant, and none makes the parser raise."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.source.defaults import DEFAULT_READERS
from shared.core.source.manifest import (
    STACK_READERS,
    StackSpec,
    parse_manifest,
    read_manifest,
)
from shared.core.source.written import Defaults, ManifestFile, StackEntry
from tests.core.source.trees import SUBSCRIPTION, MemoryTree

FILE = "plumbline.yaml"


def stacks_of(text: str) -> Mapping[str, StackSpec]:
    """Return the stacks of a manifest that has no problems."""
    manifest = parse_manifest(text.encode(), FILE)
    assert not manifest.problems
    assert not manifest.broken
    return manifest.stacks


def test_a_stack_is_understood_with_its_defaults() -> None:
    """Paths are clean, defaults are below the stack, values keep their types."""
    stacks = stacks_of(
        """
version: 1
defaults: {scope: rg-shop, createResourceGroup: West Europe}
stacks:
  web:
    template: ./stacks//web/../web/main.json
    parameters: [a.json, b/c.json]
    values: {text: "012", number: -12, share: 0.5, on_: true, nothing: ~, list: [1, x], deep: {A: b}}
    scope: rg-web
  api:
    template: api.json
"""
    )
    web, api = stacks["web"], stacks["api"]

    assert web.template == "stacks/web/main.json"
    assert web.parameters == ("a.json", "b/c.json")
    assert web.values == {
        "text": "012",
        "number": -12,
        "share": 0.5,
        "on_": True,
        "nothing": None,
        "list": [1, "x"],
        "deep": {"A": "b"},
    }
    assert (web.scope, api.scope) == ("rg-web", "rg-shop")
    assert web.create_resource_group == "westeurope"
    assert (api.parameters, api.values) == ((), {})


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("5m", 300), ("90m", 5400), ("1440m", 86_400), ("1h", 3600), ("24h", 86_400), ("'2h'", 7200)],
)
def test_a_timeout_is_minutes_or_hours(written: str, seconds: int) -> None:
    """From five minutes to a day, both included."""
    stacks = stacks_of(f"version: 1\nstacks: {{a: {{template: t, scope: r, timeout: {written}}}}}")

    assert stacks["a"].timeout == timedelta(seconds=seconds)


def test_a_stack_takes_its_timeout_from_defaults_unless_it_says_one() -> None:
    """Without either there is none."""
    stacks = stacks_of(
        "version: 1\ndefaults: {scope: r, timeout: 2h}\n"
        "stacks: {a: {template: t}, b: {template: t, timeout: 5m}}"
    )
    neither = stacks_of("version: 1\nstacks: {a: {template: t, scope: r}}")

    assert stacks["a"].timeout == timedelta(hours=2)
    assert stacks["b"].timeout == timedelta(minutes=5)
    assert neither["a"].timeout is None


def test_a_full_scope_gets_arm_casing() -> None:
    """The segments and the subscription have one spelling; the group's name is the user's."""
    scope = f"/SUBSCRIPTIONS/{SUBSCRIPTION.upper()}/resourcegroups/RG-Web/"
    stacks = stacks_of(f"version: 1\nstacks: {{a: {{template: t, scope: {scope}}}}}")

    assert stacks["a"].scope == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG-Web"


@pytest.mark.parametrize("name", ["a", "0", "web-1", "a" * 31])
def test_good_names(name: str) -> None:
    """Letters, digits, single hyphens."""
    assert set(stacks_of(f"version: 1\nstacks: {{'{name}': {{template: t, scope: r}}}}")) == {name}


def test_anchors_and_merge_keys_work() -> None:
    """What companies write to repeat themselves less; the entry's own keys win."""
    stacks = stacks_of(
        """
version: 1
stacks:
  a: &base {template: t, scope: rg, values: &v {x: 1, y: 2}}
  b:
    <<: *base
    scope: rg-b
    values: {<<: [*v, {z: 4, x: 9}], y: 3}
"""
    )
    assert (stacks["b"].template, stacks["b"].scope) == ("t", "rg-b")
    assert stacks["b"].values == {"x": 1, "y": 3, "z": 4}


def test_a_byte_order_mark_and_dos_lines_are_fine() -> None:
    """Editors on Windows write them."""
    text = "\ufeffversion: 1\r\nstacks:\r\n  a: {template: t, scope: r}\r\n"

    assert set(stacks_of(text)) == {"a"}


def test_problems_find_the_line_of_a_value() -> None:
    """The spec remembers where things were written, for what compiling finds later."""
    spec = stacks_of(
        "version: 1\nstacks:\n  a:\n    template: t\n    scope: r\n    values:\n      b c: 1\n"
    )["a"]

    assert spec.value_place("b c").line == 7
    assert spec.value_place("b c").path == "stacks.a.values['b c']"
    assert spec.place("template").line == 4


def test_a_manifest_is_read_from_the_tree() -> None:
    """The path is the operator's; what is in it is parsed."""
    tree = MemoryTree({"env/prod.yaml": b"version: 1\nstacks: {a: {template: t, scope: r}}"})

    assert set(read_manifest(tree, "env/prod.yaml").stacks) == {"a"}


def test_readers_know_every_field_that_the_schema_knows() -> None:
    """A field is added to both or to none."""
    assert set(STACK_READERS) == set(StackEntry.__struct_encode_fields__)
    assert set(DEFAULT_READERS) == set(Defaults.__struct_encode_fields__)
    assert set(ManifestFile.__struct_encode_fields__) == {
        "version",
        "defaults",
        "stacks",
        "removed",
    }


WORDS = st.sampled_from(
    ["version: 1\n", "stacks:\n", "  a:\n", "    template: t\n", "    scope: rg\n", "&a ", "*a", "<<: ",
     "!!str ", "? ", ": ", "- ", "[", "]", "{", "}", ",", "'", '"', "|\n", "yes", "012", "\t", "\n",
     "---\n", "...\n", "%YAML 1.1\n", "#", "\u2028", "\x85", "\ufeff", "values: {a: 1}\n"]
)  # fmt: skip


@given(
    st.one_of(
        st.binary(max_size=200), st.lists(WORDS, max_size=25).map(lambda w: "".join(w).encode())
    )
)
def test_no_bytes_make_the_parser_raise(data: bytes) -> None:
    """Whatever is pushed is answered, and every problem says where and how to mend it."""
    manifest = parse_manifest(data, FILE)

    everything = [*manifest.problems, *(each for one in manifest.broken.values() for each in one)]
    assert manifest.stacks or everything
    assert all(each.hint and each.file == FILE and each.message for each in everything)
    assert all(manifest.broken.values())
