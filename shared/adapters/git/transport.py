"""One conversation with a Git server: dulwich speaks Git, this module speaks HTTP for it.

dulwich's own HTTP is not used, because it follows redirects to other hosts, retries, waits without
an overall limit, reads without a bound, and falls back to the dumb protocol.
"""

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import SplitResult, urljoin, urlsplit

import urllib3
import urllib3.exceptions
from dulwich.client import AbstractHttpGitClient
from dulwich.objects import ObjectID

from shared.adapters.git import failures
from shared.adapters.git.limits import Limits
from shared.core.errors import Stalled
from shared.ports import GitRepository

SERVICE = b"git-upload-pack"
_DISCOVERY = "info/refs?service=git-upload-pack"
_MAX_REDIRECTS = 3
_PIECE_BYTES = 64 * 1024
_AGENT = "plumbline (dulwich)"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Advertisement:
    """What a server announced: the protocol's version, and refs and capabilities as dulwich reads them."""

    version: int
    answer: Any
    at_s: float

    def tip(self, ref: bytes) -> str | None:
        """Return the commit id that a ref points to, None when there is no such ref."""
        id_ = self.answer[0].get(ref)
        return None if id_ is None else id_.decode("ascii")


@dataclass
class Known:
    """Tells the server which commits are here, each without its history. A dulwich GraphWalker."""

    commits: Sequence[str]
    shallow: set[ObjectID] = field(init=False)

    def __post_init__(self) -> None:
        ids = [ObjectID(commit.encode()) for commit in self.commits]
        self.shallow = set(ids)
        self._left = iter(ids)

    def __next__(self) -> ObjectID | None:
        """Return the next commit, None at the end."""
        return next(self._left, None)

    def ack(self, sha: ObjectID, /) -> None:
        """Ignore that the server knows the commit, too."""

    def nak(self) -> None:
        """Ignore that the server knows none of them."""


class SmartHttp(AbstractHttpGitClient):
    """A dulwich client for one operation on one repository, with this module's HTTP.

    Raises the project's errors for all that happens on the way; dulwich's own errors, about what
    the server said, are the caller's to translate.
    """

    def __init__(
        self,
        repository: GitRepository,
        pool: urllib3.PoolManager,
        limits: Limits,
        advertised: Advertisement | None = None,
    ) -> None:
        """``advertised``: what this server is known to announce, so that it needn't be asked.

        Raises Stalled(GitUrlNotAllowed).
        """
        self._url = checked_url(repository)
        super().__init__(self._url, thin_packs=True, quiet=True)
        self._repository = repository
        self._pool = pool
        self._limits = limits
        self._origin = _origin(urlsplit(self._url))
        self._bodies: list[_Body] = []
        self.advertised = advertised
        self.body_limit = limits.refs_bytes

    def close(self) -> None:
        """Give the connections back, or end those that still have something to say."""
        for body in self._bodies:
            body.close()

    def _get_url(self, path: str | bytes) -> str:  # noqa: ARG002 - dulwich's signature
        return self._url

    def _discover_references(
        self,
        service: bytes,
        base_url: str,
        protocol_version: int | None = None,
        ref_prefix: Sequence[bytes] | None = None,
    ) -> Any:
        if self.advertised is None:
            answer = super()._discover_references(service, base_url, protocol_version, ref_prefix)
            self.advertised = Advertisement(self.protocol_version, answer, time.monotonic())
        self.protocol_version = self.advertised.version
        refs, *rest = self.advertised.answer
        return dict(refs), *rest

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,  # noqa: ARG002, FBT001, FBT002 - dulwich's signature
    ) -> tuple[Any, Callable[[int], bytes]]:
        asked = url
        for _ in range(_MAX_REDIRECTS + 1):
            body = self._send(url, dict(headers or {}), cast("bytes | None", data))
            if body.location is None:
                break
            url = self._followed(url, body.location, is_post=data is not None)
        else:
            raise failures.redirected(self._repository, url)
        if body.status != HTTPStatus.OK:
            raise failures.refused(self._repository, body.status, body.headers)
        if not (body.content_type or "").startswith("application/x-git-"):
            raise failures.protocol_error(self._repository, "is no smart HTTP Git server")
        body.redirect_location = url if url != asked else ""
        return body, body.read

    def _send(self, url: str, headers: dict[str, str], data: bytes | None) -> "_Body":
        if _origin(urlsplit(url)) != self._origin:
            raise failures.redirected(self._repository, url)
        if self._repository.token:
            headers["Authorization"] = "Basic " + failures.basic_credentials(self._repository)
        headers |= {"User-Agent": _AGENT, "Pragma": "no-cache", "Accept-Encoding": "identity"}
        deadline_s = time.monotonic() + self._limits.call_s
        try:
            response = self._pool.request(
                "GET" if data is None else "POST",
                url,
                body=data,
                headers=headers,
                timeout=urllib3.Timeout(connect=self._limits.connect_s, read=self._limits.read_s),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise failures.unreachable(self._repository, error) from error
        body = _Body(response, self._repository, self.body_limit, deadline_s)
        self._bodies.append(body)
        return body

    def _followed(self, url: str, location: str, *, is_post: bool) -> str:
        """Return where a redirect leads, if that is this repository under another path."""
        try:
            target = urljoin(url, location)
            same_origin = _origin(urlsplit(target)) == self._origin
        except ValueError:
            raise failures.redirected(self._repository, location) from None
        moved = bool(location) and same_origin and target.endswith("/" + _DISCOVERY)
        if is_post or not moved:
            raise failures.redirected(self._repository, target)
        return target


class _Body:
    """A response as dulwich wants it, read within size and time."""

    def __init__(
        self,
        response: urllib3.BaseHTTPResponse,
        repository: GitRepository,
        limit_bytes: int,
        deadline_s: float,
    ) -> None:
        self._response = response
        self._repository = repository
        self._left_bytes = limit_bytes
        self._deadline_s = deadline_s
        self._rest = b""
        self._ended = False
        self._closed = False
        self.redirect_location = ""

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    @property
    def content_type(self) -> str | None:
        return self._response.headers.get("Content-Type")

    @property
    def location(self) -> str | None:
        """Return where a redirect points to; None for any other answer."""
        is_redirect = HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST
        return self._response.headers.get("Location", "") if is_redirect else None

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        pieces = [self._rest]
        length = len(self._rest)
        while length < size and not self._ended:
            piece = self._piece()
            pieces.append(piece)
            length += len(piece)
        whole = b"".join(pieces)
        self._rest = whole[size:]
        return whole[:size]

    def close(self) -> None:
        """Read the end of a finished answer, so that its connection can be used again."""
        if self._closed:
            return
        self._closed = True
        if not self._ended and not self._rest and self.status == HTTPStatus.OK:
            with suppress(urllib3.exceptions.HTTPError, OSError):
                self._ended = not self._response.read1(1)
        if self._ended:
            self._response.release_conn()
        else:
            self._response.close()

    def _piece(self) -> bytes:
        if time.monotonic() > self._deadline_s:
            raise failures.unreachable(self._repository, TimeoutError())
        try:
            piece = self._response.read1(_PIECE_BYTES)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise failures.unreachable(self._repository, error) from error
        self._ended = not piece
        self._left_bytes -= len(piece)
        if self._left_bytes < 0:
            raise failures.too_large(self._repository, "sends more than is accepted")
        return piece


def checked_url(repository: GitRepository) -> str:
    """Return the repository's URL with a slash at its end; raises Stalled(GitUrlNotAllowed).

    Allowed is https, and http to the loopback address, without credentials, query or fragment.
    """
    try:
        parts = urlsplit(repository.url)
        problem = _problem(repository.url, parts)
    except ValueError:
        problem = "is not readable"
    if problem is not None:
        raise Stalled(
            "GitUrlNotAllowed",
            f"the URL of repository {repository.key} {problem}",
            hint="Use https://host/path; user and token have fields of their own.",
        )
    return repository.url.rstrip("/") + "/"


def _problem(url: str, parts: SplitResult) -> str | None:
    if not url.isascii() or not url.isprintable() or " " in url:
        return "carries spaces, control or non-ASCII characters"
    if parts.username is not None or parts.password is not None:
        return "carries credentials"
    if parts.query or parts.fragment:
        return "carries a query or a fragment"
    if not parts.hostname or not parts.path.strip("/") or (parts.port or 1) < 1:
        return "names no host or no path"
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        return "is not https"
    if parts.scheme not in _PORTS:
        return "is neither https nor http"
    return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
