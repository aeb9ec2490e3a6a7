"""What makes searches bearable: pure work of the product that would be done again and again."""

from functools import cache
from typing import Any

import msgspec
import pytest

from shared.core import document
from shared.core.survey import survey
from shared.flows import sync
from shared.state import archive, held


@pytest.fixture(autouse=True)
def _remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember what documents say and what a revision compiles to; neither depends on anything else."""
    decoded = cache(document.decode)
    monkeypatch.setattr(held, "decode", decoded)
    monkeypatch.setattr(archive, "decode", decoded)
    surveys: dict[bytes, Any] = {}

    def surveyed(previous: Any, tree: Any, repository: Any) -> Any:
        key = msgspec.json.encode((previous, tree.revision, repository))
        if key not in surveys:
            surveys[key] = survey(previous, tree, repository)
        return surveys[key]

    monkeypatch.setattr(sync, "survey", surveyed)
