"""Patterns that read other people's texts: none of them may stall a worker, however long the text."""

import re
import time
from collections.abc import Callable

import pytest

from shared.adapters import system
from shared.core.arm_answers import hints, kinds
from shared.core.source import files, json_text, yaml_words

LENGTH = 200_000
PIECES = (
    "a",
    "a.",
    "a-",
    "a/",
    "1",
    "1_",
    "1:",
    "_",
    " ",
    "\n",
    "//",
    "/*",
    '"',
    '\\"',
    "'",
    "'a.a",
    "://",
)


def _yaml(text: str) -> None:
    for pattern, _ in yaml_words._SURPRISES:
        pattern.fullmatch(text)
    yaml_words._INTEGER.fullmatch(text)
    yaml_words._FLOAT.fullmatch(text)


def _scrub(text: str) -> None:
    for pattern, replacement in system._SCRUBBED:
        pattern.sub(replacement, text)


def _matched(*patterns: re.Pattern[str]) -> Callable[[str], None]:
    def run(text: str) -> None:
        for pattern in patterns:
            pattern.match(text)

    return run


USES: dict[str, Callable[[str], object]] = {
    "a scalar of a manifest": _yaml,
    "a line of the log": _scrub,
    "a text over several lines": lambda text: json_text._LINE_BREAK.sub(" ", text),
    "the next token of a template": _matched(
        json_text._SPACE, json_text._STRING, json_text._NUMBER
    ),
    "a path": _matched(files._SCHEME),
    "a missing permission": hints.missing_permission,
    "a namespace in a message": kinds._NAMESPACE.search,
}


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("use", USES)
def test_long_texts_take_linear_time(use: str, piece: str) -> None:
    """Two hundred thousand characters, begun and ended so that a pattern has to give up late."""
    text = piece * (LENGTH // len(piece))
    for whole in (text, f"1{text}x", f"'{text}", f'"{text}', f"/*{text}"):
        started = time.process_time()
        USES[use](whole)
        assert time.process_time() - started < 1
