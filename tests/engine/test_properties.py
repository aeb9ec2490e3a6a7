"""What holds for every input: no crash, no surprise in counts, the same plan every time."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.arm.engine import TemplateError, evaluate, parse_template, plan
from local.arm.engine.lexer import tokenize
from local.arm.engine.parser import parse_expression
from local.arm.engine.quoting import quote
from local.arm.engine.syntax import Access, Call, Literal, Node, write
from local.arm.engine.values import identity
from tests.engine.world import Answers, context, planned, resource, template, value_of

_QUICK = settings(max_examples=40, deadline=None)
_NAMES = st.sampled_from(["concat", "parameters", "if", "ns.f", "listKeys", "Reference"])
_LITERALS = st.builds(Literal, st.one_of(st.text(max_size=8), st.integers(-(2**63), 2**63 - 1)))
_NODES: st.SearchStrategy[Node] = st.recursive(
    _LITERALS,
    lambda inner: st.one_of(
        st.builds(Call, _NAMES, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Access, inner, inner),
    ),
    max_leaves=12,
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=5), inner, max_size=4),
    ),
    max_leaves=10,
)
_FRAGMENTS = st.lists(
    st.sampled_from(
        ["'", "''", "(", ")", "[", "]", ",", ".", "concat", "1", "-", " ", "\u00e4", "if("]
    ),
    max_size=20,
).map("".join)


@_QUICK
@given(st.one_of(st.text(max_size=40), _FRAGMENTS))
def test_no_text_crashes_the_lexer_or_the_parser(text: str) -> None:
    """Whatever stands between the brackets is a tree or a TemplateError."""
    for read in (tokenize, lambda inner: parse_expression(f"[{inner}]")):
        with suppress(TemplateError):
            read(text)


@_QUICK
@given(_NODES)
def test_writing_and_parsing_a_tree_gives_it_back(node: Node) -> None:
    """Expression text and its tree are the same thing."""
    assert parse_expression(f"[{write(node)}]") == node


@_QUICK
@given(_JSON)
def test_a_quoted_value_evaluates_to_itself(value: Any) -> None:
    """Values put into an expression come out of it unchanged, keys of any casing apart."""
    expression = f"[{write(quote(value))}]"
    if "\x00" in expression:
        return

    assert identity(value_of(expression)) == identity(value)


@_QUICK
@given(st.one_of(_JSON, st.binary(max_size=60), st.text(max_size=60)))
def test_no_template_crashes_the_planner(template_like: Any) -> None:
    """Text, bytes or JSON of any shape is a plan or a TemplateError."""
    with suppress(TemplateError):
        value = (
            parse_template(template_like)
            if isinstance(template_like, str | bytes)
            else template_like
        )
        plan(value, {}, context())


@_QUICK
@given(
    st.sampled_from(
        ["parameters", "variables", "functions", "definitions", "outputs", "resources"]
    ),
    _JSON,
)
def test_no_section_crashes_the_planner(section: str, value: Any) -> None:
    """Each section may hold anything: it is planned or refused."""
    with suppress(TemplateError):
        evaluate(template(**{section: value}), {}, context())


@_QUICK
@given(
    st.sampled_from(
        [
            "type",
            "name",
            "scope",
            "copy",
            "condition",
            "dependsOn",
            "properties",
            "resources",
            "tags",
        ]
    ),
    _JSON,
)
def test_no_resource_crashes_the_planner(member: str, value: Any) -> None:
    """Each member of a resource may hold anything: it is planned or refused."""
    with suppress(TemplateError):
        planned(resources=[{**resource("a"), member: value}])


@_QUICK
@given(st.integers(0, 30), st.integers(1, 7), st.sampled_from(["serial", "parallel"]))
def test_a_loop_has_exactly_its_turns_and_batches_never_overlap(
    count: int, size: int, mode: str
) -> None:
    """`count` resources; each waits for nothing but the whole batch before it."""
    loop = {"name": "l", "count": count, "mode": mode, "batchSize": size}
    plan_ = planned(resources=[resource("[string(copyIndex())]", copy=loop)])

    assert len(plan_.resources) == count
    for item in plan_.resources:
        waits = {int(waited.rpartition("/")[2]) for waited in item.depends_on}
        batch = int(item.name) // size
        before = range((batch - 1) * size, batch * size) if batch and mode == "serial" else ()
        assert waits == set(before)


@_QUICK
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=15))
def test_dependencies_are_a_plan_or_a_circle_and_always_the_same(
    edges: list[tuple[int, int]],
) -> None:
    """A graph with a circle is refused; any other is planned, twice the same."""
    waits: dict[int, set[int]] = {node: set() for node in range(10)}
    for left, right in edges:
        if left != right:
            waits[left].add(right)
    resources = [
        resource(str(node), dependsOn=[str(other) for other in sorted(others)])
        for node, others in waits.items()
    ]
    if _has_circle(waits):
        with pytest.raises(TemplateError, match="Circular dependency"):
            planned(resources=resources)
    else:
        first, second = planned(resources=resources), planned(resources=resources)
        assert [(r.id, r.depends_on) for r in first.resources] == [
            (r.id, r.depends_on) for r in second.resources
        ]
        assert [r.body(Answers()) for r in first.resources] == [
            r.body(Answers()) for r in second.resources
        ]


def _has_circle(waits: dict[int, set[int]]) -> bool:
    left = {node: set(others) for node, others in waits.items()}
    while ready := [node for node, others in left.items() if not others]:
        for node in ready:
            del left[node]
        for others in left.values():
            others.difference_update(ready)
    return bool(left)
