"""Regular expressions that cannot run away: matched in time that grows with pattern times text.

Rules for scripted answers carry patterns that anyone may write, and Python's own engine tries
some of them for ever. This one follows all ways at once. It has what paths need: alternatives,
groups, classes, repeats and the two anchors; look-around and back references are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

_LONGEST_PATTERN = 500
_LARGEST_PROGRAM = 4000
_DEEPEST = 30
_COUNTS = re.compile(r"\{(\d*)(,?)(\d*)\}")
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^\\\[]", re.DOTALL)


class PatternError(ValueError):
    """The pattern cannot be used; says why."""


# A program is a list of instructions: ("char", test), ("split", a, b), ("jump", a),
# ("start",), ("end",), ("match",), where a and b are places in the list.
_Instruction = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern ready to be searched for, without regard to case."""

    source: str
    program: tuple[_Instruction, ...]

    def search(self, text: str) -> bool:
        """Return whether the pattern is anywhere in the text. Pure."""
        states: set[int] = set()
        for at in range(len(text) + 1):
            states = self._closure({0, *states}, at, len(text))
            if len(self.program) - 1 in states:
                return True
            if at < len(text):
                states = self._step(states, text[at])
        return False

    def _closure(self, states: set[int], at: int, end: int) -> set[int]:
        reached: set[int] = set()
        todo = list(states)
        while todo:
            place = todo.pop()
            if place in reached:
                continue
            reached.add(place)
            match self.program[place]:
                case ("split", int(a), int(b)):
                    todo += (a, b)
                case ("jump", int(a)):
                    todo.append(a)
                case ("start",) if at == 0:
                    todo.append(place + 1)
                case ("end",) if at == end:
                    todo.append(place + 1)
        return reached

    def _step(self, states: set[int], char: str) -> set[int]:
        after = set()
        for place in states:
            instruction = self.program[place]
            if instruction[0] == "char" and _is(str(instruction[1]), char):
                after.add(place + 1)
        return after


@lru_cache(maxsize=4096)
def _is(atom: str, char: str) -> bool:
    """Return whether one character is what an atom of one character stands for."""
    return re.fullmatch(atom, char, re.IGNORECASE) is not None


@dataclass(slots=True)
class _Reader:
    """Translates a pattern, from left to right."""

    source: str
    at: int = 0
    depth: int = 0
    made: list[_Instruction] = field(default_factory=list)

    def either(self) -> None:
        """Read alternatives up to a closing bracket or the end."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PatternError(f"groups are nested more than {_DEEPEST} deep")
        start = len(self.made)
        self._sequence()
        exits = []
        while self._peek() == "|":
            self.at += 1
            self._insert(start, ("split", start + 1, len(self.made) + 2))
            exits.append(len(self.made))
            self.made.append(("jump", -1))
            start = len(self.made)
            self._sequence()
        for place in exits:
            self.made[place] = ("jump", len(self.made))
        self.depth -= 1

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _sequence(self) -> None:
        while self._peek() not in ("", "|", ")"):
            start = len(self.made)
            self._one()
            self._repeat(start)

    def _one(self) -> None:
        char = self._peek()
        if char == "(":
            self.at += 1
            self._group()
        elif char in "^$":
            self.at += 1
            self.made.append(("start",) if char == "^" else ("end",))
        else:
            atom = _ATOM.match(self.source, self.at)
            if atom is None:
                raise PatternError(f"'{self.source[self.at :]}' cannot be read")
            self.at = atom.end()
            self.made.append(("char", _one_character(atom[0])))

    def _group(self) -> None:
        if self._peek() == "?":
            if self.source.startswith("?:", self.at):
                self.at += 2
            else:
                raise PatternError("of the groups that begin with '(?' only '(?:' is known")
        self.either()
        self.at += 1

    def _repeat(self, start: int) -> None:
        low, high = 1, 1
        counts = _COUNTS.match(self.source, self.at)
        if self._peek() in ("*", "+", "?"):
            low, high = {"*": (0, -1), "+": (1, -1), "?": (0, 1)}[self._peek()]
            self.at += 1
        elif counts is not None and (counts[1] or counts[3]):
            low = int(counts[1] or 0)
            high = low if not counts[2] else int(counts[3]) if counts[3] else -1
            self.at = counts.end()
        else:
            return
        self.at += self._peek() == "?"  # lazy or not: whether it matches is the same
        piece = self.made[start:]
        del self.made[start:]
        if (max(low, high) + 1) * (len(piece) + 2) > _LARGEST_PROGRAM:
            raise PatternError("it repeats too much")
        for _ in range(low):
            self._put(piece, start)
        if high < 0:
            loop = len(self.made)
            self.made.append(("split", loop + 1, loop + len(piece) + 2))
            self._put(piece, start)
            self.made.append(("jump", loop))
        for _ in range(high - low):
            here = len(self.made)
            self.made.append(("split", here + 1, here + len(piece) + 1))
            self._put(piece, start)
        if len(self.made) > _LARGEST_PROGRAM:
            raise PatternError("it is too large")

    def _put(self, piece: list[_Instruction], was_at: int) -> None:
        """Append a copy of a piece that was made for another place."""
        by = len(self.made) - was_at
        self.made += [_moved(one, by, 0) for one in piece]

    def _insert(self, place: int, instruction: _Instruction) -> None:
        """Put an instruction before others, which move up by one."""
        self.made[place:] = [instruction, *(_moved(one, 1, place) for one in self.made[place:])]


def _moved(instruction: _Instruction, by: int, beyond: int) -> _Instruction:
    return tuple(
        part + by if isinstance(part, int) and part >= beyond else part for part in instruction
    )


def _one_character(atom: str) -> str:
    """Return an atom as it stands; raises `PatternError` for what is not one character."""
    if atom[0] == "\\" and atom[1] in "AbBZ0123456789":
        raise PatternError(f"'{atom}' is not known")
    return atom


@lru_cache(maxsize=256)
def compile_pattern(source: str) -> Pattern:
    """Return a pattern ready for use. Pure. Raises `PatternError`."""
    if len(source) > _LONGEST_PATTERN:
        raise PatternError(f"it is longer than {_LONGEST_PATTERN} characters")
    try:
        re.compile(source)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(str(error)) from error
    reader = _Reader(source)
    reader.either()
    return Pattern(source, (*reader.made, ("match",)))
