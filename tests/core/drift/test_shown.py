"""What people see of values: no secret, nothing without end."""

from typing import Any

import pytest
from hypothesis import given

from shared.core.document import canonical
from shared.core.drift.differences import MISSING
from shared.core.drift.model import ABSENT, SECRET
from shared.core.drift.shown import HIDDEN, MOST_BYTES, changed, is_secret, key_ids, shown
from tests.core.drift.cases import JSON

ONE = f"secret-digest:key-1:{'0' * 32}"
TWO = f"secret-digest:key-2:{'1' * 32}"


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (MISSING, ABSENT),
        (None, None),
        (False, False),
        ("plain", "plain"),
        (ONE, HIDDEN),
        ("********", HIDDEN),
        ("*", "*"),
        ({"a": [ONE, {"b": TWO}], "c": 1}, {"a": [HIDDEN, {"b": HIDDEN}], "c": 1}),
        ("x" * MOST_BYTES, f"({MOST_BYTES + 2} bytes)"),
    ],
)
def test_what_is_shown_of_a_value(value: Any, seen: Any) -> None:
    """Secrets are named and not shown, what is large is told by its size."""
    assert shown(value) == seen


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        (ONE, TWO, SECRET),
        ("plain", ONE, SECRET),
        (ONE, "plain", SECRET),
        (ONE, MISSING, ABSENT),
        (MISSING, ONE, SECRET),
        (1, 2, 2),
        ({"a": ONE}, {"a": TWO}, {"a": HIDDEN}),
    ],
)
def test_what_is_shown_as_there_now(before: Any, after: Any, seen: Any) -> None:
    """Of a secret that it changed; what came in its place may be one that no rule knows."""
    assert changed(before, after) == seen


@given(JSON)
def test_no_digest_is_ever_shown(value: Any) -> None:
    """However deep a secret sits, and whatever is beside it."""
    assert b"secret-digest" not in canonical(shown({"a": [value, {"b": [ONE]}], "c": TWO}))
    assert len(canonical(shown(value))) <= MOST_BYTES


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (ONE, {"key-1"}),
        ({"a": [ONE, {"b": TWO}]}, {"key-1", "key-2"}),
        ("secret-digest:", {""}),
        ("no secret-digest:a:b", set()),
        (MISSING, set()),
        (["a", 1, None], set()),
    ],
)
def test_which_keys_a_value_was_captured_with(value: Any, ids: set[str]) -> None:
    """All of them, wherever they are in it."""
    assert key_ids(value) == ids


def test_stars_of_the_service_are_secrets() -> None:
    """What ARM hides is as secret as what we hide."""
    assert is_secret("*******")
    assert not is_secret("")
    assert not is_secret(5)
