"""A laptop for a measurement: started from outside, like any program does it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local import laptop as laptops

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Running:
    """A laptop that runs: the line of JSON that it printed, and its folder."""

    line: Mapping[str, Any]
    folder: Path

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the product's log events of this name, each with the host's ``time``."""
        found = []
        for text in (self.folder / "logs" / "functions.log").read_text().splitlines():
            if f'\\"event\\":\\"{name}\\"' in text:
                entry = json.loads(text)
                found.append(json.loads(entry["message"]) | {"time": entry["time"]})
        return found


@contextmanager
def laptop(*options: str, subscription: str | None = None) -> Iterator[Running]:
    """Start a laptop in a fresh folder with an empty repository, and stop it at the end.

    Noise depends on the ids of resources: who wants the same twice gives the ``subscription``.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        if subscription is not None:
            laptops.save(replace(laptops.draw(folder), subscription_id=subscription))
        command = [sys.executable, "-m", "local"]
        place = ["--dir", str(folder)]
        try:
            done = subprocess.run(
                [*command, "up", "--json", "--no-example", *place, *options],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
                timeout=120,
            )
            yield Running(json.loads(done.stdout), folder)
        finally:
            subprocess.run([*command, "down", *place], cwd=ROOT, check=False, timeout=60)


class WorkingCopy:
    """A clone of the laptop's repository, changed with the git command line."""

    def __init__(self, url: str, branch: str) -> None:
        self._place = tempfile.TemporaryDirectory(prefix="bench-clone-")
        self.folder = Path(self._place.name) / "clone"
        self._branch = branch
        subprocess.run(
            ["git", "clone", "-q", url, str(self.folder)],
            check=True,
            capture_output=True,
            timeout=60,
        )
        self._git("checkout", "-q", "-B", branch)

    def _git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"]
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout.strip()

    def push(self, files: Mapping[str, str]) -> str:
        """Commit these files and push; returns the revision."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "Change")
        self._git("push", "-q", "origin", f"HEAD:{self._branch}")
        return self._git("rev-parse", "HEAD")

    def close(self) -> None:
        """Remove the clone."""
        self._place.cleanup()
