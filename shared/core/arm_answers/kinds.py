"""One table: (HTTP status, ARM code) to what is done about it.

The adapter raises by it, a flow decides by it whether a failed deployment may be tried again. The
rule of the table: what lies outside the followed repository (permissions, locks, quotas, a missing
group) is Stalled; what the request itself got wrong is Refused; what passes by itself is Transient.
A PUT that was answered by 408 or 5xx may have been taken all the same: Unknown.

401 is Transient where a fresh token can mend it (``ExpiredAuthenticationToken``, and the general
``AuthenticationFailed`` that ARM also answers when its own token validation hiccups; the SDK drops
the cached token), and Stalled where it cannot (wrong tenant, wrong audience).
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from typing import Any

from shared.core.arm_answers.tree import ErrorNode, leaves, read

MAX_RETRY_AFTER_S = 3600.0
"""Nobody's request to wait longer than an hour is followed: the sweep looks again before that."""


class Kind(Enum):
    """What an answer means for the caller."""

    TRANSIENT = "transient"
    ACTIVE = "active"
    UNREGISTERED = "unregistered"
    REFUSED = "refused"
    STALLED = "stalled"
    UNKNOWN = "unknown"
    MISSING = "missing"


_CODES: Mapping[Kind, tuple[str, ...]] = {
    Kind.ACTIVE: ("DeploymentActive", "DeploymentActiveAndUneditable"),
    Kind.UNREGISTERED: ("MissingSubscriptionRegistration", "SubscriptionNotRegistered"),
    Kind.TRANSIENT: (
        # throttling
        *("TooManyRequests", "SubscriptionRequestsThrottled", "ResourceRequestsThrottled"),
        *("TenantRequestsThrottled", "OperationThrottled", "RequestThrottled", "429"),
        # somebody else is at work on the same thing
        *("RetryableErrorDueToAnotherOperation", "AnotherOperationInProgress", "RetryableError"),
        *("OperationInProgress", "StorageAccountOperationInProgress", "ResourceGroupBeingDeleted"),
        *("CanceledAndSupersededDueToAnotherOperation", "ReferencedResourceNotProvisioned"),
        # the service has a bad minute
        *("InternalServerError", "InternalError", "InternalExecutionError", "ServerBusy"),
        *("ServiceUnavailable", "ServerTimeout", "GatewayTimeout", "BadGateway", "RequestTimeout"),
        *("OperationTimedOut", "Timeout", "ResourceDeploymentTimeout", "500", "502", "503", "504"),
        # a fresh token, or a principal that is still being replicated
        *("ExpiredAuthenticationToken", "AuthenticationFailed", "PrincipalNotFound"),
    ),
    Kind.STALLED: (
        *("AuthorizationFailed", "LinkedAuthorizationFailed", "DenyAssignmentAuthorizationFailed"),
        *("ScopeLocked", "DeploymentQuotaExceeded", "SubscriptionNotFound", "QuotaExceeded"),
        *("ReadOnlyDisabledSubscription", "DisabledSubscription", "InvalidSubscriptionId"),
        *("InvalidAuthenticationToken", "InvalidAuthenticationTokenTenant"),
        *("InvalidAuthenticationTokenAudience", "LinkedInvalidPropertyId"),
    ),
    Kind.REFUSED: ("RequestDisallowedByPolicy", "InvalidTemplate", "InvalidTemplateDeployment"),
    Kind.MISSING: (
        *("DeploymentNotFound", "ResourceNotFound", "NotFound", "ParentResourceNotFound"),
        *("ResourceGroupNotFound", "DeploymentStackResourceNotFound"),
    ),
}
_BY_CODE = {code.lower(): kind for kind, codes in _CODES.items() for code in codes}

_ABOUT_THE_CALLER = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

# What a tree with several errors means: the first of these that occurs. One permanent error is
# enough to make another attempt pointless.
_GRAVEST_FIRST = (Kind.REFUSED, Kind.STALLED, Kind.MISSING, Kind.UNREGISTERED, Kind.ACTIVE)


def classify(status: int, error: Mapping[str, Any] | None, *, put: bool = False) -> Kind:
    """Say what an answer with this HTTP status and error object means. Pure.

    ``put`` says that the request would start a deployment: then an uncertain end is Unknown, a
    missing group is Stalled and any other 4xx is Refused. Otherwise a 404 is Missing.
    """
    if put and (status < HTTPStatus.BAD_REQUEST or _may_have_been_taken(status)):
        return Kind.UNKNOWN
    if error is None:
        return _kind(status, "", put=put)
    root = read(error)
    if not (root.is_wrapper and root.details):
        return _kind(status, root.code, put=put)
    kinds = {_kind(status, leaf.error.code, put=put) for leaf in leaves(root)}
    return next((kind for kind in _GRAVEST_FIRST if kind in kinds), Kind.TRANSIENT)


def _kind(status: int, code: str, *, put: bool) -> Kind:
    kind = _BY_CODE.get(code.lower()) or _by_status(status)
    if put and kind is Kind.MISSING:
        return Kind.STALLED if code.lower() == "resourcegroupnotfound" else Kind.REFUSED
    if (
        put
        and kind is Kind.STALLED
        and code.lower() not in _BY_CODE
        and status not in _ABOUT_THE_CALLER
    ):
        return Kind.REFUSED
    if not put and kind is Kind.REFUSED:
        return Kind.STALLED
    return kind


def _by_status(status: int) -> Kind:
    if status == HTTPStatus.TOO_MANY_REQUESTS or _may_have_been_taken(status):
        return Kind.TRANSIENT
    return Kind.MISSING if status == HTTPStatus.NOT_FOUND else Kind.STALLED


def _may_have_been_taken(status: int) -> bool:
    return status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def is_named(error: Mapping[str, Any] | None) -> bool:
    """Tell whether the table knows a code of this error by its name, and not only its status. Pure."""
    if error is None:
        return False
    return any(leaf.error.code.lower() in _BY_CODE for leaf in leaves(read(error)))


def is_transient_failure(error: Mapping[str, Any] | None) -> bool:
    """Tell whether a failed deployment may be tried again without a person: by codes only. Pure.

    True only when every error in the tree passes by itself; a bare ``DeploymentFailed`` does not
    say, so it is False.
    """
    if error is None:
        return False
    return all(_passes_by_itself(leaf.error) for leaf in leaves(read(error)))


def _passes_by_itself(node: ErrorNode) -> bool:
    return _BY_CODE.get(node.code.lower()) is Kind.TRANSIENT


_NAMESPACE = re.compile(r"'([A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)+)'")


def unregistered_namespace(error: Mapping[str, Any] | None) -> str | None:
    """Return the resource provider that the subscription is not registered for, or None. Pure.

    ARM names it as the ``target`` of the error or of a detail, or else quoted in its message.
    """
    if error is None:
        return None
    for leaf in leaves(read(error)):
        if _BY_CODE.get(leaf.error.code.lower()) is not Kind.UNREGISTERED:
            continue
        if leaf.error.target and "/" not in leaf.error.target:
            return leaf.error.target
        quoted = _NAMESPACE.search(leaf.error.message)
        if quoted:
            return quoted.group(1)
    return None


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, at most an hour. Pure.

    The header is a number of seconds or an HTTP date; None when it is missing or unreadable. A
    date that has passed is 0.
    """
    text = (header or "").strip()
    if not text:
        return None
    try:
        seconds = float(text) if text[0].isdigit() else _until(text, now)
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if seconds == seconds else None  # noqa: PLR0124 - NaN


def _until(date: str, now: datetime) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or now.tzinfo) - now).total_seconds()
