"""``python -m local``: start, stop and look at a laptop installation of Plumbline."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from local import contract, example, launcher, parts, processes, storage
from local import laptop as laptops
from local.laptop import Laptop
from local.waiting import WaitedTooLongError

DEFAULT_FOLDER = parts.ROOT / ".laptop"
MAX_HOSTS = 8
_FAILURES = (
    processes.DiedAtStartError,
    laptops.UnreadableLaptopError,
    storage.NotSetUpError,
    example.ExampleError,
    WaitedTooLongError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, or 1 with the reason on standard error."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except _FAILURES as error:
        print(f"local: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "local: interrupted; what was started still runs: python -m local down", file=sys.stderr
        )
        return 130


def _up(options: argparse.Namespace) -> int:
    request = launcher.Request(
        hosts=options.hosts,
        example=options.example,
        demo=options.demo,
        max_polling_s=options.max_polling,
    )
    laptop = launcher.up(options.dir, request, _say)
    _show(laptop, as_json=options.json)
    return 0


def _down(options: argparse.Namespace) -> int:
    if not launcher.down(options.dir, _say):
        _say(f"there is nothing in {options.dir}")
    return 0


def _status(options: argparse.Namespace) -> int:
    laptop = laptops.load(options.dir.resolve())
    if laptop is None:
        _say(f"there is nothing in {options.dir}: python -m local up")
        return 1
    _show(laptop, as_json=options.json)
    missing = contract.dead(laptop)
    if missing:
        _say(f"not running: {', '.join(missing)}; python -m local up starts what is missing")
    return 1 if missing else 0


def _show(laptop: Laptop, *, as_json: bool) -> None:
    line = contract.line(laptop)
    if as_json:
        print(json.dumps(line), flush=True)
        return
    key = laptop.secrets.function_key
    print(f"folder     {laptop.folder}")
    print(f"stacks     curl -H 'x-functions-key: {key}' {line['functions']}/api/stacks")
    print(f"clone      git clone {line['git']['url']}")
    print(f"simulator  {line['arm']['control']} (ca file {line['arm']['ca_file']})")
    print(f"logs       {laptop.log('*').parent}")


def _say(text: str) -> None:
    print(f"local: {text}", file=sys.stderr, flush=True)


def _hosts(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MAX_HOSTS:
        raise argparse.ArgumentTypeError(f"{count} is not between 1 and {MAX_HOSTS}")
    return count


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= 60.0:  # noqa: PLR2004 - what the Functions host accepts, a minute
        raise argparse.ArgumentTypeError(f"{text} is not between 0.1 and 60 seconds")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="start what is missing, in the background")
    up.set_defaults(command=_up)
    up.add_argument("--hosts", type=_hosts, metavar="N", help="Functions hosts (1)")
    up.add_argument(
        "--no-example",
        dest="example",
        action="store_const",
        const=False,
        help="let the repository start empty",
    )
    up.add_argument(
        "--demo", action="store_const", const=True, help="short polls and operations, to watch"
    )
    up.add_argument(
        "--max-polling",
        type=_seconds,
        metavar="SECONDS",
        help="longest pause between two looks at an empty queue (2; 0.2 with --demo)",
    )

    down = commands.add_parser("down", help="stop everything; the state stays")
    down.set_defaults(command=_down)
    status = commands.add_parser("status", help="say where it answers; 1 if a part does not run")
    status.set_defaults(command=_status)
    for one in (up, down, status):
        one.add_argument(
            "--dir",
            type=Path,
            default=DEFAULT_FOLDER,
            help="folder of the installation (.laptop); deleting it is a full reset",
        )
    for one in (up, status):
        one.add_argument("--json", action="store_true", help="print one line for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
