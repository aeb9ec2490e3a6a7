"""How documents become bytes and back, keeping what a newer version wrote into them.

Every document carries ``schema_version``, and fields that this version does not know survive a
rewrite (docs/architecture.md part 4; invariant I31): during an upgrade two versions share the state.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
import orjson
from msgspec.structs import FieldInfo

from shared.core.decoding import decoder
from shared.core.errors import Stalled

SCHEMA_VERSION = 1


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every stored document has."""

    schema_version: int = SCHEMA_VERSION


D = TypeVar("D", bound=Document)


class Decoded(msgspec.Struct, Generic[D], frozen=True):
    """A document and, beside it, the fields that this version does not know."""

    document: D
    unknown: Mapping[str, Any]


def _unknown(raw: Any, known: Any) -> Any:
    """Return the part of ``raw`` whose keys are not in ``known``; mappings only, lists are whole."""
    if not (isinstance(raw, dict) and isinstance(known, dict)):
        return {}
    rest: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            rest[key] = value
        elif nested := _unknown(value, known[key]):
            rest[key] = nested
    return rest


def _merge(known: Any, unknown: Any) -> Any:
    """Return ``known`` with the fields of ``unknown`` that it does not have."""
    if not (isinstance(known, dict) and isinstance(unknown, dict)):
        return known
    merged = dict(known)
    for key, value in unknown.items():
        merged[key] = _merge(merged[key], value) if key in merged else value
    return merged


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    """Return a document's fields: msgspec works them out anew each time that it is asked."""
    return msgspec.structs.fields(kind)


def _explicit(document: Any) -> Any:
    """Return every field of ``document``, defaults included, as plain data."""
    if isinstance(document, msgspec.Struct):
        return {
            field.encode_name: _explicit(getattr(document, field.name))
            for field in _fields(type(document))
        }
    if isinstance(document, Mapping):
        return {key: _explicit(value) for key, value in document.items()}
    return document


def decode(kind: type[D], name: str, data: bytes) -> Decoded[D]:
    """Read a document. Raises Stalled (``DocumentUnreadable``) naming it when it cannot be read."""
    try:
        document = decoder(kind).decode(data)
        if encode(document) == data:
            return Decoded(document, {})  # as this version writes it: nothing to look for
        raw = orjson.loads(data)
    except (msgspec.MsgspecError, orjson.JSONDecodeError, orjson.JSONEncodeError) as e:
        raise Stalled(
            "DocumentUnreadable",
            f"The document {name!r} in the state container cannot be read: {e}",
            hint="Restore it, or have an operator order a rebuild of the repository: it sets records and "
            "tips aside and makes them anew.",
        ) from e
    return Decoded(document, _unknown(raw, _explicit(document)))


def encode(document: Document, unknown: Mapping[str, Any] | None = None) -> bytes:
    """Write a document with the fields that ``decode`` found but did not know. Pure."""
    plain = _merge(msgspec.to_builtins(document), dict(unknown or {}))
    plain.setdefault("schema_version", SCHEMA_VERSION)
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)


def canonical(value: Any) -> bytes:
    """Return canonical JSON: sorted keys, no spaces, UTF-8. Pure."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def to_text(moment: datetime) -> str:
    """Return a moment as sortable text in UTC, to the microsecond, for facts and logs. Pure."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """Read what ``to_text`` wrote; raises ValueError. Pure."""
    return datetime.fromisoformat(text)
