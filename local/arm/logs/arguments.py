"""Reads what stands behind the names of tabular operators, where it holds no table itself."""

from __future__ import annotations

from local.arm.logs.faults import SyntaxFault
from local.arm.logs.reader import Reader
from local.arm.logs.syntax import Expression, Item, Key, Name


class Arguments(Reader):
    """Reads the arguments of operators. What cannot be read raises `SyntaxFault`."""

    def items(self) -> tuple[Item, ...]:
        """Read items: names, expressions, or name = expression."""
        return self.several(self.item)

    def patterns(self) -> tuple[Name, ...]:
        """Read names with * at either end."""
        return self.several(self._pattern)

    def _pattern(self) -> Name:
        token = self.next
        before = "*" if self.skip("*") else ""
        middle = "" if before and self.sees(",", "|", ";", ")") else self._name_or_end(before)
        after = "*" if middle and self.skip("*") else ""
        return Name(before + middle + after, token.place)

    def _name_or_end(self, before: str) -> str:
        return "" if before and self.next.kind == "end" else self.name().text

    def renames(self) -> tuple[tuple[Name, Name], ...]:
        """Read pairs (new, old)."""
        return self.several(self._rename)

    def _rename(self) -> tuple[Name, Name]:
        new = self.name()
        self.expect("=")
        old = self.name()
        return Name(new.text, new.place), Name(old.text, old.place)

    def summary(self) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
        """Read aggregates and, behind `by`, keys."""
        aggregates = () if self.sees("by") else self.items()
        return aggregates, self.items() if self.skip("by") else ()

    def keys(self) -> tuple[Key, ...]:
        """Read `by` and what to sort by."""
        self.expect("by")
        return self.several(self._sort_key)

    def _sort_key(self) -> Key:
        value = self.expression()
        word = self.skip("asc", "desc")
        descending = word is None or word.text == "desc"
        nulls_first = not descending
        if self.skip("nulls"):
            if not self.sees("first", "last"):
                raise self.fault("Expected: first or last")
            nulls_first = self.take().text == "first"
        return Key(value, descending, nulls_first)

    def top(self) -> tuple[Expression, tuple[Key, ...]]:
        """Read a count and keys."""
        count = self.expression()
        return count, self.keys()

    def columns(self) -> tuple[Item, ...] | None:
        """Read items, or * for none."""
        if self.skip("*"):
            return None
        return self.items()

    def nothing(self) -> None:
        """Read what stands behind `count`."""
        return

    def pair(self) -> tuple[Name, Name]:
        """Read a column that two tables share, or `$left.a == $right.b`."""
        token = self.name()
        if token.text not in ("$left", "$right"):
            return (Name(token.text, token.place),) * 2
        self.expect(".")
        first = self.name()
        self.expect("==")
        other = self.name()
        if {token.text, other.text} != {"$left", "$right"}:
            raise SyntaxFault(other.place, "Expected: $left.a == $right.b")
        self.expect(".")
        second = self.name()
        pair = Name(first.text, first.place), Name(second.text, second.place)
        return pair if token.text == "$left" else (pair[1], pair[0])

    def render(self) -> str:
        """Read the word for a chart."""
        kind = self.name().text
        if self.skip("with"):
            raise self.fault("The simulator does not have properties of render")
        return kind
