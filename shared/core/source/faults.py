"""How the source compiler says what is wrong: where it looked, what it found, how to mend it.

Every module of this package reports through a ``Place``, so that no problem lacks a file, and
nothing of a file's content but names reaches a message: values may be secrets.
"""

import difflib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.core.problem import Problem

Problems = list[Problem]
"""Where a reader notes what it found before it goes on."""

MAX_PROBLEMS = 50
"""Of one kind in one place: nobody reads more, and finding them all must not take for ever."""

_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$-]*", re.ASCII)
_MOST_COMPARED = 200
_SHOWN_CHARACTERS = 80
_SHOWN_NAMES = 12


class SourceError(Exception):
    """A stack cannot be compiled; ``problems`` holds all that was found, at least one."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{each.code}: {each.message}" for each in self.problems))


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in a file: ``path`` is a JSON path, empty for the whole file; ``line`` counts from 1."""

    file: str
    path: str = ""
    line: int | None = None

    def key(self, name: str, line: int | None = None) -> "Place":
        """Return the place of a member. Pure."""
        return Place(self.file, member_path(self.path, name), line)

    def item(self, index: int, line: int | None = None) -> "Place":
        """Return the place of a list's item. Pure."""
        return Place(self.file, f"{self.path}[{index}]", line)

    def problem(self, code: str, message: str, hint: str) -> Problem:
        """Return a problem at this place. Pure."""
        return Problem(
            code=code,
            message=message,
            hint=hint,
            file=self.file,
            path=self.path or None,
            line=self.line,
        )

    def error(self, code: str, message: str, hint: str) -> SourceError:
        """Return an exception with the one problem at this place. Pure."""
        return SourceError([self.problem(code, message, hint)])


def member_path(path: str, name: str) -> str:
    """Return ``path`` extended by a key: ``a.b``, or ``a['b c']`` where a dot would mislead. Pure."""
    if not _PLAIN_KEY.fullmatch(name):
        return f"{path}[{shown(name)}]"
    return f"{path}.{name}" if path else name


def shown(text: str) -> str:
    """Return a user's text in quotes, on one line and cut to a readable length. Pure."""
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 1] + "…"
    return repr(text)


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like ``name``, or None. Pure."""
    by_lower = {each.lower(): each for each in known}
    looked_for = name.lower()[:_SHOWN_CHARACTERS]
    if len(by_lower) > _MOST_COMPARED:
        # Comparing is quadratic in every pair: with many names only those of one beginning compete.
        alike = (each for each in by_lower if each[:2] == looked_for[:2])
        by_lower = {each: by_lower[each] for each in itertools.islice(alike, _MOST_COMPARED)}
    near = difflib.get_close_matches(looked_for, by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def choices_hint(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return ``Did you mean 'x'?`` if a known name is near, else the known names. Pure."""
    names = sorted(known)
    near = did_you_mean(name, names)
    if near is not None:
        return f"Did you mean {shown(near)}?"
    if not names:
        return otherwise
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return f"Known here: {', '.join(names[:_SHOWN_NAMES])}{more}."
