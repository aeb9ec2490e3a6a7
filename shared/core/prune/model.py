"""What a record keeps of resources that left a template, and of their deletion."""

from datetime import datetime

import msgspec

from shared.core.document import Document
from shared.core.problem import Problem


class Left(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A resource that a stack had and has no more; ``release`` is the one that left it.

    ``needs`` are the resources of the stack that it depended on: they may go after it. ``emptied``:
    nothing of the stack was left by that release, whatever came later.
    """

    id: str
    type: str
    release: str
    api_version: str | None = None
    needs: tuple[str, ...] = ()
    emptied: bool = False


class Deletion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One resource that is being deleted; ``after`` are those that go before it.

    ``began_at`` is when ARM was asked first; ARM is asked not before ``again_at``. ``tries`` counts
    answers that may pass. ``refused`` is why ARM does not do it. ``by`` approved, saying ``why``.
    """

    id: str
    type: str
    release: str
    api_version: str | None = None
    after: tuple[str, ...] = ()
    began_at: datetime | None = None
    again_at: datetime | None = None
    tries: int = 0
    gone: bool = False
    refused: Problem | None = None
    by: str | None = None
    why: str | None = None


class Deleted(Document, frozen=True, kw_only=True, omit_defaults=True):
    """A resource that was deleted, and the release that left it. Written once, kept for good.

    ``whole``: its stack was removed. ``by`` and ``why`` are of who approved, where that was needed.
    """

    repository: str
    stack: str
    release: str
    id: str
    type: str
    began_at: datetime
    ended_at: datetime
    whole: bool = False
    by: str | None = None
    why: str | None = None
