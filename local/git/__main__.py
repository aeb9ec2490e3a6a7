"""``python -m local.git``: serve bare repositories until SIGTERM."""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local.git.repositories import NAME, Webhook
from local.git.server import HOST, GitServer, GitServerSettings

CANNOT_SERVE = 3
"""Exit code: the port is in use, the folder can't be written, or there is no git."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        settings = _settings(options)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    try:
        asyncio.run(_serve(GitServer(settings), as_json=options.json))
    except (OSError, subprocess.CalledProcessError) as error:
        where = f"{settings.folder} on {HOST}:{settings.port}"
        print(f"local.git: cannot serve {where}: {error}", file=sys.stderr)
        return CANNOT_SERVE
    return 0


async def _serve(server: GitServer, *, as_json: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        await server.start()
        print(json.dumps(_facts(server)) if as_json else _words(server), flush=True)
        await stopped.wait()
    finally:
        await server.stop()


def _facts(server: GitServer) -> dict[str, Any]:
    settings = server.settings
    return {
        "url": server.url,
        "url_with_credentials": server.url_with_credentials,
        "pid": os.getpid(),
        "port": server.port,
        "repository": settings.repositories[0],
        "repositories": {name: server.url_of(name) for name in settings.repositories},
        "branch": settings.branch,
        "dir": str(settings.folder),
        "hook_url": None if settings.webhook is None else settings.webhook.url,
    }


def _words(server: GitServer) -> str:
    announced = server.settings.webhook
    where = "nowhere" if announced is None else announced.url
    return f"git clone {server.url_with_credentials}\n  pushes are announced to {where}"


def _settings(options: argparse.Namespace) -> GitServerSettings:
    token = options.token
    if options.token_file is not None:
        token = options.token_file.read_text().strip()
    if (options.user is None) != (token is None):
        raise ValueError("--user goes with --token or --token-file")
    names = tuple(options.repository or ["example"])
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(f"--repository {name!r}: use letters, digits, '.', '_' and '-'")
    return GitServerSettings(
        folder=options.dir.resolve(),
        repositories=names,
        branch=options.branch,
        port=options.port,
        user=options.user,
        token=token,
        webhook=_webhook(options),
        request_log=options.log,
    )


def _webhook(options: argparse.Namespace) -> Webhook | None:
    if options.hook_url is None:
        return None
    if not options.hook_url.startswith(("http://", "https://")):
        raise ValueError(f"--hook-url {options.hook_url!r}: give an http or https URL")
    if options.hook_secret_file is not None and not options.hook_secret_file.is_file():
        raise ValueError(f"--hook-secret-file {options.hook_secret_file}: there is no such file")
    return Webhook(options.hook_url, options.hook_secret_file)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.git", description=__doc__)
    add = parser.add_argument
    add("--dir", type=Path, required=True, help="folder of the bare repositories")
    add("--repository", action="append", help="name of a repository; may be given again")
    add("--branch", default="main", help="default branch of a new repository")
    add("--port", type=int, default=0, help="0: a free one")
    add("--user", help="asked for, together with a token; without it all come in")
    add("--token", help="the user's token")
    add("--token-file", type=Path, help="file with the user's token")
    add("--hook-url", help="where pushes are announced")
    add("--hook-secret-file", type=Path, help="file with the secret that signs announcements")
    add("--log", type=Path, help="file for one line of JSON per request")
    add("--json", action="store_true", help="print one line of JSON when it answers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
