"""Patterns of rules: they mean what Python's mean, and none of them can run away."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.arm.patterns import PatternError, compile_pattern

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a/]", "/", r"\.", r"\w", "^", "$", "x{2}"])
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{0,2}", "{1,}", "{2}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=12,
)


@given(PATTERNS, st.text("abAx/.c", max_size=12))
def test_a_pattern_finds_what_pythons_finds(source: str, text: str) -> None:
    """Alternatives, groups, classes, repeats and anchors, without regard to case."""
    expected = re.search(source, text, re.IGNORECASE) is not None

    assert compile_pattern(source).search(text) is expected


@pytest.mark.parametrize("source", ["(a*)*b", "(a|a)*b", "(a+)+$", "a*a*a*a*a*b", "(.*)(.*)(.*)!"])
def test_a_pattern_that_explodes_elsewhere_does_not(source: str) -> None:
    """Two thousand letters are looked through in far less than a second."""
    pattern = compile_pattern(source)
    began = time.monotonic()
    pattern.search("a" * 2000 + "c")

    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "source",
    ["(", "[", "*", r"(a)\1", "(?=a)", r"\b", "a{9999}", "((a{60}){60}){60}", "x" * 501, "a{3,1}"],
)
def test_a_pattern_that_cannot_be_used_says_so(source: str) -> None:
    """What is no expression, looks around, refers back or is too large is refused."""
    with pytest.raises(PatternError):
        compile_pattern(source)
