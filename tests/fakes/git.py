"""Git in memory: repositories by URL, with real object ids, under the contract of ports.Git.

``push`` is what a person does; ``tip`` and ``tree`` are what the product does. The contract tests
run the same cases on this and on the real adapter.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.core.errors import PlumblineError, Stalled, Transient
from shared.core.source.tree import MAX_FILE_BYTES, FileTooLargeError, TreeEntry
from shared.ports import GitRepository

FORBIDDEN = {"", ".", "..", ".git"}


@dataclass(frozen=True)
class Symlink:
    """A symbolic link, as Git stores it."""

    target: str


@dataclass(frozen=True)
class Submodule:
    """A commit of another repository, as Git stores it."""

    commit: str


@dataclass(frozen=True)
class Executable:
    """A file with the executable bit."""

    content: bytes


Content = str | bytes | Symlink | Submodule | Executable
"""What a path holds; text is UTF-8."""
Files = Mapping[str, Content]
"""All of a commit, by slash-separated path; folders come by themselves."""


@dataclass
class FakeRepository:
    """One repository: branches by name, and the commits that can still be fetched."""

    user: str | None = None
    token: str | None = field(default=None, repr=False)
    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Files] = field(default_factory=dict)
    count: int = 0


class FakeGit:
    """Implements ports.Git.

    ``calls`` is what was asked (``("tip", key)``, ``("tree", revision)``). An error in
    ``next_errors`` is raised by the next call instead of an answer.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, FakeRepository] = {}
        self.calls: list[tuple[str, str]] = []
        self.next_errors: list[PlumblineError] = []

    def create(self, url: str, user: str | None = None, token: str | None = None) -> None:
        """Make an empty repository; with a token it asks for it."""
        self.repositories[url] = FakeRepository(user, token)

    def push(self, url: str, files: Files, branch: str = "main") -> str:
        """Make ``files`` the whole content of a branch; returns the new commit's id."""
        repository = self.repositories.setdefault(url, FakeRepository())
        repository.count += 1
        parent = repository.branches.get(branch, "")
        text = f"{_folder_id(files, '')} {parent} {repository.count}"
        revision = _digest("commit", text.encode())
        repository.commits[revision] = dict(files)
        repository.branches[branch] = revision
        return revision

    def move(self, url: str, revision: str, branch: str = "main") -> None:
        """Force a branch to an earlier or other commit."""
        self.repositories[url].branches[branch] = revision

    def delete_branch(self, url: str, branch: str = "main") -> None:
        """Delete a branch; its commits can still be fetched."""
        del self.repositories[url].branches[branch]

    def forget(self, url: str, revision: str) -> None:
        """Let a commit go that no branch points to."""
        del self.repositories[url].commits[revision]

    def tip(self, repository: GitRepository) -> str | None:
        """Return the branch's commit id; see ports.Git."""
        self.calls.append(("tip", repository.key))
        return self._admitted(repository).branches.get(repository.branch)

    def tree(self, repository: GitRepository, revision: str) -> "FakeTree":
        """Return the files at ``revision``; see ports.Git."""
        self.calls.append(("tree", revision))
        found = self._admitted(repository).commits.get(revision)
        if found is None:
            raise Transient("GitRevisionGone", f"{repository.url} no longer offers {revision}")
        return FakeTree(revision, found)

    def _admitted(self, repository: GitRepository) -> FakeRepository:
        if self.next_errors:
            raise self.next_errors.pop(0)
        found = self.repositories.get(repository.url)
        if found is None:
            raise Stalled("GitRepositoryNotFound", f"there is no {repository.url}")
        given = None if repository.token is None else repository.token.reveal()
        if found.token is not None and (given, repository.user) != (found.token, found.user):
            raise Stalled("GitAuthenticationFailed", f"{repository.url} refused the credentials")
        return found


@dataclass
class FakeTree:
    """A SourceTree over a dict."""

    revision: str
    files: Files

    def entry(self, path: str) -> TreeEntry | None:
        """Return what is at ``path``; see SourceTree."""
        segments = path.split("/")
        if FORBIDDEN & {segment.lower() for segment in segments} or set(path) & {"\\", "\0"}:
            return None
        for length in range(1, len(segments)):
            content = self.files.get("/".join(segments[:length]))
            if isinstance(content, Symlink | Submodule):
                return _entry(content)
        content = self.files.get(path)
        if content is not None:
            return _entry(content)
        if any(name.startswith(path + "/") for name in self.files):
            return TreeEntry("folder", _folder_id(self.files, path + "/"))
        return None

    def read(self, path: str) -> bytes:
        """Return the file's bytes; see SourceTree."""
        content = self.files.get(path)
        if self.entry(path) is None or content is None or isinstance(content, Symlink | Submodule):
            raise KeyError(path)
        data = _bytes(content)
        if len(data) > MAX_FILE_BYTES:
            raise FileTooLargeError(path)
        return data


def _entry(content: Content) -> TreeEntry:
    match content:
        case Submodule(commit):
            return TreeEntry("submodule", commit)
        case Symlink():
            return TreeEntry("symlink", _digest("blob", _bytes(content)))
    return TreeEntry("file", _digest("blob", _bytes(content)))


def _bytes(content: Content) -> bytes:
    match content:
        case str():
            return content.encode()
        case bytes():
            return content
        case Executable(data):
            return data
        case Symlink(target):
            return target.encode()
    raise TypeError(content)


def _folder_id(files: Files, prefix: str) -> str:
    """Return the id that Git gives the folder: a hash over its entries, folders sorted as ``x/``."""
    entries: dict[bytes, bytes] = {}
    for path, content in files.items():
        if not path.startswith(prefix):
            continue
        name, _, below = path.removeprefix(prefix).partition("/")
        if below:
            mode, id_, key = b"40000", _folder_id(files, f"{prefix}{name}/"), f"{name}/"
        else:
            mode, id_, key = _mode(content), _entry(content).id, name
        entries[key.encode()] = mode + b" " + name.encode() + b"\0" + bytes.fromhex(id_)
    return _digest("tree", b"".join(entries[key] for key in sorted(entries)))


def _mode(content: Content) -> bytes:
    match content:
        case Submodule():
            return b"160000"
        case Symlink():
            return b"120000"
        case Executable():
            return b"100755"
    return b"100644"


def _digest(kind: str, content: bytes) -> str:
    header = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
