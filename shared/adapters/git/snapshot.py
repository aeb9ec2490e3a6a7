"""The files of one revision, over packs in memory: what the compiler reads as a SourceTree."""

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from dulwich.errors import ObjectFormatException
from dulwich.objects import parse_tree

from shared.adapters.git.pack import (
    BLOB,
    COMMIT,
    TREE,
    ObjectTooLargeError,
    Pack,
    PackObject,
)
from shared.core.errors import PlumblineError
from shared.core.source.tree import FileTooLargeError, TreeEntry

Kind = Literal["file", "folder", "symlink", "submodule"]

_KINDS: Mapping[int, Kind] = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symlink",
    0o160000: "submodule",
}
_TREE_FIELD = b"tree "


class IncompleteError(Exception):
    """An object that the revision needs is not among those that the server sent."""


@dataclass(frozen=True)
class _Named:
    """An entry of a folder; ``id`` is binary."""

    kind: Kind
    id: bytes


class Snapshot:
    """A revision's files. Implements SourceTree; threads may share it."""

    def __init__(
        self,
        revision: str,
        packs: tuple[Pack, ...],
        broken: Callable[[str], PlumblineError],
    ) -> None:
        """``packs`` are newest first; ``broken`` makes the error for a folder that is missing.

        Raises IncompleteError without the commit or its tree.
        """
        self.revision = revision
        self.packs = packs
        self._broken = broken
        self._folders: dict[bytes, Mapping[bytes, _Named]] = {}
        self._root = self._root_id(bytes.fromhex(revision))
        self._folder(self._root)

    def entry(self, path: str) -> TreeEntry | None:
        """Return what is at ``path``; see SourceTree.

        None also for what can't be a path in a repository: absolute, with ``.``, ``..``, ``.git``
        or empty segments, a backslash or NUL. The caller, who knows the path's purpose, reports.
        """
        named = self._at(path)
        return None if named is None else TreeEntry(named.kind, named.id.hex())

    def read(self, path: str) -> bytes:
        """Return the file's bytes; see SourceTree.

        Raises FileTooLargeError, or KeyError when there is no file at exactly ``path``.
        """
        named = self._at(path, through_links=False)
        if named is None or named.kind != "file":
            raise KeyError(path)
        try:
            found = self._object(named.id)
        except (ObjectTooLargeError, IncompleteError) as error:
            raise FileTooLargeError(path) from error
        if found.kind != BLOB:
            raise KeyError(path)
        return found.content

    def find(self, id_: bytes) -> PackObject | None:
        """Return an object by its binary id, None when it is not here.

        Raises ObjectTooLargeError.
        """
        for pack in self.packs:
            found = pack.get(id_)
            if found is not None:
                return found
        return None

    def parts(self) -> dict[int, int]:
        """Return the bytes that each pack takes, for a cache that shares packs."""
        return {id(pack): pack.size_bytes for pack in self.packs}

    def _at(self, path: str, *, through_links: bool = True) -> _Named | None:
        try:
            return self._named(path, through_links=through_links)
        except IncompleteError as error:
            raise self._broken(str(error)) from error

    def _named(self, path: str, *, through_links: bool) -> _Named | None:
        segments = _segments(path)
        if segments is None:
            return None
        folder = self._folder(self._root)
        for index, segment in enumerate(segments):
            named = folder.get(segment)
            last = index == len(segments) - 1
            if named is None or last:
                return named
            if named.kind != "folder":
                return named if through_links and named.kind != "file" else None
            folder = self._folder(named.id)
        return None

    def _folder(self, id_: bytes) -> Mapping[bytes, _Named]:
        folder = self._folders.get(id_)
        if folder is None:
            try:
                found = self._object(id_)
                folder = _entries(found.content) if found.kind == TREE else {}
            except (ObjectTooLargeError, ObjectFormatException, ValueError) as error:
                raise IncompleteError(f"tree {id_.hex()} is unreadable") from error
            self._folders[id_] = folder
        return folder

    def _root_id(self, commit_id: bytes) -> bytes:
        try:
            commit = self._object(commit_id)
        except ObjectTooLargeError as error:
            raise IncompleteError(f"commit {commit_id.hex()} is unreadable") from error
        line = commit.content.partition(b"\n")[0]
        if commit.kind != COMMIT or not line.startswith(_TREE_FIELD):
            raise IncompleteError(f"{commit_id.hex()} is no commit")
        try:
            return bytes.fromhex(line.removeprefix(_TREE_FIELD).decode("ascii"))
        except ValueError as error:
            raise IncompleteError(f"commit {commit_id.hex()} names no tree") from error

    def _object(self, id_: bytes) -> PackObject:
        found = self.find(id_)
        if found is None:
            raise IncompleteError(f"object {id_.hex()} was not sent")
        return found


def _segments(path: str) -> list[bytes] | None:
    """Return the names that lead to ``path``; None when it can't be one in a repository."""
    if "\\" in path or "\0" in path:
        return None
    try:
        segments = [segment.encode() for segment in path.split("/")]
    except UnicodeEncodeError:
        return None
    if any(segment.lower() in (b"", b".", b"..", b".git") for segment in segments):
        return None
    return segments


def _entries(content: bytes) -> Mapping[bytes, _Named]:
    """Return a folder's entries by name; the first of two with one name counts, as in git."""
    entries: dict[bytes, _Named] = {}
    for name, mode, hex_id in parse_tree(content, 20):
        kind = _KINDS.get(stat.S_IFMT(mode))
        if kind is not None:
            entries.setdefault(name, _Named(kind, bytes.fromhex(hex_id.decode("ascii"))))
    return entries
