"""The Git port over dulwich: what a branch points to, and the files of a revision, in memory.

Nothing is checked out, no git binary runs, and no history is fetched: one commit with its tree,
without the files that are larger than the product reads anyway.
"""

import struct
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import urllib3
from dulwich.client import extract_object_format_from_capabilities
from dulwich.errors import GitProtocolError, HangupException
from dulwich.objects import ObjectID
from dulwich.refs import Ref, check_ref_format

from shared.adapters.git import failures
from shared.adapters.git.cache import LeastRecentlyUsed
from shared.adapters.git.limits import Limits
from shared.adapters.git.pack import Pack, PackError, PackTooLargeError
from shared.adapters.git.snapshot import IncompleteError, Snapshot
from shared.adapters.git.transport import Advertisement, Known, SmartHttp
from shared.core.errors import PlumblineError, Transient
from shared.ports import GitRepository

_MAX_PACKS = 16
"""After so many fetches on top of each other, the next one is whole again."""
_HEX_LENGTH = 40

_UNINTELLIGIBLE = (
    GitProtocolError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What dulwich raises when a server's answer is not what it expects."""


class _OutOfDateError(Exception):
    """A fetch failed that relied on what the server announced earlier."""


class DulwichGit:
    """Implements ports.Git. One per worker; threads may share it.

    It makes no retries: every error is one attempt's. Besides the port's reasons it raises
    Stalled with ``GitUrlNotAllowed``, ``GitRepositoryTooLarge`` and ``GitCertificateInvalid``.
    """

    def __init__(self, limits: Limits | None = None, ca_file: Path | None = None) -> None:
        """``ca_file``: certificate authorities (PEM) to trust instead of the system's."""
        self._limits = limits or Limits()
        self._pool = urllib3.PoolManager(
            num_pools=16, maxsize=4, ca_certs=None if ca_file is None else str(ca_file)
        )
        self._snapshots: LeastRecentlyUsed[tuple[str, str], Snapshot] = LeastRecentlyUsed(
            self._limits.cache_revisions, self._limits.cache_bytes
        )
        self._advertised: dict[GitRepository, Advertisement] = {}
        self._used_s = time.monotonic()
        self._fetching: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def tip(self, repository: GitRepository) -> str | None:
        """Return the branch's commit id; see ports.Git."""
        ref = _ref(repository)
        if ref is None:
            return None
        with self._conversation(repository, None) as client:
            client.get_refs("", ref_prefix=[ref])
            advertised = self._noted(repository, client)
        return advertised.tip(ref)

    def tree(self, repository: GitRepository, revision: str) -> Snapshot:
        """Return the files at ``revision``; see ports.Git.

        A revision that was read before is served from memory. Raises ValueError for a
        ``revision`` that is no full commit id.
        """
        if len(revision) != _HEX_LENGTH or set(revision) - set("0123456789abcdef"):
            raise ValueError(f"revision must be 40 hexadecimal digits, not {revision!r}")
        key = (repository.url, revision)
        snapshot = self._snapshots.get(key)
        if snapshot is not None:
            return snapshot
        with self._alone(repository):  # two messages for one push fetch once
            snapshot = self._snapshots.get(key)
            if snapshot is None:
                snapshot = self._fetched(repository, revision)
                self._snapshots.put(key, snapshot)
        return snapshot

    @contextmanager
    def _alone(self, repository: GitRepository) -> Iterator[None]:
        """Keep other threads from fetching the same repository; none waits longer than a call."""
        lock = self._fetching[repository.url]
        if not lock.acquire(timeout=self._limits.call_s):
            raise Transient(
                "GitBusy", f"{failures.name_of(repository)} is slow: another fetch is under way"
            )
        try:
            yield
        finally:
            lock.release()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._pool.clear()

    def _fetched(self, repository: GitRepository, revision: str) -> Snapshot:
        """Fetch the revision, on top of the newest one that is here if there is one."""
        known = self._snapshots.newest(lambda key: key[0] == repository.url)
        if known is not None and len(known.packs) < _MAX_PACKS:
            snapshot = self._unpacked(repository, revision, known)
            if snapshot is not None:
                return snapshot
        snapshot = self._unpacked(repository, revision, None)
        if snapshot is None:
            raise failures.protocol_error(repository, "sent a pack that lacks objects")
        return snapshot

    def _unpacked(
        self, repository: GitRepository, revision: str, known: Snapshot | None
    ) -> Snapshot | None:
        """Return the revision's files; None when deltas build on what is not here.

        A server may build on a file that was left out of the revision before, being too large.
        """
        data = self._pack_data(repository, revision, known)
        try:
            if known is None:
                packs: tuple[Pack, ...] = (Pack(data, self._limits),)
            else:
                packs = (Pack(data, self._limits, known.find), *known.packs)
            if packs[0].unresolved:
                return None
            return Snapshot(revision, packs, lambda why: self._broken(repository, why))
        except PackTooLargeError as error:
            raise failures.too_large(repository, str(error)) from error
        except (PackError, IncompleteError) as error:
            raise failures.protocol_error(repository, f"sent a broken pack: {error}") from error

    def _pack_data(
        self, repository: GitRepository, revision: str, known: Snapshot | None
    ) -> bytearray:
        """Return the pack; asks what the server announces only when that isn't known from tip()."""
        advertised = self._advertised.get(repository)
        if advertised is not None and advertised.at_s > time.monotonic() - self._limits.reuse_s:
            with suppress(_OutOfDateError):
                return self._asked(repository, revision, known, advertised)
        return self._asked(repository, revision, known, None)

    def _asked(
        self,
        repository: GitRepository,
        revision: str,
        known: Snapshot | None,
        advertised: Advertisement | None,
    ) -> bytearray:
        ref = _ref(repository)
        data = bytearray()

        def take(piece: bytes) -> int:
            if len(data) + len(piece) > self._limits.pack_bytes:
                raise failures.too_large(repository, "sends a pack larger than is accepted")
            data.extend(piece)
            return len(piece)

        with self._conversation(repository, revision, advertised) as client:
            client.body_limit = 2 * self._limits.pack_bytes
            client.fetch_pack(
                "",
                lambda _refs, depth=None: [ObjectID(revision.encode())],  # noqa: ARG005
                Known([] if known is None else [known.revision]),
                take,
                depth=1,
                ref_prefix=None if ref is None else [ref],
                filter_spec=b"blob:limit=%d" % (self._limits.file_bytes + 1),
            )
            self._noted(repository, client)
            if not data:
                raise GitProtocolError("sent nothing")
        return data

    @contextmanager
    def _conversation(
        self,
        repository: GitRepository,
        revision: str | None,
        advertised: Advertisement | None = None,
    ) -> Iterator[SmartHttp]:
        """Talk to the server, and translate what dulwich makes of its answers.

        The server's own words are told but not chained: a traceback would print them as sent.
        Raises _OutOfDateError when it was ``advertised`` that may be to blame.
        """
        now_s = time.monotonic()
        if now_s > self._used_s + self._limits.idle_s:
            self._pool.clear()
        self._used_s = now_s
        client = SmartHttp(repository, self._pool, self._limits, advertised)
        try:
            yield client
        except PlumblineError:
            self._advertised.pop(repository, None)
            raise
        except _UNINTELLIGIBLE as error:
            self._advertised.pop(repository, None)
            if advertised is not None:
                raise _OutOfDateError from None
            raise self._translated(repository, revision, client, error) from None
        finally:
            client.close()

    def _translated(
        self,
        repository: GitRepository,
        revision: str | None,
        client: SmartHttp,
        error: BaseException,
    ) -> PlumblineError:
        ref = _ref(repository)
        told = client.advertised
        tip = None if ref is None or told is None else told.tip(ref)
        if revision is not None and told is not None and tip != revision:
            return failures.gone(repository, revision)
        if isinstance(error, HangupException):
            return failures.unreachable(repository, error)
        said = f": {error}" if isinstance(error, GitProtocolError) else ""
        return failures.protocol_error(
            repository, f"gave an answer that is not understood ({type(error).__name__}{said})"
        )

    def _noted(self, repository: GitRepository, client: SmartHttp) -> Advertisement:
        """Remember what the server announced; raises GitProtocolError for SHA-256 repositories."""
        advertised = client.advertised
        if advertised is None:
            raise GitProtocolError("announced nothing")
        if extract_object_format_from_capabilities(advertised.answer[1]) not in (None, "sha1"):
            raise GitProtocolError("only repositories with SHA-1 ids can be read")
        self._advertised[repository] = advertised
        return advertised

    def _broken(self, repository: GitRepository, why: str) -> Transient:
        """Forget the repository when a folder is missing: the next attempt fetches it whole."""
        self._snapshots.drop(lambda key: key[0] == repository.url)
        return Transient("GitTreeIncomplete", f"{failures.name_of(repository)}: {why}")


def _ref(repository: GitRepository) -> Ref | None:
    """Return the branch's full name; None for a name that no branch can have."""
    try:
        name = f"refs/heads/{repository.branch}".encode()
    except UnicodeEncodeError:
        return None
    return Ref(name) if check_ref_format(Ref(name)) else None
