"""Every code that the product can show is explained in docs/problems.md."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from docs.generate import MENDS
from shared.core.source.codes import PROBLEM_CODES
from tests.docs import pages

SHARED: Final = pages.ROOT / "shared"
CODE: Final = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z0-9]+)+")
RAISED: Final = {"Stalled", "Transient", "Waiting", "BadMessage", "Unknown", "Active"}
"""Errors whose first argument is their code; what they say may be shown as a problem."""


class _Module:
    """One module's text, with what its names may stand for."""

    def __init__(self, path: Path) -> None:
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self._values: dict[str, list[ast.expr]] = defaultdict(list)
        for node in ast.walk(self.tree):
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AnnAssign):
                targets = [node.target]
            value = getattr(node, "value", None)
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name) and isinstance(value, ast.expr):
                        self._values[name.id].append(value)

    def codes(self) -> set[str]:
        """Return every code that a problem or an error is made with."""
        found: set[str] = set()
        for call in ast.walk(self.tree):
            if isinstance(call, ast.Call):
                for expression in _code_of(call):
                    found |= self._texts(expression, frozenset())
        return {text for text in found if CODE.fullmatch(text)}

    def _texts(self, expression: ast.expr, seen: frozenset[str]) -> set[str]:
        """Return the texts that an expression may become, through names of this module."""
        found: set[str] = set()
        for node in ast.walk(expression):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            if isinstance(node, ast.Name) and node.id not in seen:
                for value in self._values[node.id]:
                    found |= self._texts(value, seen | {node.id})
        return found


def _code_of(call: ast.Call) -> Iterator[ast.expr]:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if name in RAISED and call.args:
        yield call.args[0]
    if name == "Problem" or name.endswith("Error"):
        yield from (keyword.value for keyword in call.keywords if keyword.arg == "code")
    if name == "__init__":  # an error of its own gives its code to the tree's root
        yield from call.args[:1]


def explained() -> set[str]:
    """Return the codes that the page explains."""
    return {text for text in pages.ticked("docs/problems.md") if CODE.fullmatch(text)}


def test_every_code_in_the_product_is_explained() -> None:
    """Nobody meets a code that the page does not know."""
    missing = {
        (str(path.relative_to(pages.ROOT)), code)
        for path in SHARED.rglob("*.py")
        for code in _Module(path).codes() - explained()
    }
    assert missing == set()


def test_the_search_finds_codes_however_they_are_written() -> None:
    """Literal, from a table, by a name, by a condition, by an error's own class: all are found."""
    found = set().union(*(_Module(path).codes() for path in SHARED.rglob("*.py")))
    assert {
        "BranchMissing",
        "GitAuthenticationFailed",
        "StorageContainerMissing",
        "StorageRejected",
        "ManifestMissing",
        "ScopeUndecided",
        "GitThrottled",
        "ArmAnswerUnreadable",
        "SettingsInvalid",
    } <= found


def test_the_page_explains_no_code_that_is_gone() -> None:
    """A code on the page in the first column of a table is one that the product has."""
    text = pages.read("docs/problems.md")
    rows = set(re.findall(r"^\| `([A-Z]\w+)` \|", text, re.MULTILINE))
    sources = "".join(path.read_text(encoding="utf-8") for path in SHARED.rglob("*.py"))
    assert {code for code in rows if f'"{code}"' not in sources} == set()


def test_every_problem_of_the_compiler_says_how_to_mend_it() -> None:
    """The table of mends is that of the codes, no more and no less."""
    assert set(MENDS) == set(PROBLEM_CODES)
    assert all(mend.endswith((".", ")")) for mend in MENDS.values())
