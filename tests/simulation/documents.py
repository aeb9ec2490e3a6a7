"""Documents of the model: what is stored, with time and fences made finite.

The product's documents hold moments and counters that never stop. The model keeps of a moment only
what a decision can see of it, and of a record's fence only whether it is the newest:

=================== ==============================================================================
``due_at``          now, ``SOON`` (within 150 s) or ``LATER`` (a rotation); a patient sweep sees both
``busy_until``      ``AHEAD`` while it holds, ``PAST`` once the model let it run out
``until`` (freeze)  likewise, and ``looked_after_until``
``telling``         now while somebody is at work, ``PAST`` once they are believed dead
``intended_at``     now while the PUT may be on its way, ``PAST`` once it can arrive no more
other moments       ``NOW``: nothing is decided by them in the runs that are modelled
``fence``           left out: the stored one is always ``FENCE``, and what a worker read is counted down
                    from it (the product only compares fences and adds one to them)
=================== ==============================================================================

So every timer may run out at any time, in any order: more than can happen, never less.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import msgspec
import orjson

from shared.core import names
from shared.core import record as record_changes
from shared.core import tip as tip_changes
from shared.core.document import to_text
from shared.core.record import Record
from shared.core.revision import Revision
from shared.core.tip import Tip

NOW: Final = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
PAST: Final = NOW - timedelta(hours=1)
SOON: Final = NOW + timedelta(hours=1)
LATER: Final = NOW + timedelta(days=1)
AHEAD: Final = NOW + timedelta(days=3650)
FENCE: Final = 50

_SOON: Final = timedelta(seconds=150)
_EXPIRING: Final = frozenset({"busy_until", "looked_after_until", "until"})
_SLACK: Final = timedelta(seconds=2)


Facts = tuple[tuple[str, str], ...]


class Blob:
    """A stored document: canonical JSON without a fence, and its facts. Made by ``blob`` only.

    There is one object for each content, so that blobs compare and hash by identity.
    """

    __slots__ = ("data", "facts")

    def __init__(self, data: bytes, facts: Facts) -> None:
        self.data, self.facts = data, facts


@cache
def blob(data: bytes, facts: Facts = ()) -> Blob:
    """Return the one blob of this content."""
    return Blob(data, facts)


def is_record(name: str) -> bool:
    """Tell whether a document is a stack's record. Pure."""
    return names.identity_of_record(name) is not None


def _due(at: datetime, *, is_poll: bool) -> datetime:
    if at <= NOW:
        return NOW
    if is_poll:
        return AHEAD  # polls are not modelled: a push whose delivery was lost is another story
    return SOON if at - NOW <= _SOON else LATER


def _moment(key: str, at: datetime, *, is_poll: bool) -> datetime:
    if key == "due_at":
        return _due(at, is_poll=is_poll) if at not in {SOON, LATER, AHEAD} else at
    if key in _EXPIRING:
        return AHEAD if at > NOW + _SLACK else PAST
    return PAST if key in {"telling", "intended_at"} and at < NOW else NOW


def _plain(value: Any, key: str, *, is_poll: bool) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v, k, is_poll=is_poll) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v, key, is_poll=is_poll) for v in value]
    if isinstance(value, datetime):
        return _moment(key, value, is_poll=is_poll)
    return value


def _structured(name: str, data: bytes) -> Any:
    if is_record(name):
        return msgspec.json.decode(data, type=Record)
    if name.endswith("/tip.json"):
        return msgspec.json.decode(data, type=Tip)
    if "/revisions/" in name and name.endswith(".json"):
        return msgspec.json.decode(data, type=Revision)
    return None


@cache
def abstract(name: str, data: bytes, facts: tuple[tuple[str, str], ...]) -> Blob:
    """Return a document as the model keeps it."""
    document = _structured(name, data)
    if document is None:
        return blob(data, facts)
    is_poll = isinstance(document, Tip) and not document.dirty
    plain = msgspec.to_builtins(document, builtin_types=(datetime,))
    plain = _plain(plain, "", is_poll=is_poll)
    if isinstance(document, Record):
        plain.pop("fence", None)
    stored = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    return blob(stored, tuple(sorted(_facts(_structured(name, stored), dict(facts)).items())))


def _facts(document: Any, written: Mapping[str, str]) -> dict[str, str]:
    """Return the facts as the product wrote them, with the model's moments."""
    if isinstance(document, Record):
        own = record_changes.facts(document)
    elif isinstance(document, Tip):
        own = tip_changes.facts(document)
    else:
        return dict(written)
    moments = {key: value for key, value in own.items() if key in _TIMES}
    return {**{k: v for k, v in written.items() if k not in _TIMES}, **moments}


_TIMES: Final = frozenset({"due_at", "busy_until"})


@cache
def concrete(name: str, stored: Blob, age: int) -> bytes:
    """Return the bytes that a worker reads; ``age`` is how many fences ago that was."""
    if not is_record(name):
        return stored.data
    return orjson.dumps({**orjson.loads(stored.data), "fence": FENCE - age})


def fence_of(data: bytes) -> int:
    """Return the fence that a worker writes."""
    return int(orjson.loads(data).get("fence", 0))


@cache
def document(name: str, stored: Blob) -> Any:
    """Return the typed document."""
    return _structured(name, stored.data)


@cache
def with_times(stored: Blob, **moments: datetime) -> Blob:
    """Return the document with some of its moments set."""
    plain = {**orjson.loads(stored.data), **{k: v.isoformat() for k, v in moments.items()}}
    facts = dict(stored.facts)
    facts.update({k: to_text(v) for k, v in moments.items() if k in _TIMES})
    return blob(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS), tuple(sorted(facts.items())))
