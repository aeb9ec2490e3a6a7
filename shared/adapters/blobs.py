"""Documents and History over blob storage: compare-and-swap in ``state``, write-once in ``history``.

A reply that is lost does not leave a caller in doubt for long: every write carries a nonce in the blob's
metadata. A write of unknown outcome is repeated once, under the same condition; when the second one finds
the condition broken, the nonce tells whether the first one broke it.
"""

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, unquote

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import ContentDecodePolicy
from azure.storage.blob import BlobClient

from shared.adapters.storage_connection import StorageConnection
from shared.adapters.storage_errors import (
    Call,
    Kind,
    kind_of,
    outcome_unknown,
    retry_after_s,
    translate,
)
from shared.ports import ChangedError, ExistsError, Ids, Listed, Stored, Version

PAGE_SIZE: Final = 5000
BATCH_SIZE: Final = 256
FACTS_LIMIT_BYTES: Final = 7 * 1024
_CLIENTS_KEPT: Final = 256
_ROLE: Final = "Storage Blob Data Contributor"
_NONCE: Final = "plumbline_write"
_FACT: Final = re.compile(r"[a-z_][a-z0-9_]*")
# All that is printable in ASCII but the space, the escape character itself, and what XML escapes.
_PLAIN: Final = "!#$()*+,/:;=?@[]^{|}~`\\"


class BlobDocuments:
    """The port Documents over the container ``state``."""

    def __init__(self, connection: StorageConnection, ids: Ids, container: str = "state") -> None:
        self._blobs = _Container(connection, ids, container)

    def ensure(self) -> None:
        """Create the container, private, if it is missing (laptop and installer only)."""
        self._blobs.ensure()

    def read(self, name: str) -> Stored | None:
        """Return the document, or None when there is none."""
        return self._blobs.read(name)

    def create(self, name: str, data: bytes, facts: Mapping[str, str]) -> Version:
        """Write a document that must not exist yet; raises ExistsError.

        After a Transient it is not known whether the document was written: the next call may raise
        ExistsError although nobody else wrote.
        """
        if (version := self._blobs.write(name, data, facts, etag=None)) is None:
            raise ExistsError(name)
        return version

    def replace(self, name: str, data: bytes, etag: str, facts: Mapping[str, str]) -> Version:
        """Write over exactly the version ``etag``; raises ChangedError otherwise.

        ChangedError does not prove that this write was not carried out: its reply may be lost and
        somebody else may have written since. Read again and apply again.
        """
        if (version := self._blobs.write(name, data, facts, etag=etag)) is None:
            raise ChangedError(name)
        return version

    def delete(self, *names: str) -> None:
        """Remove documents, 256 per storage call; it is no error when one is gone already."""
        for start in range(0, len(names), BATCH_SIZE):
            self._blobs.delete_together(names[start : start + BATCH_SIZE])

    def list(self, prefix: str) -> Iterable[Listed]:
        """Yield the documents below ``prefix`` by name, 5,000 per storage call."""
        return self._blobs.list(prefix, with_facts=True)


class BlobHistory:
    """The port History over the container ``history``. Bytes are stored as given."""

    def __init__(self, connection: StorageConnection, ids: Ids, container: str = "history") -> None:
        self._blobs = _Container(connection, ids, container)

    def ensure(self) -> None:
        """Create the container, private, if it is missing (laptop and installer only)."""
        self._blobs.ensure()

    def put(self, name: str, data: bytes) -> bool:
        """Write ``name`` if it is not there; True when this call wrote it, False when it was there."""
        return self._blobs.write(name, data, {}, etag=None) is not None

    def read(self, name: str) -> bytes | None:
        """Return the bytes, or None when there are none."""
        stored = self._blobs.read(name)
        return None if stored is None else stored.data

    def list(self, prefix: str) -> Iterable[str]:
        """Yield the names below ``prefix``, sorted."""
        return (listed.name for listed in self._blobs.list(prefix, with_facts=False))


class _Container:
    """What both ports do with blobs."""

    def __init__(self, connection: StorageConnection, ids: Ids, container: str) -> None:
        # The SDK gives a download's ETag, but not the answer's date, and not what a listing is made
        # from. A hook of the single call would be forgotten when the call is repeated.
        self._answer = threading.local()
        service = connection.blob_service(raw_response_hook=self._keep)
        self._client = service.get_container_client(container)
        # A client costs as much CPU as a fifth of a request, and a record is read and written in turn.
        self._blob = lru_cache(maxsize=_CLIENTS_KEPT)(self._client_of)
        self._ids = ids
        self._name = container

    def _client_of(self, name: str) -> BlobClient:
        # HTTP clients fold these segments away, and the request would reach another blob.
        if {"", ".", ".."} & set(name.split("/")):
            raise ValueError("a blob's name has an empty segment, or one of dots")
        return self._client.get_blob_client(name)

    def ensure(self) -> None:
        try:
            self._client.create_container()
        except AzureError as error:
            if kind_of(error) is not Kind.EXISTS:
                raise translate(error, self._call("create the container")) from None

    def read(self, name: str) -> Stored | None:
        try:
            stream = self._blob(name).download_blob()
            data = stream.readall()
        except AzureError as error:
            if kind_of(error) is Kind.NO_BLOB:
                return None
            raise translate(error, self._call("read the blob", name)) from None
        return Stored(data, _quoted(stream.properties.etag), self._answer.at)

    def write(
        self, name: str, data: bytes, facts: Mapping[str, str], *, etag: str | None
    ) -> Version | None:
        """Write if nothing is there (``etag`` None) or exactly ``etag`` is; None: the condition broke."""
        nonce = self._ids.new()
        metadata = {**encode_facts(facts), _NONCE: nonce}
        unknown = False
        while True:
            try:
                return _upload(self._blob(name), data, metadata, etag)
            except AzureError as error:
                if _condition_broke(error, etag):
                    return self._written(name, nonce) if unknown else None
                if unknown or not outcome_unknown(error) or retry_after_s(error) is not None:
                    raise translate(error, self._call("write the blob", name)) from None
                unknown = True

    def delete(self, name: str) -> None:
        try:
            # Not repeated: the second request could meet a document that was created in between.
            self._blob(name).delete_blob(delete_snapshots="include", retry_total=0)
        except AzureError as error:
            if kind_of(error) is not Kind.NO_BLOB:
                raise translate(error, self._call("delete the blob", name)) from None

    def delete_together(self, names: Sequence[str]) -> None:
        """Remove up to 256 blobs with one request; those that refuse are asked one by one."""
        left: Sequence[str] = names
        if len(names) > 1:
            try:
                answers = self._client.delete_blobs(*names, raise_on_any_failure=False)
                statuses = [answer.status_code for answer in answers]
            except AzureError as error:
                raise translate(error, self._call("delete blobs", names[0])) from None
            gone = {HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND}
            left = [n for n, status in zip(names, statuses, strict=True) if status not in gone]
        for name in left:
            self.delete(name)

    def list(self, prefix: str, *, with_facts: bool) -> Iterable[Listed]:
        # The SDK makes ten objects of a listed blob, which takes ten times as long as reading the
        # XML. Asked for the names alone it reads only that, and the answer has all that is needed.
        names = self._client.list_blob_names(
            name_starts_with=prefix or None,
            include=["metadata"] if with_facts else None,
            results_per_page=PAGE_SIZE,
        )
        pages = iter(names.by_page())
        try:
            while next(pages, None) is not None:
                yield from listed_in(self._answer.context.pop(ContentDecodePolicy.CONTEXT_NAME))
        except AzureError as error:
            raise translate(error, self._call("list the blobs below", prefix)) from None

    def _written(self, name: str, nonce: str) -> Version | None:
        """Return the version that carries ``nonce``; None when the blob is another's, or is gone."""
        try:
            found = self._blob(name).get_blob_properties()
        except AzureError as error:
            if kind_of(error) is Kind.NO_BLOB:
                return None
            raise translate(error, self._call("read the blob", name)) from None
        if (found.metadata or {}).get(_NONCE) != nonce:
            return None
        return Version(_quoted(found.etag), found.last_modified.astimezone(UTC))

    def _keep(self, response: Any) -> None:
        # Not the response: who keeps that of an error keeps its connection from being closed.
        self._answer.context = response.context
        date = response.http_response.headers.get("Date")
        if date is not None:
            self._answer.at = parsedate_to_datetime(date).astimezone(UTC)

    def _call(self, action: str, name: str = "") -> Call:
        return Call(action, f"{self._name}/{name}" if name else self._name, _ROLE)


def encode_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Return the facts as blob metadata: what is not plain ASCII is percent-encoded. Pure.

    Raises ValueError for a key that is no lower-case ASCII identifier, and above 7 KiB.
    """
    for key in facts:
        if not _FACT.fullmatch(key) or key == _NONCE:
            raise ValueError(f"fact {key!r}: use a lower-case ASCII identifier other than {_NONCE}")
    encoded = {key: quote(value, safe=_PLAIN) for key, value in facts.items()}
    size = sum(len(key) + len(value) for key, value in encoded.items())
    if size > FACTS_LIMIT_BYTES:
        raise ValueError(f"facts of {size} bytes: blob metadata holds {FACTS_LIMIT_BYTES} here")
    return encoded


def decode_facts(metadata: Mapping[str, str | None]) -> dict[str, str]:
    """Return the facts in blob metadata, without the adapter's own. Pure."""
    lower = {key.lower(): value or "" for key, value in metadata.items()}
    return {key: unquote(value) for key, value in lower.items() if key != _NONCE}


def listed_in(page: Any) -> Iterable[Listed]:
    """Yield what a page of a listing, as parsed XML, says of its blobs. Pure."""
    for blob in page.iterfind("Blobs/Blob"):
        name = blob.find("Name")
        found = {one.tag: one.text for one in blob.iterfind("Metadata/*")}
        # A name that XML cannot hold comes percent-encoded, and says so.
        plain = unquote(name.text) if name.get("Encoded") == "true" else name.text
        yield Listed(plain, decode_facts(found), _quoted(blob.findtext("Properties/Etag")))


def _upload(blob: BlobClient, data: bytes, metadata: dict[str, str], etag: str | None) -> Version:
    condition: dict[str, Any] = (
        {"overwrite": False}
        if etag is None
        else {"overwrite": True, "etag": etag, "match_condition": MatchConditions.IfNotModified}
    )
    answer = blob.upload_blob(data, length=len(data), metadata=metadata, retry_total=0, **condition)
    return Version(_quoted(answer["etag"]), answer["date"].astimezone(UTC))


def _condition_broke(error: AzureError, etag: str | None) -> bool:
    kind = kind_of(error)
    if etag is None:
        return kind in (Kind.EXISTS, Kind.CHANGED)
    return kind in (Kind.CHANGED, Kind.NO_BLOB)


def _quoted(etag: str) -> str:
    """Return the ETag with the quotes that conditions need and listings leave out."""
    return etag if etag.startswith('"') else f'"{etag}"'
