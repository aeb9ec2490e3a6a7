"""Command line: `python -m local.host APPDIR` serves a Functions app until it is told to stop."""

import argparse
import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from local.host import launch, queues, serve
from local.host.journal import Journal
from local.host.problems import Problem, StartRefusedError
from local.host.web import DEFAULT_BODY_LIMIT, Keys

REFUSED = 2
LOCK_LIMITS_S = (15, 60)
LAST_PORT = 65535


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    command = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    command.add_argument("app_dir", type=Path, help="directory of function_app.py and host.json")
    command.add_argument("--port", type=int, default=0, help="0 takes a free one")
    command.add_argument("--hosts", type=int, default=1, help="hosts that share the work")
    command.add_argument("--shared-port", action="store_true", help="join hosts on the same --port")
    command.add_argument(
        "--keys", type=Path, help='JSON file {"function": "...", "master": "..."}; - is stdin'
    )
    command.add_argument("--with-parent", action="store_true", help="end when stdin ends")
    command.add_argument("--function-key", help="opens functions (default: a random one)")
    command.add_argument("--master-key", help="opens functions, admin functions and /admin")
    command.add_argument("--lease-seconds", type=float, default=queues.LEASE_S)
    command.add_argument("--max-polling", type=float, help="seconds; instead of host.json's")
    command.add_argument("--lock-seconds", type=float, help="timer lock, 15-60; see host.json")
    command.add_argument("--max-body-bytes", type=int, default=DEFAULT_BODY_LIMIT)
    command.add_argument("--grace-seconds", type=float, default=serve.DEFAULT_GRACE_S)
    command.add_argument("--json", action="store_true", help="log JSON lines")
    return command


def keys_of(arguments: argparse.Namespace) -> Keys:
    """Return the keys given, "" for none; raises StartRefusedError for a bad file."""
    given: dict[str, str] = {}
    if arguments.keys is not None:
        try:
            document = json.loads(_keys_text(arguments.keys))
            given = {name: str(document[name]) for name in ("function", "master")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            form = 'Write {"function": "...", "master": "..."}'
            bad = Problem(str(arguments.keys), f"cannot be read as keys: {error!r}", form)
            raise StartRefusedError([bad]) from None
    return Keys(
        arguments.function_key or given.get("function") or "",
        arguments.master_key or given.get("master") or "",
    )


def _keys_text(path: Path) -> str:
    return sys.stdin.readline() if str(path) == "-" else path.read_text(encoding="utf-8")


def options_of(arguments: argparse.Namespace) -> serve.Options:
    """Return the options; raises StartRefusedError for values out of range."""
    app_dir: Path = arguments.app_dir.resolve()
    problems: list[Problem] = []
    if not app_dir.is_dir():
        problems.append(Problem(str(app_dir), "is no directory", "Name the app's directory"))
    lock = arguments.lock_seconds
    if lock is not None and not LOCK_LIMITS_S[0] <= lock <= LOCK_LIMITS_S[1]:
        limits = "Blob leases last from 15 to 60 seconds"
        problems.append(Problem("--lock-seconds", f"{lock:g} is out of range", limits))
    for name in ("lease_seconds", "max_polling", "hosts"):
        value = getattr(arguments, name)
        if value is not None and value <= 0:
            flag = "--" + name.replace("_", "-")
            problems.append(Problem(flag, f"{value:g} is out of range", "Use more than 0"))
    if not 0 <= arguments.port <= LAST_PORT:
        problems.append(Problem("--port", f"{arguments.port} is no port", f"Use 0-{LAST_PORT}"))
    if problems:
        raise StartRefusedError(problems)
    keys = keys_of(arguments)
    made = not (keys.function and keys.master)
    if made:
        keys = Keys(
            keys.function or secrets.token_urlsafe(24), keys.master or secrets.token_urlsafe(24)
        )
    return serve.Options(
        app_dir=app_dir,
        port=arguments.port,
        shared_port=arguments.shared_port,
        keys=keys,
        show_keys=made,
        lease_s=arguments.lease_seconds,
        max_polling_s=arguments.max_polling,
        lock_s=lock,
        body_limit=arguments.max_body_bytes,
        grace_s=arguments.grace_seconds,
    )


async def run(options: serve.Options, *, as_json: bool, with_parent: bool) -> None:
    """Serve until SIGTERM, SIGINT or, `with_parent`, the end of stdin."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def parent_gone() -> None:
        loop.remove_reader(sys.stdin.fileno())
        stop.set()

    if with_parent:
        loop.add_reader(sys.stdin.fileno(), parent_gone)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host = await serve.start(
        options, os.environ, lambda levels: Journal(sys.stderr, levels, as_json=as_json)
    )
    ready = {
        "url": host.url,
        "pids": [os.getpid()],
        "workers": [host.supervisor.pid],
        "functions": {function.name: function.kind for function in host.functions},
        **serve.shown_keys(options),
    }
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    defect = asyncio.create_task(host.failed())
    told = asyncio.create_task(stop.wait())
    await asyncio.wait([defect, told], return_when=asyncio.FIRST_COMPLETED)
    failed = defect.done()
    for task in (defect, told):
        task.cancel()
    await host.stop()
    if failed:
        defect.result()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 0 after a clean stop, 2 if the start was refused."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = parser().parse_args(given)
    try:
        options = options_of(arguments)
        if arguments.hosts > 1:
            return asyncio.run(launch.run(options, arguments.hosts, as_json=arguments.json))
        asyncio.run(run(options, as_json=arguments.json, with_parent=arguments.with_parent))
    except StartRefusedError as refusal:
        sys.stderr.write(f"The host cannot start:\n{refusal}\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
