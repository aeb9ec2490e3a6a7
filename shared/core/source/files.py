"""Paths that a repository names, and reading what is there, refusing what leads out of it.

Files are read from Git objects by path, so nothing outside can be reached; what looks like an
attempt, or works only on somebody's disk, is still refused by name.
"""

import re
from dataclasses import dataclass, field

from shared.core.source.faults import Place, SourceError, shown
from shared.core.source.tree import MAX_FILE_BYTES, FileTooLargeError, SourceTree

MAX_FILES = 256
MAX_TOTAL_BYTES = 32 * 1024 * 1024
_MAX_PATH = 1024
_DRIVE = re.compile(r"[A-Za-z]:")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_GIT_FOLDER = re.compile(r"(?:\.git|git~[0-9]+)[. ]*", re.IGNORECASE)
_PATH_HINT = "Write it from the repository's root, with slashes: stacks/web/main.json."

_REFUSED = {
    "symlink": (
        "SymlinkRefused",
        "{0} is, or leads through, a symbolic link.",
        "Plumbline follows no links: commit the file itself at that path.",
    ),
    "submodule": (
        "SubmoduleRefused",
        "{0} is, or leads into, a submodule.",
        "Plumbline reads one repository only: commit the file itself, or follow the other repository too.",
    ),
    "folder": (
        "NotAFile",
        "{0} is a folder.",
        "Name the file in it, for example {0}/main.json.",
    ),
}


def clean_path(written: str, place: Place, *, relative_to: str = "") -> str:
    """Return the path from the repository's root, without ``.`` and ``..``. Pure.

    ``relative_to`` is the file that names the path. Raises SourceError (BadPath) for a path that is
    empty, absolute, leaves the repository, or has parts that no file of a repository has.
    """
    fault = _spelling_fault(written)
    if fault is not None:
        raise place.error("BadPath", f"The path {shown(written)} {fault}.", _PATH_HINT)
    parts = relative_to.split("/")[:-1] if relative_to else []
    for part in written.split("/"):
        if part == ".." and not parts:
            raise place.error(
                "BadPath", f"The path {shown(written)} leads out of the repository.", _PATH_HINT
            )
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if not parts:
        raise place.error("BadPath", f"The path {shown(written)} names no file.", _PATH_HINT)
    return "/".join(parts)


def _spelling_fault(written: str) -> str | None:
    checks = (
        (not written.strip(), "is empty"),
        (len(written) > _MAX_PATH, f"is longer than {_MAX_PATH} characters"),
        (_CONTROL.search(written), "has a control character in it"),
        (_SCHEME.match(written), "is a URL, and Plumbline reads only this repository"),
        ("\\" in written, "has a backslash in it"),
        (written.startswith("/") or _DRIVE.match(written), "is absolute"),
        (written.endswith("/"), "ends with a slash, so it names a folder"),
        (
            any(_GIT_FOLDER.fullmatch(part) for part in written.split("/")),
            "leads into Git's own folder",
        ),
    )
    return next((fault for found, fault in checks if found), None)


@dataclass(slots=True)
class Files:
    """Reads the files of one stack from one revision and remembers which, by object id."""

    tree: SourceTree
    ids: dict[str, str] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)

    def read(self, path: str, named_at: Place) -> bytes:
        """Return the bytes at a clean path; what is wrong is reported where the path is named.

        Raises SourceError: FileNotFound, NotAFile, SymlinkRefused, SubmoduleRefused, FileTooLarge,
        TooManyFiles.
        """
        if path in self.contents:
            return self.contents[path]
        entry = self.tree.entry(path)
        if entry is None:
            raise _not_found(path, named_at)
        if entry.kind != "file":
            code, message, hint = _REFUSED[entry.kind]
            raise named_at.error(code, message.format(shown(path)), hint.format(path))
        try:
            data = self.tree.read(path)
        except FileTooLargeError:
            raise _too_large(path, named_at) from None
        except KeyError:
            raise _not_found(path, named_at) from None
        if len(data) > MAX_FILE_BYTES:
            raise _too_large(path, named_at)
        self.ids[path], self.contents[path] = entry.id, data
        total = sum(len(each) for each in self.contents.values())
        if len(self.ids) > MAX_FILES or total > MAX_TOTAL_BYTES:
            raise named_at.error(
                "TooManyFiles",
                f"This stack reads more than {MAX_FILES} files or {MAX_TOTAL_BYTES >> 20} MiB.",
                "Split the stack into several.",
            )
        return data


def _not_found(path: str, named_at: Place) -> SourceError:
    return named_at.error(
        "FileNotFound",
        f"There is no file {shown(path)} at this revision.",
        "Check the spelling, upper and lower case included, and that the file is committed.",
    )


def _too_large(path: str, named_at: Place) -> SourceError:
    return named_at.error(
        "FileTooLarge",
        f"The file {shown(path)} is larger than {MAX_FILE_BYTES >> 20} MiB, which ARM does not take.",
        "Split the template into linked templates, or into several stacks.",
    )
