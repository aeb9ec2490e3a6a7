"""Reads the JSON that ARM's tools take: comments and strings over several lines, and nothing else.

The standard library's reader keeps the last of two equal keys, knows neither comments nor lines,
and takes numbers that ARM cannot; so this one is small, strict and bounded.
"""

import json
import math
import re
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from shared.core.problem import Problem
from shared.core.source.faults import MAX_PROBLEMS, Place, Problems, SourceError, member_path, shown
from shared.core.source.tree import MAX_FILE_BYTES

MAX_DEPTH = 100
_INT64 = range(-(2**63), 2**63)
_INT64_DIGITS = 20

_SPACE = re.compile(r"(?:[ \t\r\n]++|//[^\r\n]*+|/\*[\s\S]*?\*/)*+")
_STRING = re.compile(r'"((?:[^"\\]++|\\[\s\S])*+)"')
_SIMPLE_STRING = re.compile(r'"([^"\\\x00-\x1f]*+)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?(?![0-9A-Za-z_.+-])")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_WORDS = {"true": True, "false": False, "null": None}
_LINE_BREAK = re.compile(r"(?<![ \t])[ \t]*+(?:\r\n|\n|\r)[ \t\r\n]*+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def parse_json(data: bytes, file: str) -> Any:
    """Return the JSON value in a file. Pure.

    A string may go over several lines: a line break in it with the white space around it is one
    space, as the Azure CLI reads it. Raises SourceError with file, line and column for what is not
    JSON, and for keys that ARM takes for one; the content of strings is never in a message.
    """
    text = _decoded(data, file)
    reader = _Reader(text, file)
    value = reader.document()
    if reader.problems:
        raise SourceError(reader.problems)
    return value


def lines_of(data: bytes) -> dict[str, int]:
    """Return the line of every key and item of a file that ``parse_json`` reads, by JSON path. Pure."""
    reader = _Reader(_decoded(data, ""), "", lines={})
    reader.document()
    return reader.lines or {}


def _decoded(data: bytes, file: str) -> str:
    if len(data) > MAX_FILE_BYTES:
        raise Place(file).error(
            "FileTooLarge",
            f"The file is larger than {MAX_FILE_BYTES >> 20} MiB, which ARM does not take.",
            "Split it into linked templates, or the stack into several.",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Place(file, "", line).error(
            "NotText", "The file is not UTF-8 text.", "Save the file as UTF-8."
        ) from None


@dataclass(slots=True)
class _Reader:
    text: str
    file: str
    lines: dict[str, int] | None = None
    lines_before: int = 0
    counted: int = 0
    at: int = 0
    problems: Problems = field(default_factory=list)
    trail: list[str | int] = field(default_factory=list)
    paths: list[str] = field(default_factory=lambda: [""])

    def document(self) -> Any:
        self.space()
        if self.at == len(self.text):
            raise self.fault("the file is empty", "Write a JSON object.")
        value = self.value(1)
        self.space()
        if self.at != len(self.text):
            raise self.fault("something follows the end of the value", "Remove what is behind it.")
        return value

    def space(self) -> str:
        """Skip white space and comments; return the character that follows, or nothing."""
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        found = self.text[self.at : self.at + 1]
        if found == "/":
            raise self.fault(
                "a comment is not closed", "Comments are // to the line's end, or /* */."
            )
        return found

    def value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self._error(
                "TooDeep", f"JSON is nested more than {MAX_DEPTH} deep", "Flatten it."
            )
        first = self.text[self.at : self.at + 1]
        if first == "{":
            return self.object(depth)
        if first == "[":
            return self.array(depth)
        if first == '"':
            return self.string()
        if first == "-" or first.isdecimal():
            return self.number()
        return self.word(first)

    def object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        by_lower: dict[str, str] = {}
        self.at += 1
        while self.space() != "}":
            if self.text[self.at : self.at + 1] != '"':
                raise self.fault("a key in double quotes is missing", 'Write "name": value.')
            key_at = self.at
            key = self.string()
            self.trail.append(key)
            self.remember(key_at)
            lower = key.lower()
            if lower in by_lower and len(self.problems) < MAX_PROBLEMS:
                self.problems.append(self.repeated(key, by_lower[lower], key_at))
            by_lower[lower] = key
            if self.space() != ":":
                raise self.fault("a colon is missing behind a key", 'Write "name": value.')
            self.at += 1
            self.space()
            found[key] = self.value(depth + 1)
            self.trail.pop()
            if not self.more("}"):
                return found
        self.at += 1
        return found

    def array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        while self.space() != "]":
            self.trail.append(len(found))
            self.remember(self.at)
            found.append(self.value(depth + 1))
            self.trail.pop()
            if not self.more("]"):
                return found
        self.at += 1
        return found

    def more(self, end: str) -> bool:
        """Step over a comma, which must not be the last thing, or over the end."""
        follows = self.space()
        if follows == end:
            self.at += 1
            return False
        if follows != ",":
            raise self.fault(f"a comma or {end} is missing", "Look at the end of the line before.")
        self.at += 1
        if self.space() == end:
            raise self.fault("a comma is behind the last element", "Remove it: ARM refuses it.")
        return True

    def string(self) -> str:
        simple = _SIMPLE_STRING.match(self.text, self.at)
        if simple is not None:
            self.at = simple.end()
            return simple.group(1)
        match = _STRING.match(self.text, self.at)
        if match is None:
            raise self.fault("a string is not closed", 'Write the " at its end.')
        raw = _LINE_BREAK.sub(" ", match.group(1))
        control = _CONTROL.search(raw)
        if control is not None:
            raise self.fault(
                "a string has a control character in it", f"Write \\u{ord(control[0]):04x}."
            )
        try:
            decoded = str(json.loads(f'"{raw}"', strict=False))
        except json.JSONDecodeError:
            raise self.fault(
                "a string has an unknown escape in it",
                r"Known are \" \\ \/ \b \f \n \r \t and \u with four digits.",
            ) from None
        if _SURROGATE.search(decoded):
            raise self.fault("a string has half a character in it", r"\ud83d needs its other half.")
        self.at = match.end()
        return decoded

    def number(self) -> int | float:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            raise self.fault("this is not a number", "Write digits; put anything else in quotes.")
        written = match.group()
        if match.group(1) is None and match.group(2) is None:
            if len(written) <= _INT64_DIGITS and int(written) in _INT64:
                self.at = match.end()
                return int(written)
        elif math.isfinite(float(written)):
            self.at = match.end()
            return float(written)
        raise self.fault("a number is too large for ARM's 64 bits", "Put it in quotes as text.")

    def word(self, first: str) -> bool | None:
        match = _WORD.match(self.text, self.at)
        if match is not None and match.group() in _WORDS:
            self.at = match.end()
            return _WORDS[match.group()]
        if first == "'":
            raise self.fault("a string is in single quotes", "Use double quotes.")
        if first == "":
            raise self.fault("the file ends in the middle", "Look for a missing bracket or brace.")
        raise self.fault(
            "a value is missing", "Text is in double quotes; true, false, null are not."
        )

    def remember(self, at: int) -> None:
        """Note the line of the step just taken, if somebody asked for lines."""
        if self.lines is None:
            return
        self.lines_before += self.text.count("\n", self.counted, at)
        self.counted = at
        del self.paths[len(self.trail) :]
        self.paths.append(_extended(self.paths[-1], self.trail[-1]))
        self.lines[self.paths[-1]] = self.lines_before + 1

    def path(self) -> str:
        return reduce(_extended, self.trail, "")

    def line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1

    def repeated(self, key: str, first: str, at: int) -> Problem:
        return Place(self.file, self.path(), self.line(at)).problem(
            "DuplicateKey",
            f"The key {shown(key)} is here twice."
            if key == first
            else f"The keys {shown(first)} and {shown(key)} are one key to ARM.",
            "Keep one of them.",
        )

    def fault(self, what: str, hint: str) -> SourceError:
        return self._error("NotJson", f"This is not JSON that ARM takes: {what}", hint)

    def _error(self, code: str, what: str, hint: str) -> SourceError:
        column = self.at - self.text.rfind("\n", 0, self.at)
        line = self.line(self.at)
        return Place(self.file, self.path(), line).error(
            code, f"{what} (line {line}, column {column}).", hint
        )


def _extended(path: str, step: str | int) -> str:
    return member_path(path, step) if isinstance(step, str) else f"{path}[{step}]"
