"""A user's clone of the repository, edited and pushed with the git command line, as users do."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GIT_LIMIT_S = 60.0
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Dana Developer",
    "GIT_AUTHOR_EMAIL": "dana@shop.example",
    "GIT_COMMITTER_NAME": "Dana Developer",
    "GIT_COMMITTER_EMAIL": "dana@shop.example",
    "GIT_CONFIG_GLOBAL": os.devnull,  # no signing keys, hooks or templates of whoever runs this
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
}


class GitError(Exception):
    """Git refused; the message has its words."""


@dataclass(frozen=True)
class Pushed:
    """A push: its commit, and what the server's hook said to the pusher."""

    sha: str
    files: Sequence[str]
    remote_words: Sequence[str]


class Clone:
    """A work tree on the followed branch."""

    def __init__(self, folder: Path, branch: str) -> None:
        self.folder = folder
        self._branch = branch

    @classmethod
    def of(cls, url: str, folder: Path, branch: str) -> "Clone":
        """Clone ``url`` (maybe empty) into ``folder``; raises ``GitError``."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        _git(folder.parent, "clone", "--quiet", url, folder.name)
        clone = cls(folder, branch)
        clone.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")
        return clone

    def read(self, path: str) -> str:
        """Return a file's text."""
        return (self.folder / path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a file's text."""
        (self.folder / path).write_text(text, encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace the first ``old`` in a file; raises ``ValueError`` if there is none."""
        text = self.read(path)
        if old not in text:
            raise ValueError(f"{path} does not contain {old!r}")
        self.write(path, text.replace(old, new, 1))

    def push(self, message: str, *, force: bool = False) -> Pushed:
        """Commit what was edited, if anything was, and push it; raises ``GitError``."""
        self.git("add", "--all")
        if self.git("status", "--porcelain"):
            self.git("commit", "--quiet", "--message", message)
        said = self.git("push", *(["--force"] if force else []), "origin", self._branch)
        shown = self.git("show", "--name-only", "--format=", "HEAD")
        return Pushed(
            sha=self.git("rev-parse", "HEAD").strip(),
            files=shown.split(),
            remote_words=[
                line.removeprefix("remote:").strip()
                for line in said.splitlines()
                if line.startswith("remote:") and line.removeprefix("remote:").strip()
            ],
        )

    def drop(self) -> None:
        """Take the last commit out of the history, as if it had never been made."""
        self.git("reset", "--quiet", "--hard", "HEAD~1")

    def pick_up(self, sha: str) -> None:
        """Put the branch at a commit that this clone has had."""
        self.git("reset", "--quiet", "--hard", sha)

    def git(self, *arguments: str) -> str:
        """Run git in the work tree; return all that it said; raises ``GitError``."""
        return _git(self.folder, *arguments)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **_IDENTITY},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=GIT_LIMIT_S,
    )
    if done.returncode != 0:
        raise GitError(f"git {arguments[0]}: {done.stdout.strip()}")
    return done.stdout
