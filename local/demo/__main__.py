"""``python -m local.demo``: play the story in a fresh folder; exit 0 only if every step held."""

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local import contract, example, launcher, parts, processes, storage
from local import laptop as laptops
from local.demo import shop
from local.demo.api import Api
from local.demo.azure import Azure
from local.demo.clone import Clone, GitError
from local.demo.drift_stage import DriftStage
from local.demo.githost import GitHost
from local.demo.lookout import Lookout
from local.demo.play import Player
from local.demo.runs import RunLog
from local.demo.screen import Screen
from local.demo.stage import Stage
from local.demo.workers import Workers
from local.laptop import Laptop

DEFAULT_FOLDER = parts.ROOT / ".demo"
_FAILURES = (
    processes.DiedAtStartError,
    example.ExampleError,
    storage.NotSetUpError,
    laptops.UnreadableLaptopError,
    GitError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the story; 0 if every step held, 1 if not, 130 if interrupted."""
    options = _parser().parse_args(arguments)
    folder: Path = options.dir.resolve()
    screen = Screen()
    signal.signal(signal.SIGTERM, _interrupt)
    # A shell that starts it in the background lets it ignore this one; the laptop must end all the same.
    signal.signal(signal.SIGINT, _interrupt)
    started = time.monotonic()
    try:
        held = _play(folder, options.hosts, screen)
    except KeyboardInterrupt:
        screen.say("Interrupted.")
        return 130
    except _FAILURES as error:
        screen.say(str(error), "red")
        return 1
    finally:
        launcher.down(folder, lambda _text: None)
    screen.say(f"{time.monotonic() - started:.1f} s in all; everything is stopped.")
    if not held:
        screen.say(f"A step did not hold. The logs are in {folder / 'logs'}.", "bold red")
    return 0 if held else 1


def _play(folder: Path, hosts: int, screen: Screen) -> bool:
    launcher.down(folder, screen.say)  # left over from a demo that was killed
    shutil.rmtree(folder, ignore_errors=True)
    screen.chapter("Start Azurite, the ARM simulator, a Git server and the Functions host")
    request = launcher.Request(hosts=hosts, example=False, demo=True)
    laptop = launcher.up(folder, request, lambda text: screen.line("laptop", text))
    screen.line("laptop", f"everything answers; the functions at {laptop.functions_url}")
    chosen = parts.tuning_of(laptop)
    screen.settings(
        {"maxPollingInterval": chosen.max_polling_interval}
        | dict(chosen.app_settings)
        | {f"simulator {name}": value for name, value in chosen.arm_knobs.items()}
    )
    rows = _player(laptop, screen).play(shop.story())
    screen.summary(rows)
    return all(row.held for row in rows)


def _player(laptop: Laptop, screen: Screen) -> Player:
    line = contract.line(laptop)
    git = line["git"]
    logs = [laptop.log(part.name) for part in parts.hosts(laptop.options.hosts)]
    api, azure = Api(line["functions"], line["function_key"]), Azure(line)
    lookout = Lookout(azure=azure, runs=RunLog(logs), screen=screen)
    stage = Stage(
        clone=Clone.of(git["url"], laptop.folder / "clone", git["branch"]),
        api=api,
        azure=azure,
        host=GitHost(git["status_api"], git["token"]),
        lookout=lookout,
        workers=Workers([pid for pid in line["pids"]["functions"] if pid is not None]),
        screen=screen,
    )
    return Player(stage, DriftStage(api=api, azure=azure, lookout=lookout, screen=screen), screen)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--dir", type=Path, default=DEFAULT_FOLDER, help="folder to play in; it is emptied first"
    )
    parser.add_argument("--hosts", type=int, default=1, metavar="N", help="Functions hosts (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
