"""What went wrong between here and ARM, as one of Plumbline's errors: the adapter's edge.

What ARM answered goes through the table in core.arm_answers. Without an answer it counts how far
the request came: a PUT that may have left is Unknown; anything else is Transient, except what no
second attempt can mend (a certificate that is not trusted, an identity that is refused).
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import msgspec
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import CredentialUnavailableError

from shared.adapters.arm.exchange import Exchange
from shared.core.arm_answers import (
    Kind,
    classify,
    error_of,
    flatten,
    is_named,
    retry_after_s,
    unregistered_namespace,
)
from shared.core.arm_errors import Active, Refused, Unknown, Unregistered
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.core.problem import Problem
from shared.core.redaction import mask_text

MAX_TEXT = 300
RETRYABLE = frozenset({404, 408, 410, 429})
"""What an identity endpoint answers while it starts or is busy, beside 5xx."""

REFUSALS = frozenset({400, 401, 403})
"""What it answers when there is no such identity, or the caller may not use it."""

Effect = Literal["none", "foretells", "deletes", "deploys"]
"""What an attempt is about to do at ARM: an answer that is no success means more or less by it.

One that ``foretells`` carries a template, which ARM may refuse, and starts nothing. One that
``deletes`` waits for others where ARM says of a conflict no more than that there is one.
"""

_ACTIONS = {"group.head": "Microsoft.Resources/subscriptions/resourceGroups/read"}


def is_missing(error: AzureError, exchange: Exchange) -> bool:
    """Tell whether ARM answered that the thing is not there."""
    status, body = _answer(error, exchange)
    return status is not None and classify(status, error_of(body)) is Kind.MISSING


def is_conflict(error: AzureError, exchange: Exchange) -> bool:
    """Tell whether ARM answered that the thing is not in a state for this."""
    status, _ = _answer(error, exchange)
    return status == HTTPStatus.CONFLICT


def translated(
    error: AzureError | ValueError | RecursionError,
    exchange: Exchange,
    now: datetime,
    *,
    effect: Effect = "none",
) -> PlumblineError:
    """Return the error to raise for a failed attempt that would have had this effect."""
    status, body = _answer(error, exchange)
    if status is None:
        return _no_answer(error, exchange, put=effect == "deploys")
    problem = _problem(status, body, exchange)
    kind = _kind(status, error_of(body), effect)
    if kind is Kind.TRANSIENT:
        return Transient(
            problem.code,
            problem.message,
            retry_after_s=delay_s(exchange, now),
            hint=problem.hint,
        )
    if kind is Kind.REFUSED:
        return Refused(problem)
    if kind is Kind.ACTIVE:
        return Active(problem.code, problem.message)
    if kind is Kind.UNKNOWN:
        return Unknown(problem.code, problem.message)
    namespace = unregistered_namespace(error_of(body)) if kind is Kind.UNREGISTERED else None
    if namespace:
        return Unregistered(problem.message, namespace=namespace)
    return Stalled(problem.code, problem.message, hint=problem.hint, detail=problem.detail)


def _kind(status: int, error: Mapping[str, Any] | None, effect: Effect) -> Kind:
    kind = classify(status, error, put=effect == "deploys")
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if effect == "foretells" and refused and kind is not Kind.TRANSIENT:
        return classify(status, error, put=True)
    if effect == "deletes" and status == HTTPStatus.CONFLICT and not is_named(error):
        return Kind.TRANSIENT
    return kind


def token_failure(error: AzureError, status: int | None = None) -> PlumblineError:
    """Return the error to raise when the identity gave no token.

    ``status`` is what the identity endpoint answered, where that is known. An endpoint that does
    not answer or is busy is Transient, and so is one that says no identity is there (as a starting
    worker's does) as long as it does not refuse outright: that is Stalled.
    """
    text = _one_line(error) if status is None else f"HTTP status {status}, {_one_line(error)}"
    refused = isinstance(error, ClientAuthenticationError) and not _may_pass(error)
    if status in REFUSALS or (status is None and refused):
        return Stalled(
            "IdentityRefused",
            f"the identity got no token for Azure: {text}",
            hint="Check the managed identity of the Functions app (or the credential's settings).",
        )
    return Transient(
        "IdentityUnavailable",
        f"the identity endpoint gave no token: {text}",
        hint="Check that the Functions app has a managed identity.",
    )


def _may_pass(error: AzureError) -> bool:
    if isinstance(error, CredentialUnavailableError):
        return True
    for cause in _causes(error):
        if isinstance(cause, ServiceRequestError | ServiceResponseError):
            return True
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if isinstance(status, int) and (
            status in RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        ):
            return True
    return False


def _no_answer(error: Exception, exchange: Exchange, *, put: bool) -> PlumblineError:
    # The SDK quotes the body of an answer that it cannot decode, and bodies may hold secrets.
    decoding = isinstance(error, HttpResponseError)
    text = "the answer cannot be decoded" if decoding else _one_line(error)
    if put and exchange.sent:
        what = "ran out of time" if exchange.timed_out else "got no readable answer"
        return Unknown("AnswerLost", f"the PUT of the deployment {what}: {text}")
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return Stalled(
            "ArmCertificateRefused",
            f"the certificate of the ARM endpoint is not trusted: {text}",
            hint="Check the endpoint's address and the file with its certificate authority.",
        )
    reason = "ArmAnswerUnreadable" if exchange.response is not None else "ArmUnreachable"
    return Transient(reason, f"{exchange.kind}: {text}")


def _answer(error: Exception, exchange: Exchange) -> tuple[int | None, Any]:
    """Return (status, body) of ARM's answer, status None when this error is not about one."""
    response = getattr(error, "response", None)
    if not isinstance(error, HttpResponseError) or response is None:
        return None, None
    if response is not exchange.response or response.status_code < HTTPStatus.MULTIPLE_CHOICES:
        return None, None  # the identity's answer, or a success that cannot be read
    try:
        return response.status_code, json.loads(response.text())
    except (ValueError, AzureError):
        return response.status_code, None


def _problem(status: int, body: Any, exchange: Exchange) -> Problem:
    problem = flatten(error_of(body) or _bare(status, exchange))
    correlation_id = exchange.response.headers.get("x-ms-correlation-request-id")
    if correlation_id and isinstance(problem.detail, dict):
        detail = {**problem.detail, "correlationId": str(correlation_id)[:64]}
        return msgspec.structs.replace(problem, detail=detail)
    return problem


def _bare(status: int, exchange: Exchange) -> Mapping[str, Any]:
    """Return the error of an answer without a body, as HEAD has none, in ARM's own form."""
    action = _ACTIONS.get(exchange.kind)
    if status == HTTPStatus.FORBIDDEN and action:
        scope = unquote(urlsplit(exchange.response.request.url).path)
        return {
            "code": "AuthorizationFailed",
            "message": "Plumbline's identity does not have authorization to perform action "
            f"'{action}' over scope '{scope}' or the scope is invalid.",
        }
    return {
        "code": f"Http{status}",
        "message": f"ARM answered {exchange.kind} with HTTP status {status} and no error code.",
    }


def delay_s(exchange: Exchange, now: datetime) -> float | None:
    """Return after how many seconds ARM's answer wants to be asked again, None if it does not say."""
    headers = exchange.response.headers
    in_ms = headers.get("x-ms-retry-after-ms") or headers.get("retry-after-ms")
    if in_ms and str(in_ms).strip().isdigit():
        return retry_after_s(str(int(in_ms) / 1000), now)
    return retry_after_s(headers.get("Retry-After"), now)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and what it came from.

    The SDK keeps the cause in ``inner_exception``, urllib3 in ``reason`` or among ``args``.
    """
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *one.args]
        waiting += [getattr(one, name, None) for name in ("inner_exception", "reason")]


def _one_line(error: Exception) -> str:
    return mask_text(" ".join(str(error).split()))[:MAX_TEXT] or type(error).__name__
