"""The example in the laptop's repository: ``examples/shop``, pushed as a user would push it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from local.laptop import BRANCH, REPOSITORY, Laptop

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "shop"
_GIT_LIMIT_S = 60.0


class ExampleError(Exception):
    """The example could not be pushed; the message says why."""


def push(laptop: Laptop) -> None:
    """Push ``examples/shop`` as the first commit, unless the repository has one already.

    Raises ``ExampleError`` with git's own words.
    """
    if _git(laptop.folder, "ls-remote", laptop.git_url_with_credentials, f"refs/heads/{BRANCH}"):
        return
    if not FOLDER.is_dir():
        raise ExampleError(f"{FOLDER} is missing: is this a whole clone of Plumbline?")
    with tempfile.TemporaryDirectory(dir=laptop.folder) as temporary:
        folder = Path(temporary) / REPOSITORY
        shutil.copytree(FOLDER, folder)
        _git(folder, "init", "--quiet", f"--initial-branch={BRANCH}")
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "--message", "A shop in six stacks")
        _git(folder, "push", "--quiet", laptop.git_url_with_credentials, BRANCH)


def _git(folder: Path, *arguments: str) -> str:
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,  # nobody's signing key, hooks or helpers
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Plumbline laptop",
        "GIT_AUTHOR_EMAIL": "laptop@plumbline.invalid",
        "GIT_COMMITTER_NAME": "Plumbline laptop",
        "GIT_COMMITTER_EMAIL": "laptop@plumbline.invalid",
    }
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_LIMIT_S,
        )
    except subprocess.CalledProcessError as error:
        raise ExampleError(f"git {arguments[0]}: {error.stderr.strip()}") from error
    return done.stdout
