"""A JSON file of the repository, and the lines of what is wrong in it.

Lines are looked up only when there is something to tell: reading a file twice as carefully would
cost every compilation, and most find nothing.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from shared.core.problem import Problem
from shared.core.source.faults import Place, SourceError
from shared.core.source.json_text import lines_of, parse_json


class JsonFile:
    """A file that was read and parsed once; its value may be shared by who links to it."""

    def __init__(self, path: str, data: bytes) -> None:
        """Parse ``data``. Raises SourceError for what is not JSON that ARM takes."""
        self.path = path
        self.value: Any = parse_json(data, path)

    def place(self, path: str) -> Place:
        """Return the place of a JSON path; its line is filled in by ``with_lines``. Pure."""
        return Place(self.path, path)


def with_lines(problems: Iterable[Problem], contents: Mapping[str, bytes]) -> tuple[Problem, ...]:
    """Return the problems with the lines of those in JSON files that had none. Pure.

    The line is that of the path, or of the nearest thing around it that the file has.
    """
    known: dict[str, Mapping[str, int]] = {}
    found = []
    for each in problems:
        line, file = each.line, each.file
        if line is None and each.path is not None and file is not None and file in contents:
            if file not in known:
                known[file] = _lines(contents[file])
            line = _nearest(each.path, known[file])
        found.append(msgspec.structs.replace(each, line=line))
    return tuple(found)


def _lines(data: bytes) -> Mapping[str, int]:
    with suppress(SourceError):
        return lines_of(data)
    return {}


def _nearest(path: str, lines: Mapping[str, int]) -> int | None:
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path, 1) if lines else None
