"""Why a query is refused, in the words and the nesting of the query API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a query: line and column from 1, and the text there."""

    line: int
    column: int
    token: str = ""


class QueryError(Exception):
    """A query that cannot be run as it is written."""

    kind = "SemanticError"
    summary = "A semantic error occurred."

    def __init__(self, code: str, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.place = place

    def error(self) -> dict[str, Any]:
        """Return the error object, from the outside in."""
        inmost: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.place is not None:
            inmost |= {"line": self.place.line, "pos": self.place.column}
            inmost["token"] = self.place.token
        return {
            "message": "The request had some invalid properties",
            "code": "BadArgumentError",
            "innererror": {"code": self.kind, "message": self.summary, "innererror": inmost},
        }


class SyntaxFault(QueryError):
    """The text is no query of the language, or not of the part of it that is here."""

    kind = "SyntaxError"
    summary = "A recognition error occurred in the query."

    def __init__(self, place: Place, hint: str = "") -> None:
        where = (
            f"Query could not be parsed at '{place.token}' on line [{place.line},{place.column}]"
        )
        super().__init__("SYN0002", f"{where}. {hint}" if hint else where, place)


def unresolved(operator: str, what: str, name: str, place: Place) -> QueryError:
    """Return the error for a name that stands for nothing."""
    message = f"'{operator}' operator: Failed to resolve {what} named '{name}'"
    return QueryError("SEM0100", message, place)


def unsupported(what: str, place: Place) -> QueryError:
    """Return the error for what Kusto has and the simulator does not."""
    return QueryError("SEM0099", f"The simulator does not have {what}", place)


class TooMuchError(Exception):
    """A query that takes more than it may: rows, memory or time; the API answers in part."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class TooSlowError(Exception):
    """A query that did not end within the time that its client waits."""


def type_error(message: str, place: Place) -> QueryError:
    """Return the error for values of types that do not go together. Pure."""
    return QueryError("SEM0064", message, place)
