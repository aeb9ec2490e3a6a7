"""Reading template text, and finding again where in it a JSON path stands.

Templates may hold comments. The reader hands out plain dicts and lists; only the root remembers
its text, and places are looked up when an error needs one, so that the common path stays fast.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from local.arm.engine.errors import parse_failed, validation_failed
from local.arm.engine.limits import MAX_JSON_DEPTH, MAX_TEMPLATE_BYTES

Place = tuple[int | None, int | None, str | None]

_NOISE = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])', re.DOTALL)
_PATH_STEP = re.compile(r"\['((?:[^']|'')*)'\]|\[(\d+)\]|\.?([^.\[\]]+)")
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s"\[\]{},:]+')
_SIMPLE_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*\Z")


class Document(dict[str, Any]):
    """The root object of a template, with the text it was read from (comments blanked)."""

    text: str = ""


def parse_template(text: str | bytes) -> Any:
    """Return the JSON of a template; comments are allowed.

    Pure. Raises TemplateError with line and position for text that is no JSON, is larger than
    4 MB, nests too deeply, or names a property twice (also when only the casing differs).
    """
    if isinstance(text, bytes):
        text = _decode(text)
    if len(text.encode("utf-8", "surrogatepass")) > MAX_TEMPLATE_BYTES:
        raise validation_failed(
            f"The template is larger than the maximum of '{MAX_TEMPLATE_BYTES}' bytes"
        )
    plain = blank_noise(text)
    try:
        value = json.loads(plain, object_pairs_hook=_object, parse_constant=_constant, strict=False)
    except json.JSONDecodeError as error:
        place = (error.lineno, error.colno, None)
        raise parse_failed(
            f"{error.msg}. Line {error.lineno}, position {error.colno}", place
        ) from error
    except _DuplicateError as error:
        raise _duplicate(plain, error.name) from error
    except _ConstantError as error:
        raise parse_failed(f"'{error.name}' is not a JSON value") from error
    except (RecursionError, ValueError) as error:
        raise parse_failed("The template cannot be read: it nests or counts too far") from error
    check_depth(value)
    if isinstance(value, dict):
        document = Document(value)
        document.text = plain
        return document
    return value


def blank_noise(text: str) -> str:
    """Return JSON text with comments and trailing commas blanked, places kept. Pure."""
    return _TRAILING_COMMA.sub(_blank, _NOISE.sub(_blank, text))


def check_depth(value: Any) -> None:
    """Raise TemplateError when JSON nests deeper than the engine follows. Iterative."""
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, Mapping):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return
        level = [item for item in below if isinstance(item, Mapping | list)]
    raise validation_failed(f"The template nests deeper than '{MAX_JSON_DEPTH}' levels of JSON")


def minify(value: Any) -> str:
    """Return compact JSON with keys in their own order. Pure."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # integers beyond 64 bits, lone surrogates
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def place_of(template: Any, path: str) -> Place:
    """Return (line, position, path) of a JSON path; the place of its nearest parent if absent."""
    text = template.text if isinstance(template, Document) and template.text else None
    source = text if text is not None else minify(template)
    offset = _offset(source, _steps(path))
    before = source[:offset]
    line = before.count("\n") + 1
    return line, offset - (before.rfind("\n") + 1) + 1, path


def join_path(path: str, key: str | int) -> str:
    """Return the JSON path one step further. Pure."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _SIMPLE_KEY.match(key):
        quoted = key.replace("'", "''")
        return f"{path}['{quoted}']"
    return f"{path}.{key}" if path else key


class _DuplicateError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _ConstantError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise parse_failed(f"The template is not UTF-8 text: byte {error.start}") from error


def _blank(match: re.Match[str]) -> str:
    found = match.group()
    return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len({key.lower() for key in value}) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key.lower() in seen:
                raise _DuplicateError(key)
            seen.add(key.lower())
    return value


def _constant(name: str) -> Any:
    raise _ConstantError(name)


def _duplicate(text: str, name: str) -> Exception:
    offset, path = _find_duplicate(text, name)
    before = text[:offset]
    line, position = before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
    return parse_failed(
        f"Property with name '{name}' already exists in the current JSON object. Path '{path}', "
        f"line {line}, position {position}",
        (line, position, path),
    )


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    for quoted, index, name in _PATH_STEP.findall(path):
        if index:
            steps.append(int(index))
        else:
            steps.append(name or quoted.replace("''", "'"))
    return steps


def _offset(text: str, steps: list[str | int]) -> int:
    """Walk the structure of valid JSON text; return where the value of the path begins."""
    wanted, reached = list(steps), 0
    for offset, trail in _walk(text):
        depth = len(trail)
        if depth > reached and depth <= len(wanted) and _same(trail, wanted[:depth]):
            reached, found = depth, offset
            if reached == len(wanted):
                return found
    return _nearest(text, wanted, reached)


def _nearest(text: str, wanted: list[str | int], reached: int) -> int:
    if reached == 0:
        return 0
    return _offset(text, wanted[:reached])


def _same(trail: list[str | int], wanted: list[str | int]) -> bool:
    return all(
        a == b or (isinstance(a, str) and isinstance(b, str) and a.lower() == b.lower())
        for a, b in zip(trail, wanted, strict=True)
    )


def _walk(text: str) -> "list[tuple[int, list[str | int]]]":
    """Return (offset, path) of every value in JSON text, in reading order."""
    found: list[tuple[int, list[str | int]]] = []
    trail: list[str | int] = []
    pending_key = False
    for match in _STRUCTURE.finditer(text):
        piece, offset = match.group(), match.start()
        if piece in "[{":
            found.append((offset, list(trail)))
            trail.append(0 if piece == "[" else "")
            pending_key = piece == "{"
        elif piece in "]}":
            if trail:
                trail.pop()
            pending_key = False
        elif piece == ",":
            pending_key = bool(trail) and isinstance(trail[-1], str)
            if trail and isinstance(trail[-1], int):
                trail[-1] += 1
        elif piece == ":":
            pending_key = False
        elif pending_key:
            trail[-1] = str(json.loads(piece, strict=False)) if piece[0] == '"' else piece
        else:
            found.append((offset, list(trail)))
    return found


def _find_duplicate(text: str, name: str) -> tuple[int, str]:
    seen: set[tuple[str | int, ...]] = set()
    for offset, trail in _walk(text):
        folded = tuple(step.lower() if isinstance(step, str) else step for step in trail)
        if folded in seen and trail and trail[-1] == name:
            path = ""
            for step in trail:
                path = join_path(path, step)
            return offset, path
        seen.add(folded)
    return 0, name
