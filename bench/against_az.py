"""Side by side: many deployments by Plumbline from one push, and by `az` one after the other.

Both talk to the same simulator, in turn, and deploy the same templates into a group that is there.
Deployments take no time of their own, which is `az`'s advantage: it waits for each.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from bench.figures import Figure
from bench.laptops import Running, WorkingCopy, laptop
from bench.stacks import template
from local import waiting

STACKS: Final = 50
TIMES: Final = 10.0
CALL_LIMIT_S: Final = 120.0
LOOP_LIMIT_S: Final = 300.0
LIMIT_S: Final = 120.0
COMMAND = "python -m bench against_az"
WHAT: Final = (
    f"{STACKS} deployments: `az deployment group create` in a loop / one push to Plumbline"
)


def _az() -> str | None:
    """Return where `az` is: what BENCH_AZ names, else what PATH finds."""
    return os.environ.get("BENCH_AZ") or shutil.which("az")


def _environment(running: Running, folder: Path) -> dict[str, str]:
    """Return what makes `az` a client of the simulator, with a configuration of its own."""
    line = running.line
    return {
        **os.environ,
        "AZURE_CONFIG_DIR": str(folder),
        "AZURE_CORE_COLLECT_TELEMETRY": "0",
        "AZURE_CORE_NO_COLOR": "1",
        "REQUESTS_CA_BUNDLE": line["arm"]["ca_file"],
        "IDENTITY_ENDPOINT": line["identity"]["endpoint"],
        "IDENTITY_HEADER": line["identity"]["header"],
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _call(az: str, environment: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [az, *arguments, "--only-show-errors", "--output", "none"],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=CALL_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"az {' '.join(arguments)}: {done.stderr.strip()[-500:]}")


@dataclass(frozen=True)
class Loop:
    """How far the loop came within its limit, and how long that took."""

    deployments: int
    seconds: float

    @property
    def whole_s(self) -> float:
        """How long all deployments take at this pace."""
        return self.seconds * STACKS / self.deployments

    def __str__(self) -> str:
        """Say how it was measured: the whole loop, or the pace of its beginning."""
        if self.deployments == STACKS:
            return f"{self.seconds:.0f} s"
        return f"{self.whole_s:.0f} s at the pace of the first {self.deployments}"


def _by_az(az: str, running: Running, group: str) -> Loop:
    """Deploy by `az`, signed in and with one deployment behind it, until the limit."""
    with tempfile.TemporaryDirectory(prefix="bench-az-") as name:
        folder = Path(name)
        environment = _environment(running, folder / "config")
        register = ("cloud", "register", "--name", "local", "--endpoint-resource-manager")
        _call(az, environment, *register, running.line["arm"]["endpoint"])
        _call(az, environment, "cloud", "set", "--name", "local")
        _call(az, environment, "login", "--identity")

        def deploy(n: int) -> None:
            file = folder / f"{n}.json"
            file.write_text(template(f"az-{n}"), encoding="utf-8")
            place = ("--resource-group", group, "--name", f"d{n}", "--template-file", str(file))
            _call(az, environment, "deployment", "group", "create", *place)

        deploy(0)  # the first call in a new folder is slower
        began, done = time.monotonic(), 0
        while done < STACKS and time.monotonic() - began < LOOP_LIMIT_S:
            done += 1
            deploy(done)
        return Loop(done, time.monotonic() - began)


def _manifest(names: list[str], group: str) -> str:
    stacks = {name: {"template": f"{name}.json", "scope": group} for name in names}
    return json.dumps({"version": 1, "defaults": {"adopt": "take"}, "stacks": stacks})


def _released(running: Running) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for entry in running.events("release_succeeded"):
        found.setdefault(entry["stack"], datetime.fromisoformat(entry["time"]))
    return found


def _by_plumbline(running: Running, group: str) -> float:
    """Return how long Plumbline takes from the beginning of the push to the last good release."""
    names = [f"stack-{n:02d}" for n in range(STACKS)]
    clone = WorkingCopy(running.line["git"]["url"], running.line["git"]["branch"])
    warm = {"warm.json": template("warm")}
    clone.push({"plumbline.yaml": _manifest(["warm"], group), **warm})
    waiting.until(lambda: _released(running), limit_s=LIMIT_S, what="the first release")
    files = {f"{name}.json": template(name) for name in names}
    began = datetime.now().astimezone()
    clone.push({"plumbline.yaml": _manifest(["warm", *names], group), **files})
    waiting.until(
        lambda: len(_released(running)) > STACKS,
        limit_s=LIMIT_S,
        what=f"the release of {STACKS} stacks",
        pause_s=0.5,
    )
    clone.close()
    return (max(_released(running).values()) - began).total_seconds()


def measure() -> Iterator[Figure]:
    """Deploy by Plumbline, then by `az`, in one run."""
    az = _az()
    with laptop() as running:
        groups = running.line["resource_groups"]
        plumbline = _by_plumbline(running, groups[0])
        by_az = _by_az(az, running, groups[1]) if az else None
    if by_az is None:
        measured = f"not measured: there is no az on PATH; Plumbline {plumbline:.1f} s"
    else:
        times = by_az.whole_s / plumbline
        measured = f"{times:.1f} times as fast ({by_az} / {plumbline:.1f} s)"
    yield Figure(
        what=WHAT,
        target=f"≥ {TIMES:.0f} times as fast",
        measured=measured,
        met=None if by_az is None else by_az.whole_s >= TIMES * plumbline,
        command=COMMAND,
    )
