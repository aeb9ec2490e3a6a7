"""A JSON file of the repository, with the line of every path in it when somebody asks."""

from typing import Any

from shared.core.source.faults import Place
from shared.core.source.json_text import lines_of, parse_json


class JsonFile:
    """A file that was read and parsed once; its value is shared and must not be changed."""

    def __init__(self, path: str, data: bytes) -> None:
        """Parse ``data``. Raises SourceError for what is not JSON that ARM takes."""
        self.path = path
        self.value: Any = parse_json(data, path)
        self._data = data
        self._lines: dict[str, int] | None = None

    def place(self, path: str) -> Place:
        """Return the place of a JSON path, with the line of it or of the nearest thing around it."""
        if self._lines is None:
            self._lines = lines_of(self._data)
        around = path
        while around and around not in self._lines:
            around = around[: max(around.rfind("."), around.rfind("["), 0)]
        return Place(self.path, path, self._lines.get(around, 1))
