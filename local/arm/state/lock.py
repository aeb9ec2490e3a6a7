"""One process per folder: two would write over each other's journal."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

_NAME = "arm.lock"


class FolderError(Exception):
    """The folder cannot be used; the text says why, and what to do."""


class FolderLock:
    """Holds a folder until closed; the system lets go of it when the process dies."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, making it if it is missing; raises `FolderError`."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise FolderError(
                f"the folder {folder} cannot be written: {error.strerror}. Give another one."
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(self._fd, 32).decode(errors="replace").strip() or "another"
            os.close(self._fd)
            raise FolderError(
                f"the folder {folder} is in use by process {owner}. Stop that one, or give"
                " another folder."
            ) from error
        os.ftruncate(self._fd, 0)
        os.write(self._fd, f"{os.getpid()}\n".encode())

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._fd)
