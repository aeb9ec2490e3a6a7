"""The error tree: what may go wrong, and by its class what is done about it.

The kinds are the policy (docs/architecture.md, part 7); ``functions/_boundary.py`` carries it out::

    PlumblineError
    ├── Transient(retry_after_s)   the world hiccupped: a copy of the message, later, try + 1
    ├── Waiting(wait_s)            not yet: the same, without counting a try
    ├── Stalled                    a person must act: shown on the stack or repository
    └── BadMessage                 unreadable or of another version: ends in the poison queue

Adapters translate at the edge, by a table, and raise these. Anything else that reaches the boundary
is a defect.
"""


class PlumblineError(Exception):
    """Root of the tree. ``reason`` is CamelCase and stable; ``hint`` says how to mend it."""

    def __init__(self, reason: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message
        self.hint = hint


class Transient(PlumblineError):
    """The world hiccupped; the same call may succeed later.

    ``retry_after_s`` is what the other side asked for, in seconds; None when it said nothing.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        retry_after_s: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(reason, message, hint=hint)
        self.retry_after_s = retry_after_s


class Waiting(PlumblineError):
    """Not yet: somebody else is at work for another ``wait_s`` seconds, by the server's clock."""

    def __init__(self, reason: str, message: str, *, wait_s: float) -> None:
        super().__init__(reason, message)
        self.wait_s = wait_s


class Stalled(PlumblineError):
    """A person must act; ``detail`` is the other side's whole answer, free of secrets."""

    def __init__(
        self, reason: str, message: str, *, hint: str | None = None, detail: object = None
    ) -> None:
        super().__init__(reason, message, hint=hint)
        self.detail = detail


class BadMessage(PlumblineError):
    """A queue message that cannot be read or comes from another version."""
