"""A working copy driven by the git command line, as a user has one."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "LC_ALL": "C.UTF-8",
}


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run git; the caller looks at the exit code."""
    return subprocess.run(
        ["git", *map(str, arguments)],
        cwd=cwd,
        env=ENVIRONMENT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@dataclass(frozen=True)
class WorkingCopy:
    """A clone in ``folder``; every method fails loudly."""

    folder: Path

    @classmethod
    def clone(cls, url: str, folder: Path) -> "WorkingCopy":
        """Clone ``url``."""
        done = run("clone", "--quiet", url, folder)
        assert done.returncode == 0, done.stderr
        copy = cls(folder)
        copy.git("symbolic-ref", "HEAD", "refs/heads/main")
        return copy

    def git(self, *arguments: str) -> str:
        """Run git here; returns both outputs."""
        done = run(*arguments, cwd=self.folder)
        assert done.returncode == 0, f"git {arguments}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file, with its folders."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str = "change") -> str:
        """Commit everything; returns the id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def push(self, *arguments: str) -> str:
        """Push; returns what git said."""
        return self.git("push", *(arguments or ("origin", "main")))
