"""Golden vectors: expression in, value or error out (tests/golden/engine)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.arm.engine import TemplateError
from tests.engine.world import value_of

_FOLDER = Path(__file__).parent.parent / "golden" / "engine"


def _cases() -> Iterator[Any]:
    for file in sorted(_FOLDER.glob("*.json")):
        for index, case in enumerate(json.loads(file.read_text())["cases"]):
            yield pytest.param(case, id=f"{file.stem}-{index}-{case['expression'][:40]}")


@pytest.mark.parametrize("case", list(_cases()))
def test_an_expression_comes_to_its_golden_value(case: dict[str, Any]) -> None:
    """Every vector gives exactly its value, or an error that says what it must."""
    if "error" in case:
        with pytest.raises(TemplateError) as caught:
            value_of(case["expression"], case.get("parameters"))

        assert case["error"] in str(caught.value)
    else:
        actual = value_of(case["expression"], case.get("parameters"))

        assert json.dumps(actual) == json.dumps(case["value"])
