"""The run: an estate is deployed, edited by hand, looked at and scored."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.arm_server import simulator
from bench.drift import plain, report, truth
from bench.drift.azure import Azure, deploy
from bench.drift.model import Estate, When
from bench.drift.scoring import Score, score
from bench.drift.truth import Bodies, Truth


class WrongLabelError(Exception):
    """A label says what is not so: the estate or the simulator is wrong, and no score means anything."""


@dataclass(frozen=True)
class Options:
    """How to run: with ARM's token buckets, where the report goes, and who is told how it goes."""

    throttle: bool = True
    report: Path | None = None
    say: Callable[[str], None] = print


def prepare(azure: Azure, estate: Estate) -> None:
    """Turn the estate's noise on; the Activity Log keeps what is done to it."""
    entries = 20_000 + 40 * estate.resources
    azure.turn(noise=estate.noise, noise_seed=estate.noise_seed, activity_limit=entries)


def look(azure: Azure, estate: Estate) -> Bodies:
    """Return what is true of the stacks that are edited."""
    with azure.quiet():
        return truth.look(azure, estate, truth.edited(estate))


def edit(azure: Azure, estate: Estate, when: When) -> int:
    """Make the edits of one moment; return how many there were."""
    mine = [one for one in estate.edits if one.when == when]
    for one in mine:
        azure.carry_out(one)
    return len(mine)


def known(azure: Azure, estate: Estate, before: Bodies) -> Truth:
    """Return what is different from before. Raises WrongLabelError for a label that is not so."""
    found = truth.between(before, look(azure, estate))
    wrong = truth.unseen(found, estate.labels, azure.subscription)
    if wrong:
        raise WrongLabelError(f"no GET shows what these labels say: {wrong}")
    return found


def plain_only(estate: Estate, options: Options) -> dict[str, Any]:
    """Score one what-if per stack, without the product; return the line."""
    with simulator() as server, closing(Azure(server.line)) as azure:
        prepare(azure, estate)
        deploy(azure, estate)
        before = look(azure, estate)
        for when in ("early", "touch", "late"):
            edit(azure, estate, when)
        now = known(azure, estate, before)
        line, told = compared(azure, estate, now)
    keep(options.report, {"plain_what_if": told.shown()})
    return {**report.of_estate(estate), "plain_what_if": line}


def compared(azure: Azure, estate: Estate, now: Truth) -> tuple[dict[str, Any], Score]:
    """Return what one what-if per stack says of the estate as it is, and its score."""
    told = plain.ask(azure, estate)
    found = score(told.items, estate.labels, now, azure.subscription, told.ignored)
    return report.of_plain(told, found), found


def keep(path: Path | None, told: dict[str, Any]) -> None:
    """Write a report, if one is wanted."""
    if path is not None:
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
