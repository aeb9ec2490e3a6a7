"""The bare repositories on disk: made once, their settings written again at every start.

The settings are those of a Git host that allows what a team does in an emergency: force-push,
deleting a branch, fetching any commit by id, partial clones.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
"""What a repository may be called: a plain file name, so that a URL can't leave the folder."""

HOOK_SETTINGS = "plumbline-hook.json"
"""File in the bare repository that tells the post-receive hook where to send what."""

_SOURCE_ROOT = Path(__file__).resolve().parents[2]
_CONFIG = {
    "http.receivepack": "true",
    "receive.denyNonFastForwards": "false",
    "receive.denyDeletes": "false",
    "receive.denyDeleteCurrent": "ignore",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "gc.auto": "0",
}
_HOOK = """#!/bin/sh
# Written by local/git at every start; tells the webhook's receiver what was pushed.
PYTHONPATH={root} exec {python} -P -m local.git.post_receive
"""


@dataclass(frozen=True)
class Webhook:
    """Where pushes are announced. The secret stays in its file; None means unsigned."""

    url: str
    secret_file: Path | None


def git_environment() -> Mapping[str, str]:
    """Return the environment for git that the user's own configuration can't change.

    ``core.hooksPath`` or ``safe.directory`` in a home directory would otherwise decide whether a
    push is announced.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return {
        **kept,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "LC_ALL": "C.UTF-8",
    }


def prepare(
    folder: Path, name: str, *, branch: str, clone_url: str, webhook: Webhook | None
) -> Path:
    """Return the bare repository ``name`` below ``folder``, made if missing; idempotent.

    Raises ValueError for a name that is not a plain file name.
    """
    if not NAME.fullmatch(name) or name.endswith(".git"):
        raise ValueError(
            f"repository name {name!r}: use letters, digits, '.', '_' and '-', without '.git'"
        )
    bare = folder / f"{name}.git"
    folder.mkdir(parents=True, exist_ok=True)
    if not (bare / "HEAD").exists():
        _git("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}", str(bare))
    for key, value in _CONFIG.items():
        _git("-C", str(bare), "config", key, value)
    _write_hook(bare)
    _write_hook_settings(bare, name, branch, clone_url, webhook)
    return bare


def _write_hook(bare: Path) -> None:
    hook = bare / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(_HOOK.format(root=_quoted(str(_SOURCE_ROOT)), python=_quoted(sys.executable)))
    hook.chmod(0o755)


def _write_hook_settings(
    bare: Path, name: str, branch: str, clone_url: str, webhook: Webhook | None
) -> None:
    secret_file = None
    if webhook is not None and webhook.secret_file is not None:
        secret_file = str(webhook.secret_file.resolve())
    settings = {
        "repository": name,
        "default_branch": branch,
        "clone_url": clone_url,
        "url": None if webhook is None else webhook.url,
        "secret_file": secret_file,
    }
    (bare / HOOK_SETTINGS).write_text(json.dumps(settings, indent=2) + "\n")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _git(*arguments: str) -> None:
    subprocess.run(
        ["git", *arguments], env=git_environment(), check=True, stdout=subprocess.DEVNULL
    )
