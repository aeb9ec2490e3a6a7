"""What goes wrong with a Git server, translated to the project's errors by tables.

Every text that leaves here has lost the credentials, even when the server sent them back.
"""

import base64
import math
import ssl
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import urllib3.exceptions

from shared.core.errors import PlumblineError, Stalled, Transient
from shared.ports import GitRepository

MAX_RETRY_AFTER_S = 24 * 3600.0
_MAX_SERVER_TEXT = 200

_CREDENTIALS_HINT = (
    "Check the user and token of this repository in the operator's configuration: it must not have"
    " expired, and must be allowed to read the repository."
)
_HIDDEN_HINT = (
    "Check the URL. Private repositories answer 404 to a wrong token, too: check user and token"
    " in the operator's configuration."
)
_REFUSALS: Mapping[int, tuple[str, str, str]] = {
    203: ("GitAuthenticationFailed", "answered with a sign-in page", _CREDENTIALS_HINT),
    401: ("GitAuthenticationFailed", "did not accept the credentials", _CREDENTIALS_HINT),
    403: ("GitAuthenticationFailed", "does not let these credentials read", _CREDENTIALS_HINT),
    404: (
        "GitRepositoryNotFound",
        "has no such repository, or hides it",
        _HIDDEN_HINT,
    ),
    410: ("GitRepositoryNotFound", "says that the repository is gone", "Check the URL."),
}
_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


def name_of(repository: GitRepository) -> str:
    """Return host and path of the repository for a message, whatever else the URL carries."""
    try:
        parts = urlsplit(repository.url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return f"repository {repository.key}"
    return f"{parts.hostname}{port}{parts.path}"


def refused(repository: GitRepository, status: int, headers: Mapping[str, str]) -> PlumblineError:
    """Return the error for an HTTP status other than 200. ``headers`` ignore case."""
    where = name_of(repository)
    retry_after_s = retry_after(headers)
    server_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    throttled = status == HTTPStatus.FORBIDDEN and retry_after_s is not None
    if status in _TRANSIENT or server_error or throttled:
        reason = "GitUnavailable" if server_error else "GitThrottled"
        return Transient(reason, f"{where} answered {status}", retry_after_s=retry_after_s)
    if status in _REFUSALS:
        reason, words, hint = _REFUSALS[status]
        return Stalled(reason, f"{where} {words} (HTTP {status})", hint=hint)
    return protocol_error(repository, f"answered HTTP {status}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return what ``Retry-After`` asks for, in seconds; None when absent or unreadable.

    A date counts from the server's own ``Date`` if it sent one, so that a wrong clock on either
    side does no harm.
    """
    text = headers.get("Retry-After")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            until = parsedate_to_datetime(text).timestamp()
            now = parsedate_to_datetime(headers["Date"]).timestamp()
        except KeyError:
            seconds = until - time.time()
        except ValueError:
            return None
        else:
            seconds = until - now
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def redirected(repository: GitRepository, location: str) -> Stalled:
    """Return the error for a redirect that is not followed; only its host is named."""
    try:
        parts = urlsplit(location)
        target = f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another path"
    except ValueError:
        target = "an unreadable address"
    return Stalled(
        "GitRedirected",
        f"{name_of(repository)} redirects to {scrubbed(repository, target)}",
        hint="Configure the repository's final URL. A redirect to a sign-in page means that the"
        " token was not accepted.",
    )


def unreachable(repository: GitRepository, error: BaseException) -> PlumblineError:
    """Return the error for a connection that failed, broke or timed out."""
    where = name_of(repository)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Stalled(
                "GitCertificateInvalid",
                f"{where} shows a certificate that is not trusted: {cause.verify_message}",
                hint="Renew the server's certificate, or name a file with its authority in the app"
                " setting SSL_CERT_FILE.",
            )
        cause = cause.__cause__ or cause.__context__ or _reason_of(cause)
    return Transient("GitUnreachable", f"{where} {_trouble(error)}")


def _reason_of(error: BaseException) -> BaseException | None:
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, BaseException) else None


_TROUBLES: tuple[tuple[type[BaseException], str], ...] = (
    (urllib3.exceptions.ConnectTimeoutError, "could not be reached in time"),
    (urllib3.exceptions.TimeoutError, "did not answer in time"),
    (TimeoutError, "did not answer in time"),
    (urllib3.exceptions.NameResolutionError, "has no address: the name was not resolved"),
    (urllib3.exceptions.NewConnectionError, "could not be reached"),
    (urllib3.exceptions.SSLError, "broke off the TLS handshake"),
)


def _trouble(error: BaseException) -> str:
    for kind, words in _TROUBLES:
        if isinstance(error, kind):
            return words
    return "broke off the connection"


def protocol_error(repository: GitRepository, words: str) -> Stalled:
    """Return the error for an answer that is no Git; ``words`` may quote the server."""
    return Stalled(
        "GitProtocolError",
        f"{name_of(repository)} {scrubbed(repository, words)}",
        hint="The URL must be that of a smart HTTP Git server, as for `git clone`.",
    )


def too_large(repository: GitRepository, words: str) -> Stalled:
    """Return the error for a repository that is beyond the limits."""
    return Stalled(
        "GitRepositoryTooLarge",
        f"{name_of(repository)} {words}",
        hint="Keep templates in a repository of their own; builds and data do not belong beside"
        " them.",
    )


def gone(repository: GitRepository, revision: str) -> Transient:
    """Return the error for a revision that the server no longer offers."""
    return Transient(
        "GitRevisionGone",
        f"{name_of(repository)} no longer offers {revision}; {repository.branch} has moved on",
    )


def scrubbed(repository: GitRepository, text: str) -> str:
    """Return ``text`` without the repository's credentials, printable and short."""
    for secret in _spellings(repository):
        text = text.replace(secret, "***")
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    if len(printable) > _MAX_SERVER_TEXT:
        return printable[:_MAX_SERVER_TEXT] + "…"
    return printable


def _spellings(repository: GitRepository) -> Iterable[str]:
    token = repository.token.reveal() if repository.token else ""
    if not token:
        return
    yield basic_credentials(repository)
    yield token
    yield quote(token, safe="")
    yield base64.b64encode(token.encode()).decode()


def basic_credentials(repository: GitRepository) -> str:
    """Return user and token as Basic authentication sends them; call it as late as possible."""
    token = repository.token.reveal() if repository.token else ""
    return base64.b64encode(f"{repository.user or ANY_USER}:{token}".encode()).decode()


ANY_USER = "x-access-token"
"""The user when only a token is configured: GitHub's word; most hosts look at the token only."""
