"""What is kept for good of an order: who asked for what, when and why, and of which state."""

from datetime import datetime

from shared.core.document import Document


class Audit(Document, frozen=True, kw_only=True, omit_defaults=True):
    """One order that was carried out; ``generation``, ``phase`` and ``release`` are of just before.

    ``message`` is the kept message that the order is about, ``<queue>/<id>``; ``repository`` and
    ``stack`` are empty where that message does not name them.
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
