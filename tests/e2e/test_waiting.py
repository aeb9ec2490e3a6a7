"""Waiting for a condition."""

import pytest

from local import waiting


def test_until_returns_the_first_true_answer() -> None:
    """The answer itself is returned, so that a caller need not ask again."""
    answers = iter([None, "", "found", "later"])

    assert waiting.until(lambda: next(answers), limit_s=5, what="an answer", pause_s=0) == "found"


def test_until_names_what_it_waited_for() -> None:
    """The error says what did not happen, and within which limit; one look is always taken."""
    asked = []

    with pytest.raises(waiting.WaitedTooLongError, match=r"waited 0 s for rain"):
        waiting.until(lambda: asked.append(1), limit_s=0, what="rain")

    assert asked == [1]
