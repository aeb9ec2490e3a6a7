"""Functions of strings."""

import re
from collections.abc import Sequence
from typing import Any

from local.arm.engine.dotnet.composite import format_composite
from local.arm.engine.errors import ExpressionError
from local.arm.engine.frame import Frame, Stage
from local.arm.engine.functions.signature import fail, framed, function, table
from local.arm.engine.hashing import deterministic_guid, unique_string
from local.arm.engine.limits import MAX_WEIGHT
from local.arm.engine.values import to_text, type_name


def format_text(pattern: str, *values: Any) -> str:
    """Return a .NET composite format filled in."""
    try:
        return format_composite(pattern, values)
    except ValueError as error:
        raise fail("format", f"{error}.") from error


def join(items: list[Any], delimiter: str) -> str:
    """Return the elements as one text."""
    return delimiter.join(to_text(item) for item in items)


def like(text: str, pattern: str) -> bool:
    """Tell whether a text matches a pattern with `*` and `?`, in any casing."""
    parts = {"*": ".*", "?": "."}
    regex = "".join(parts.get(mark) or re.escape(mark) for mark in re.sub(r"\*+", "*", pattern))
    return re.fullmatch(regex, text, re.IGNORECASE | re.DOTALL) is not None


def pad_left(value: Any, width: int, padding: str = " ") -> str:
    """Return the text at the right end of a field."""
    if len(padding) != 1:
        raise fail("padLeft", "the padding must be a single character.")
    if not 0 <= width <= MAX_WEIGHT:
        raise fail("padLeft", f"the width '{width}' is not valid.")
    return to_text(value).rjust(width, padding)


def replace(text: str, old: str, new: str) -> str:
    """Return the text with every occurrence replaced."""
    if not old:
        raise fail("replace", "the text to replace must not be empty.")
    if text.count(old) * len(new) > MAX_WEIGHT:
        raise fail("replace", "the result is too large.")
    return text.replace(old, new)


def split(text: str, delimiters: Any) -> list[str]:
    """Return the parts between one delimiter or several."""
    marks = delimiters if isinstance(delimiters, list) else [delimiters]
    for mark in marks:
        if not isinstance(mark, str):
            raise fail("split", f"a delimiter must be a string, not '{type_name(mark)}'.")
    marks = [mark for mark in marks if mark]
    if not marks:
        return [text]
    return re.split("|".join(re.escape(mark) for mark in marks), text)


def substring(text: str, start: int, length: int | None = None) -> str:
    """Return a part of a text; both ends must lie inside it."""
    taken = len(text) - start if length is None else length
    end = start + taken
    if not 0 <= start <= len(text) or not start <= end <= len(text):
        raise fail(
            "substring",
            "the index and length parameters must refer to a location within the string. The index "
            f"parameter: '{start}', the length parameter: '{taken}', the length of the string "
            f"parameter: '{len(text)}'.",
        )
    return text[start:end]


def new_guid(frame: Frame, _arguments: Sequence[Any]) -> str:
    """Return a fresh GUID."""
    return frame.context.new_guid()


def refuse(message: str) -> Any:
    """Stop with the template's own message."""
    raise ExpressionError(message)


def _texts(*values: Any) -> list[str]:
    return [to_text(value) for value in values]


FUNCTIONS = table(
    function("endsWith(string, string)", lambda text, end: text.lower().endswith(end.lower())),
    function(
        "startsWith(string, string)", lambda text, start: text.lower().startswith(start.lower())
    ),
    function("fail(string)", refuse),
    function("format(string, any...)", format_text, deep=True),
    function(
        "guid(string|int|bool, string|int|bool...)", lambda *v: deterministic_guid(_texts(*v))
    ),
    function("join(array, string)", join, deep=True),
    function("like(string, string)", like),
    framed("newGuid()", new_guid, stages=frozenset({Stage.PARAMETER_DEFAULT})),
    function("padLeft(string|int, int, string?)", pad_left),
    function("replace(string, string, string)", replace),
    function("split(string, string|array)", split),
    function("string(any)", to_text, deep=True),
    function("substring(string, int, int?)", substring),
    function("toLower(string)", str.lower),
    function("toUpper(string)", str.upper),
    function("trim(string)", str.strip),
    function(
        "uniqueString(string|int|bool, string|int|bool...)", lambda *v: unique_string(_texts(*v))
    ),
)
