"""The rules of docs/architecture.md and the flow tests that go by their numbers."""

import re
from pathlib import Path

HERE = Path(__file__).parent
RULES = HERE.parents[1] / "docs" / "architecture.md"


def test_each_rule_has_a_flow_test_by_its_number() -> None:
    """A rule without a test that names it is a wish."""
    loop = RULES.read_text().partition("## 2.")[2].partition("\n## ")[0]
    rules = {int(n) for n in re.findall(r"^(\d+)\. \*\*", loop, re.MULTILINE)}
    told = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    named = {int(n) for n in re.findall(r'"""Rule (\d+): ', told)}

    assert len(rules) == 15
    assert rules - named == set()
