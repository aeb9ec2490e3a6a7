"""A push webhook as GitHub shapes it: whether it is genuine, concerns us, and what it says.

Sources: GitHub's "Validating webhook deliveries" and its push payload; security rules in
docs/security.md. The payload is a hint, never data: nothing but its names is used.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from shared.core import names
from shared.core.secret import Secret

MAX_BODY_BYTES: Final = 1024 * 1024
_PREFIX: Final = "sha256="
_HEX_LENGTH: Final = 64
_ZERO: Final = frozenset("0")
_HEADS: Final = "refs/heads/"


def is_genuine(signature: str | None, body: bytes, secrets: Sequence[Secret]) -> bool:
    """Tell whether ``signature`` (X-Hub-Signature-256) is ours for ``body``.

    Several secrets are valid at once during a rotation; no secret means never. Every secret is
    compared, in constant time, on bytes: a non-ASCII header is a wrong one, not an error. Pure.
    """
    given = signature or ""
    shaped = given.startswith(_PREFIX) and len(given) == len(_PREFIX) + _HEX_LENGTH
    claimed = given.removeprefix(_PREFIX).encode("utf-8", "surrogateescape")
    genuine = False
    for secret in secrets:
        expected = hmac.new(secret.reveal().encode(), body, hashlib.sha256).hexdigest().encode()
        genuine |= hmac.compare_digest(expected, claimed)
    return genuine and shaped


class MalformedPushError(Exception):
    """The body is not a push payload; the text says what is wrong, never what was sent."""


class Push:
    """What a push payload says, and nothing else of it."""

    __slots__ = ("after", "ref", "urls")

    def __init__(self, ref: str, after: str, urls: frozenset[str]) -> None:
        self.ref = ref
        self.after = after
        self.urls = urls

    @property
    def deleted(self) -> bool:
        """Whether the push deleted its ref: GitHub sends an id of zeros then."""
        return set(self.after) == _ZERO


def _text(holder: dict[str, Any], key: str, where: str) -> str:
    value = holder.get(key)
    if not isinstance(value, str):
        raise MalformedPushError(f"{where}{key}: a text is expected")
    return value


def parse_push(body: bytes) -> Push:
    """Read a push payload; raises MalformedPushError with the place and what is expected. Pure."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as e:
        raise MalformedPushError("not valid JSON") from e
    if not isinstance(payload, dict):
        raise MalformedPushError("an object is expected")
    repository = payload.get("repository")
    if not isinstance(repository, dict):
        raise MalformedPushError("repository: an object is expected")
    ref = _text(payload, "ref", "")
    after = _text(payload, "after", "")
    if not names.is_sha(after):
        raise MalformedPushError("after: a full commit id is expected")
    _text(repository, "clone_url", "repository.")
    found = (repository.get(key) for key in ("clone_url", "html_url", "git_url", "ssh_url"))
    return Push(ref, after, frozenset(place(url) for url in found if isinstance(url, str)))


def place(url: str) -> str:
    """Return ``host[:port]/path`` of a repository's URL, comparable across schemes. Pure."""
    if "://" not in url and "@" in url:  # git@host:owner/name.git
        host, _, path = url.partition("@")[2].partition(":")
        url = f"ssh://{host}/{path}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").lower()
    default = {"https": 443, "http": 80, "ssh": 22}.get(parts.scheme)
    shown = f":{port}" if port and port != default else ""
    return f"{host}{shown}/{parts.path.strip('/').removesuffix('.git').lower()}"


def why_ignored(push: Push, *, url: str, branch: str) -> str | None:
    """Return why a genuine push does not concern the followed branch, or None if it does. Pure."""
    if place(url) not in push.urls:
        return "the push is to another repository than the one this hook follows"
    if not push.ref.startswith(_HEADS):
        return f"{_shown(push.ref)} is not a branch"
    if push.ref != _HEADS + branch:
        return f"the branch {_shown(push.ref.removeprefix(_HEADS))} is not followed"
    return None


def _shown(text: str, limit: int = 100) -> str:
    """Return foreign text fit for an answer: printable, bounded."""
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return repr(clean if len(clean) <= limit else clean[:limit] + "…")


def is_oversized(lengths: Iterable[int]) -> bool:
    """Tell whether any of the lengths, claimed or measured, is over the cap. Pure."""
    return any(length > MAX_BODY_BYTES for length in lengths)
