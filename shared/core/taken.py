"""A parameter whose value is another stack's output."""

import msgspec


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Whose output it is; ``type`` is the parameter's own, in lower case, "" where none is said."""

    stack: str
    output: str
    type: str
