"""Expressions are read as ARM reads them, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.source.expression import (
    Access,
    Call,
    Literal,
    NotAnExpressionError,
    called_functions,
    parse_expression,
)


def test_all_forms() -> None:
    """Texts with doubled quotes, numbers, calls with a namespace, members and items."""
    assert parse_expression("[ f('it''s', -1, ns.g()).a[h(0)]['c'] ]") == Access(
        Access(
            Access(Call("f", (Literal("it's"), Literal(-1), Call("ns.g", ()))), Literal("a")),
            Call("h", (Literal(0),)),
        ),
        Literal("c"),
    )


@pytest.mark.parametrize(
    "text",
    ["[]", "[f]", "[f(]", "[f()", "[f(a)]", "[f('a' 'b')]", "[f('a',)]", "[f(,)]", "[f() g()]",
     "[f().]", "[f().'a']", "[f()[]", "[f('a)]", "[f(#)]", "[1.5]", "[.a]", "[f()[0]", "[n.f]"],
)  # fmt: skip
def test_what_is_no_expression(text: str) -> None:
    """It calls nothing, and raises the one error."""
    with pytest.raises(NotAnExpressionError):
        parse_expression(text)

    assert called_functions(text) == frozenset()


def test_called_functions_look_everywhere() -> None:
    """In arguments and in brackets, but not in texts."""
    assert called_functions("[A(b('c()'), d().e[f()])]") == {"a", "b", "d", "f"}


@given(st.text("[]()'.,a1- ", max_size=40))
def test_no_text_raises_anything_else(text: str) -> None:
    """Whatever stands between brackets is read or refused."""
    called_functions(f"[{text}]")
