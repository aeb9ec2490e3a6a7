"""Where in a JSON text a path stands: lines and positions for errors, looked up when one is made.

Nothing is kept while reading. The text is walked along the path only; what stands beside it is
skipped by the JSON decoder at its own speed, which is milliseconds for the largest template.
"""

import json
import re
from collections.abc import Iterator

Place = tuple[int | None, int | None, str | None]

_SIMPLE_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*\Z")
_PATH_STEP = re.compile(r"\['((?:[^']|'')*)'\]|\[(\d+)\]|\.?([^.\[\]]+)")
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(strict=False)


def join_path(path: str, key: str | int) -> str:
    """Return the JSON path one step further. Pure."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _SIMPLE_KEY.match(key):
        quoted = key.replace("'", "''")
        return f"{path}['{quoted}']"
    return f"{path}.{key}" if path else key


def join_paths(base: str, path: str) -> str:
    """Return a path below another one. Pure."""
    if not base or not path:
        return base or path
    return f"{base}{path}" if path.startswith("[") else f"{base}.{path}"


def place_in(text: str, path: str) -> tuple[int, int]:
    """Return (line, position) of the value at a path; of its nearest parent if it is not there.

    Both count from 1. The position is the one where a reader has taken in the value's first token,
    as ARM's does: the bracket of an object or array, the last character of a text or number. Pure.
    """
    at = 0
    for step in _steps(path):
        below = _below(text, at, step)
        if below is None:
            break
        at = below
    return place_of_offset(text, _end_of_token(text, at))


def place_of_offset(text: str, offset: int) -> tuple[int, int]:
    """Return (line, position) of an offset in a text, both from 1. Pure."""
    line_start = text.rfind("\n", 0, offset) + 1
    return text.count("\n", 0, offset) + 1, offset - line_start + 1


def first_repeated(text: str) -> tuple[str, str, int] | None:
    """Return (name, path, offset) of the first member named like one before, in any casing."""
    stack = [("", _skip_space(text, 0))]
    while stack:
        path, at = stack.pop()
        seen: set[str] = set()
        below: list[tuple[str, int]] = []
        for key, offset in _members(text, at):
            if isinstance(key, str):
                if key.lower() in seen:
                    return key, join_path(path, key), offset
                seen.add(key.lower())
            if text[offset] in "[{":
                below.append((join_path(path, key), offset))
        stack += reversed(below)
    return None


def _steps(path: str) -> list[str | int]:
    return [
        int(index) if index else name or quoted.replace("''", "'")
        for quoted, index, name in _PATH_STEP.findall(path)
    ]


def _below(text: str, at: int, step: str | int) -> int | None:
    wanted = step.lower() if isinstance(step, str) else step
    for key, offset in _members(text, _skip_space(text, at)):
        if (key.lower() if isinstance(key, str) else key) == wanted:
            return offset
    return None


def _members(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """Yield (key or index, offset of the value) of an object or array in valid JSON."""
    if text[at] not in "[{":
        return
    closing = "}" if text[at] == "{" else "]"
    at, index = _skip_space(text, at + 1), 0
    while text[at] != closing:
        key: str | int = index
        if closing == "}":
            key, at = _DECODER.raw_decode(text, at)
            at = _skip_space(text, _skip_space(text, at) + 1)
        yield key, at
        _, at = _DECODER.raw_decode(text, at)
        at, index = _skip_space(text, at), index + 1
        if text[at] == ",":
            at = _skip_space(text, at + 1)


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _end_of_token(text: str, at: int) -> int:
    at = _skip_space(text, at)
    if text[at : at + 1] in ("[", "{", ""):
        return at
    _, end = _DECODER.raw_decode(text, at)
    return end - 1
