"""What makes searches bearable: the product decodes the same few documents again and again."""

from functools import cache
from typing import Any

import msgspec
import pytest


@pytest.fixture(autouse=True)
def _remembered_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember the fields of a class: msgspec works them out anew for each document."""
    fields = cache(msgspec.structs.fields)

    def remembered(struct: Any) -> Any:
        return fields(struct if isinstance(struct, type) else type(struct))

    monkeypatch.setattr(msgspec.structs, "fields", remembered)
