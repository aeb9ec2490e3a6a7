"""What is kept for good of an order: who asked for what, when and why, and of which state."""

from datetime import datetime
from typing import Literal

import msgspec

from shared.core.document import Document

Readability = Literal["readable", "missing", "unreadable"]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuild found of a repository, before it changed anything.

    ``records`` counts those that could be read; ``unreadable`` are the stacks whose records were set
    aside, ``missing`` those that the tip or history knows and that have no record. ``gone`` names
    the documents of releases that records tell of and history does not have; ``without_history``
    are unreadable or missing stacks of which it has no release at all. ``frozen`` are those whose
    freeze was found in the audits, and holds again. ``unread`` names the audits and releases in
    history that cannot be read, and were passed over.
    """

    tip: Readability
    records: int = 0
    unreadable: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    without_history: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Audit(Document, frozen=True, kw_only=True, omit_defaults=True):
    """One order that was carried out; ``generation``, ``phase`` and ``release`` are of just before.

    ``message`` is the kept message that the order is about, ``<queue>/<id>``; ``repository`` and
    ``stack`` are empty where that message does not name them.
    ``stack`` is empty for an order about a whole repository, and ``found`` is what that found.
    """

    id: str
    at: datetime
    by: str
    operation: str
    repository: str
    stack: str
    why: str
    until: datetime | None = None
    generation: int = 0
    phase: str = ""
    release: str | None = None
    message: str = ""
    found: Findings | None = None
