"""Reading template text.

Templates may hold comments. The reader hands out plain dicts and lists; only the root of a template
remembers the text it stands in, and places are looked up when an error needs one (`places`), so
that the common path stays fast.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from local.arm.engine.errors import parse_failed, validation_failed
from local.arm.engine.limits import MAX_JSON_DEPTH, MAX_TEMPLATE_BYTES
from local.arm.engine.places import Place, first_repeated, join_paths, place_in, place_of_offset

# Possessive, and closed by the end of the text too, so that nothing is ever read twice.
_STRING = r'"(?:[^"\\]++|\\.)*+(?:"|\Z|\\\Z)'
_NOISE = re.compile(_STRING + r"|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)", re.DOTALL)
_TRAILING_COMMA = re.compile(_STRING + r"|,(?=\s*+[}\]])", re.DOTALL)
# az writes the template into its request as `template:{...}`, and the service reads that.
_HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL
)
_BARE_NAME = re.compile(_STRING + r"|(?<=[{,])(\s*+)([A-Za-z_$][\w$]*+)(?=\s*+:)", re.DOTALL)
_KEY_END = re.compile(rb'(?<!\\)"\s*:')


class Document(dict[str, Any]):
    """The root object of a template, with the text in which it stands at the path `base`."""

    __slots__ = ("_text", "base")

    def __init__(self, value: Mapping[str, Any], text: str | bytes, base: str = "") -> None:
        super().__init__(value)
        self._text = text
        self.base = base

    @property
    def text(self) -> str:
        """The text with its comments blanked."""
        if isinstance(self._text, bytes):
            self._text = blank_noise(self._text.decode("utf-8-sig", "replace"))
        return self._text


class NotJsonError(Exception):
    """A text is no JSON, or names a member twice."""

    def __init__(self, reason: str, place: Place = (None, None, None)) -> None:
        super().__init__(reason)
        self.reason = reason
        self.place = place


def parse_template(text: str | bytes) -> Any:
    """Return the JSON of a template; comments are allowed.

    Pure. Raises TemplateError with line and position for text that is no JSON, is larger than
    4 MB, nests too deeply, or names a property twice (also when only the casing differs).
    """
    size = len(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    if size > MAX_TEMPLATE_BYTES:
        raise validation_failed(
            f"The template is larger than the maximum of '{MAX_TEMPLATE_BYTES}' bytes"
        )
    try:
        value, plain = read_json(text)
    except NotJsonError as error:
        raise parse_failed(error.reason, error.place) from error
    check_depth(value)
    return Document(value, plain) if isinstance(value, dict) else value


def parse_request(body: bytes) -> Any:
    """Return the JSON of a request that may hold a template at `properties.template`.

    A template knows its text from then on, so that errors can name line and position in the
    request, as ARM's do. Raises NotJsonError.
    """
    plain: str | bytes = body
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value, plain = read_json(body)
    except RecursionError as error:
        raise NotJsonError("The reader's MaxDepth has been exceeded") from error
    properties = value.get("properties") if isinstance(value, dict) else None
    template = properties.get("template") if isinstance(properties, dict) else None
    if isinstance(properties, dict) and isinstance(template, dict):
        if plain is body and _may_repeat_a_name(body, value):
            read_json(body)
        properties["template"] = Document(template, plain, "properties.template")
    return value


def read_json(text: str | bytes) -> tuple[Any, str]:
    """Return the value of JSON text, and the text with comments blanked. Raises NotJsonError."""
    plain = blank_noise(_decode(text) if isinstance(text, bytes) else text)
    plain = pair_surrogates(_BARE_NAME.sub(_quoted, plain))
    try:
        value = json.loads(plain, object_pairs_hook=_object, parse_constant=_constant, strict=False)
    except json.JSONDecodeError as error:
        line, position = place_of_offset(plain, error.pos)
        reason = f"{error.msg}. Line {line}, position {position}"
        raise NotJsonError(reason, (line, position, None)) from error
    except _DuplicateError as error:
        raise _duplicate(plain) from error
    except _ConstantError as error:
        raise NotJsonError(f"'{error.name}' is not a JSON value") from error
    except (RecursionError, ValueError) as error:
        raise NotJsonError("The text cannot be read: it nests or counts too far") from error
    return value, plain


def blank_noise(text: str) -> str:
    """Return JSON text with comments and trailing commas blanked, places kept. Pure."""
    return _TRAILING_COMMA.sub(_blank, _NOISE.sub(_blank, text))


def pair_surrogates(text: str) -> str:
    """Return JSON text in which halves of characters are U+FFFD, as .NET writes them. Pure."""
    return _ESCAPE.sub(_paired, text) if _HALF.search(text) else text


def _paired(match: re.Match[str]) -> str:
    return "\\ufffd" if _HALF.fullmatch(match[0]) else match[0]


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
    """Return (line, position, path) of a JSON path; the place of its nearest parent if absent.

    Lines and positions count in the text that the template came in, or, of a template that came
    as values, in its compact form.
    """
    if isinstance(template, Document):
        full = join_paths(template.base, path)
        return (*place_in(template.text, full), full)
    return (*place_in(minify(template), path), path)


class _DuplicateError(Exception):
    """Two members of an object have one name."""


class _ConstantError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotJsonError(f"The text is not UTF-8: byte {error.start}") from error


def _blank(match: re.Match[str]) -> str:
    found = match.group()
    return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)


def _quoted(match: re.Match[str]) -> str:
    return match.group() if match[2] is None else f'{match[1]}"{match[2]}"'


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len({key.lower() for key in value}) != len(pairs):
        raise _DuplicateError
    return value


def _constant(name: str) -> Any:
    raise _ConstantError(name)


def _may_repeat_a_name(body: bytes, value: Any) -> bool:
    """Tell whether a reader that takes the last of two members with one name may have lost one."""
    count, stack = 0, [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            count += len(item)
            if len({key.lower() for key in item}) != len(item):
                return True
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return count != len(_KEY_END.findall(body))


def _duplicate(text: str) -> NotJsonError:
    name, path, offset = first_repeated(text) or ("", "", 0)
    line, position = place_of_offset(text, offset)
    return NotJsonError(
        f"Property with name '{name}' already exists in the current JSON object. Path '{path}', "
        f"line {line}, position {position}",
        (line, position, path),
    )
