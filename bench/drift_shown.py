"""A change by hand until the API shows it: what a timer's period and a laptop make of it."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

from bench.drift.azure import Azure
from bench.drift.host import Host, host
from bench.drift.installation import azure_of
from bench.figures import Figure, percentile
from bench.laptops import Running, WorkingCopy, laptop
from bench.product import without_host
from bench.stacks import manifest, template
from local import waiting

TIMES: Final = 8
PERIOD_S: Final = 20
SLACK_S: Final = 5.0
STACK: Final = "shown"
COMMAND: Final = "python -m bench drift_shown"


def _items(found: Host) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = found.get(f"/api/stacks/{STACK}/drift").get("items", [])
    return shown


def _released(running: Running, found: Host) -> None:
    clone = WorkingCopy(running.line["git"]["url"], running.line["git"]["branch"])
    with closing(clone):
        clone.push({"plumbline.yaml": manifest(STACK), f"{STACK}.json": template("first", 3)})
    waiting.until(
        lambda: found.journal.events("snapshot_taken"), limit_s=120, what="a snapshot", pause_s=0.2
    )
    waiting.until(
        lambda: any(one["state"] == "none" for one in found.journal.events("drift_inspected")),
        limit_s=120,
        what="the first inspection",
        pause_s=0.2,
    )


def _one(azure: Azure, found: Host, number: int) -> float:
    """Change a tag by hand at any moment, and return how long nobody saw it."""
    wait = random.Random(number).uniform(0, PERIOD_S)
    time.sleep(wait)
    resource = (
        f"{azure.subscription}/resourceGroups/rg-{STACK}/providers"
        "/Microsoft.Network/networkSecurityGroups/nsg-0"
    )
    value = f"by-hand-{number}"
    azure.control("POST", "/change", {"id": resource, "set": {"tags": {"note": value}}})
    began = time.monotonic()
    waiting.until(
        lambda: any(one.get("now") == value for one in _items(found)),
        limit_s=4 * PERIOD_S,
        what="the change to be shown",
        pause_s=0.1,
    )
    return time.monotonic() - began


def measure() -> Iterator[Figure]:
    """Change something by hand a few times, at any moment of the timer's period."""
    settings = {
        "PLUMBLINE_SCAN_SCHEDULE": f"*/{PERIOD_S} * * * * *",
        "PLUMBLINE_CONFIRM_S": "1",
    }
    with laptop() as running:
        without_host(running)
        with closing(azure_of(running)) as azure, host(running, "shown", settings) as found:
            _released(running, found)
            took = [_one(azure, found, number) for number in range(TIMES)]
    most = PERIOD_S + SLACK_S
    yield Figure(
        what=f"change by hand → shown by the API, scans every {PERIOD_S} s, {TIMES} changes",
        target=f"≤ one period + {SLACK_S:g} s = {most:g} s",
        measured=f"p50 {percentile(took, 0.5):.1f} s, most {max(took):.1f} s",
        met=max(took) <= most,
        command=COMMAND,
    )
