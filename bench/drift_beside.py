"""Fifty releases alone, and the same beside full looks at an estate, while ARM's buckets are on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bench.drift.azure import Azure
from bench.drift.host import NEVER, Host, host
from bench.drift.installation import azure_of
from bench.figures import Figure
from bench.laptops import Running, WorkingCopy, laptop
from bench.product import without_host
from bench.stacks import manifest, template
from local import waiting

STACKS: Final = 150
RELEASES: Final = 50
RESOURCES: Final = 4
LIMIT_S: Final = 600.0
BUCKETS: Final = {"reads": [250, 25], "writes": [200, 10], "deletes": [200, 10]}
COMMAND: Final = "python -m bench drift_beside"


@dataclass(frozen=True)
class Run:
    """How fifty releases went: from the push to the last PUT and the last end, and what was refused."""

    put_s: float
    ended_s: float
    waited: int
    refused: int
    inspected: int


def _names(count: int) -> list[str]:
    return [f"stack-{number:03d}" for number in range(count)]


def _pushed(clone: WorkingCopy, found: Host, note: str, count: int) -> dict[str, datetime]:
    """Push another note into so many stacks; return when each was put, once all have ended."""
    names = set(_names(count))
    before = {
        event: len(found.journal.events(event)) for event in ("release_put", "release_succeeded")
    }
    clone.push({f"{name}.json": template(note, RESOURCES) for name in names})

    def after(event: str) -> dict[str, datetime]:
        entries = found.journal.events(event)[before[event] :]
        return {one["stack"]: datetime.fromisoformat(one["time"]) for one in entries}

    waiting.until(
        lambda: names <= after("release_succeeded").keys(),
        limit_s=LIMIT_S,
        what=f"{count} releases",
        pause_s=0.5,
    )
    return {**after("release_put"), "": max(after("release_succeeded").values())}


def _run(running: Running, azure: Azure, clone: WorkingCopy, name: str, *, scanned: bool) -> Run:
    settings = {
        "PLUMBLINE_SCAN_SCHEDULE": "*/10 * * * * *" if scanned else NEVER,
        "PLUMBLINE_CONFIRM_S": "1",
        "PLUMBLINE_FULL_SCAN_HOURS": "0.001",
    }
    with host(running, name, settings) as found:
        if scanned:
            waiting.until(
                lambda: found.journal.events("drift_inspected"),
                limit_s=LIMIT_S,
                what="an inspection",
                pause_s=0.2,
            )
        azure.forget()
        ended = _pushed(clone, found, name, RELEASES)
        received = datetime.fromisoformat(found.journal.events("push_received")[-1]["time"])
        last = ended.pop("")
        delays = [
            one
            for one in found.journal.events("message_delayed")
            if one.get("queue") == "release" and one.get("reason") == "ArmBudget"
        ]
        return Run(
            put_s=(max(ended.values()) - received).total_seconds(),
            ended_s=(last - received).total_seconds(),
            waited=len(delays),
            refused=azure.counts().throttled,
            inspected=len(found.journal.events("drift_inspected")),
        )


def measure() -> Iterator[Figure]:
    """Release fifty stacks of a hundred and fifty, without scans and beside them."""
    with laptop() as running:
        without_host(running)
        git = running.line["git"]
        with (
            closing(azure_of(running)) as azure,
            closing(WorkingCopy(git["url"], git["branch"])) as clone,
        ):
            with host(running, "first", {"PLUMBLINE_SCAN_SCHEDULE": NEVER}) as found:
                names = _names(STACKS)
                clone.push({"plumbline.yaml": manifest(*names)})
                _pushed(clone, found, "first", STACKS)
            azure.turn(throttle=BUCKETS)
            alone = _run(running, azure, clone, "alone", scanned=False)
            beside = _run(running, azure, clone, "beside", scanned=True)
    yield Figure(
        what=f"{RELEASES} releases alone / beside full looks at {STACKS} stacks, ARM's buckets on",
        target="no 429, no release waits for a token",
        measured=f"last PUT after {alone.put_s:.0f} / {beside.put_s:.0f} s, last end after"
        f" {alone.ended_s:.0f} / {beside.ended_s:.0f} s; {alone.waited} / {beside.waited} waits for"
        f" a token, {alone.refused} / {beside.refused} times 429; {beside.inspected} inspections",
        met=beside.waited <= alone.waited and not beside.refused,
        command=COMMAND,
    )
