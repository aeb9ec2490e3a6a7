"""A problem as a user sees it: what, where, and how to mend it."""

from typing import Any

import msgspec

from shared.core.errors import PlumblineError, Stalled


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a person should know or do.

    ``code`` is CamelCase and stable (listed in docs/problems.md); ``message`` is one line;
    ``file`` is a path in the repository, ``path`` a JSON path inside it (``stacks.web.scope``),
    ``line`` counts from 1; ``detail`` keeps the other side's whole answer, free of secrets.
    """

    code: str
    message: str
    hint: str | None = None
    file: str | None = None
    path: str | None = None
    line: int | None = None
    detail: Any = None


def problem_of(error: PlumblineError) -> Problem:
    """Return an error as a problem. Pure."""
    detail = error.detail if isinstance(error, Stalled) else None
    return Problem(code=error.reason, message=error.message, hint=error.hint, detail=detail)
