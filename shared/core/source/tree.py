"""What compiling needs from a revision: files by path, never a work tree.

The Git adapter implements it over objects in memory; tests over a dict.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

MAX_FILE_BYTES = 4 * 1024 * 1024
"""ARM's own limit for a template (reference: template limits); a larger file is not even fetched."""


class FileTooLargeError(Exception):
    """The file is larger than MAX_FILE_BYTES and was therefore not fetched."""


@dataclass(frozen=True)
class TreeEntry:
    """One entry of a Git tree. ``id`` is the object id (hex): equal ids mean equal content."""

    kind: Literal["file", "folder", "symlink", "submodule"]
    id: str


class SourceTree(Protocol):
    """The files of one revision."""

    revision: str

    def entry(self, path: str) -> TreeEntry | None:
        """Return what is at ``path`` (slash-separated, relative to the root), or None.

        A path that leads *through* a symlink or submodule returns that symlink's or submodule's
        entry, so that the caller can refuse it by name.
        """
        ...

    def read(self, path: str) -> bytes:
        """Return the file's bytes. Raises FileTooLargeError, or KeyError when there is no file."""
        ...
