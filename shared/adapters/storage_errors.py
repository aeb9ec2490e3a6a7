"""What a storage failure means: one table of HTTP status and error code for blobs and queues.

Texts are put together here from a closed set of parts and never taken from the SDK or the service: those
carry URLs with SAS signatures, and strings that were signed. For the same reason the adapters raise
``from None``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any

from azure.core.exceptions import AzureError

from shared.core.errors import PlumblineError, Stalled, Transient

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{1,63}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_DEEPEST_CAUSE = 12
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]+)?")


@dataclass(frozen=True)
class Call:
    """What was asked of storage: ``action`` (a verb and a noun), ``target``, and the role it needs."""

    action: str
    target: str
    role: str


class TokenError(AzureError):
    """The identity gave no token; ``status`` is its endpoint's, None: there was no answer or no endpoint."""

    def __init__(self, status: int | None, *, no_answer: bool) -> None:
        super().__init__("no token for storage")
        self.status = status
        self.no_answer = no_answer


class Kind(Enum):
    """What a failure means to the caller."""

    UNREACHABLE = "no answer"
    BUSY = "come again"
    REFUSED = "not allowed"
    IDENTITY = "no token"
    NO_CONTAINER = "container is missing"
    NO_BLOB = "blob is missing"
    NO_QUEUE = "queue is missing"
    NO_MESSAGE = "message is gone, or somebody else has taken it"
    CHANGED = "another version is there"
    EXISTS = "it is there already"
    LEASED = "somebody holds a lease"
    REJECTED = "not understood"


_BY_CODE: Mapping[tuple[int, str], Kind] = {
    # The SDK raises for this one too: the queue is there, with the same metadata.
    (204, "QueueAlreadyExists"): Kind.EXISTS,
    (400, "PopReceiptMismatch"): Kind.NO_MESSAGE,
    (403, "AccountIsDisabled"): Kind.REFUSED,
    (404, "BlobNotFound"): Kind.NO_BLOB,
    (404, "ContainerNotFound"): Kind.NO_CONTAINER,
    (404, "MessageNotFound"): Kind.NO_MESSAGE,
    (404, "QueueNotFound"): Kind.NO_QUEUE,
    (409, "AccountBeingCreated"): Kind.BUSY,
    (409, "BlobAlreadyExists"): Kind.EXISTS,
    # Write-once containers look at their policy before they look at If-None-Match.
    (409, "BlobImmutableDueToPolicy"): Kind.EXISTS,
    (409, "ContainerAlreadyExists"): Kind.EXISTS,
    (409, "ContainerBeingDeleted"): Kind.BUSY,
    (409, "QueueAlreadyExists"): Kind.EXISTS,
    (409, "QueueBeingDeleted"): Kind.BUSY,
    (412, "ConditionNotMet"): Kind.CHANGED,
    (412, "LeaseIdMismatchWithBlobOperation"): Kind.LEASED,
    (412, "LeaseIdMissing"): Kind.LEASED,
    (412, "LeaseLost"): Kind.LEASED,
    (412, "TargetConditionNotMet"): Kind.CHANGED,
}
_BY_STATUS: Mapping[int, Kind] = {
    401: Kind.REFUSED,
    403: Kind.REFUSED,
    408: Kind.BUSY,
    409: Kind.EXISTS,
    412: Kind.CHANGED,
    429: Kind.BUSY,
}


def kind_of(error: AzureError) -> Kind:
    """Classify a failure. Pure."""
    status, code = _status(error), code_of(error)
    if isinstance(error, TokenError):
        if error.no_answer:
            return Kind.UNREACHABLE
        return Kind.BUSY if _passes(error.status) else Kind.IDENTITY
    if (kind := _BY_CODE.get((status or 0, code or ""))) is not None:
        return kind
    if status is None or status < 300:  # noqa: PLR2004 — a broken body of a good answer is no answer
        return Kind.UNREACHABLE
    if status >= 500:  # noqa: PLR2004 — the whole class
        return Kind.BUSY
    return _BY_STATUS.get(status, Kind.REJECTED)


def code_of(error: AzureError) -> str | None:
    """Return the service's error code (``BlobNotFound``), or None. Pure."""
    response = getattr(error, "response", None)
    headers: Mapping[str, str] = getattr(response, "headers", None) or {}
    code = headers.get("x-ms-error-code")
    if code is None:
        own = getattr(error, "error_code", None)
        code = getattr(own, "value", own)
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def outcome_unknown(error: AzureError) -> bool:
    """Tell whether the request may have been carried out although it failed. Pure."""
    if isinstance(error, TokenError):
        return False
    status = _status(error)
    return status is None or status >= 500 or status < 300  # noqa: PLR2004 — whole classes


def retry_after_s(error: AzureError) -> float | None:
    """Return the seconds that the service asked to wait (number or HTTP date), or None. Pure."""
    response = getattr(error, "response", None)
    headers: Mapping[str, str] = getattr(response, "headers", None) or {}
    text = (headers.get("Retry-After") or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        # The service's own clock: a skewed one of ours does not count.
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("Date") or "")
    except (TypeError, ValueError):
        return None
    return max(0.0, wait.total_seconds())


def translate(error: AzureError, call: Call) -> PlumblineError:
    """Return the error to raise: Transient or Stalled; its texts hold no URL and no secret. Pure."""
    kind, status, code = kind_of(error), _status(error), code_of(error)
    said = (
        " ".join(str(part) for part in ("HTTP", status, code) if part) if status else _cause(error)
    )
    if isinstance(error, TokenError):
        said = f"the identity gave no token: {said}"
    message = f"could not {call.action} {call.target}: {said}"
    if kind is Kind.UNREACHABLE:
        return Transient("StorageUnreachable", message)
    if kind is Kind.BUSY:
        return Transient("StorageBusy", message, retry_after_s=retry_after_s(error))
    reason, hint = _STALLED.get(kind, _REJECTED)
    detail = {"status": status, "code": code, "request_id": _request_id(error)}
    return Stalled(reason, message, hint=hint.format(role=call.role), detail=detail)


_REFUSED_HINT = (
    "give Plumbline's identity the role '{role}' on the storage account (a new assignment takes some "
    "minutes), or mend the connection string; check the account's firewall and this machine's clock"
)
_IDENTITY_HINT = "no token for storage: assign a managed identity to the app, and check PlumblineStorage__clientId"
_CONTAINER_HINT = (
    "create the containers 'state' and 'history': the installer and 'make up' do; if 'state' was there "
    "before, its documents are lost and must be rebuilt"
)
_LEASED_HINT = "somebody holds a lease on this blob; Plumbline takes none: break it (az storage blob lease break)"
_STALLED: Mapping[Kind, tuple[str, str]] = {
    Kind.REFUSED: ("StorageRefused", _REFUSED_HINT),
    Kind.IDENTITY: ("StorageIdentityUnavailable", _IDENTITY_HINT),
    Kind.NO_CONTAINER: ("StorageContainerMissing", _CONTAINER_HINT),
    Kind.LEASED: ("StorageBlobLeased", _LEASED_HINT),
}
# What an adapter takes for an answer in one call is out of place in another.
_REJECTED = (
    "StorageRejected",
    "look up the code in the storage documentation: it was not expected here",
)


def _status(error: AzureError) -> int | None:
    if isinstance(error, TokenError):
        return error.status
    status: Any = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _passes(status: int | None) -> bool:
    return status is not None and (status in (408, 429) or status >= 500)  # noqa: PLR2004 — a class


def _request_id(error: AzureError) -> str | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    value = headers.get("x-ms-request-id") or ""
    return value if _REQUEST_ID.fullmatch(value) else None


def _cause(error: BaseException) -> str:
    """Name the innermost cause; only the operating system's own words are repeated."""
    seen = error
    for _ in range(_DEEPEST_CAUSE):
        if (inner := _inner(seen)) is None:
            break
        seen = inner
    words = seen.strerror if isinstance(seen, OSError) else None
    return f"no answer ({type(seen).__name__}{f': {words}' if words else ''})"


def _inner(error: BaseException) -> BaseException | None:
    # azure-core, requests and urllib3 keep causes in attributes and arguments, Python in the chain.
    places = (
        error.__cause__,
        getattr(error, "inner_exception", None),
        getattr(error, "reason", None),
        error.__context__,
        *error.args,
    )
    found = (place for place in places if isinstance(place, BaseException) and place is not error)
    return next(found, None)
