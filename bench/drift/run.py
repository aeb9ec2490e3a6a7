"""The run: an estate is deployed, edited by hand, looked at and scored."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.arm_server import simulator
from bench.drift import plain, report, truth
from bench.drift.azure import Azure, RefusedError, deploy
from bench.drift.installation import Installation, Phase, installation
from bench.drift.model import Estate, Label, When
from bench.drift.scoring import Item, Score, score
from bench.drift.truth import Bodies, Truth

UNSEEN: Final = "no GET shows it"
AGE_S: Final = 7200
"""How long ago the releases were, by the simulator's clock: a scan looks back half an hour in the
Activity Log, and an estate that was just released is not a quiet one."""
CONFIRM: Final = {"PLUMBLINE_CONFIRM_S": "1"}
"""The bench does not wait ten minutes after the releases for the baseline to be confirmed."""
FULL: Final = {**CONFIRM, "PLUMBLINE_FULL_SCAN_HOURS": "0.001"}
"""So that every stack's full look is due."""


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


def edit(azure: Azure, estate: Estate, when: When, say: Callable[[str], None] = print) -> int:
    """Make the edits of one moment; return how many were taken.

    One that is refused is told: what its labels say is then not so, and they are counted.
    """
    taken = 0
    for one in (one for one in estate.edits if one.when == when):
        try:
            azure.carry_out(one)
        except RefusedError as error:
            say(f"edit {one.id} was refused: {error}")
        else:
            taken += 1
    return taken


def known(azure: Azure, estate: Estate, before: Bodies) -> tuple[Truth, list[Label]]:
    """Return what is different from before, and the labels.

    One that is not so, whoever wrote it, is hidden then: nothing can find it, and it is counted.
    """
    found = truth.between(before, look(azure, estate))
    wrong = truth.unseen(found, estate.labels, azure.subscription)
    return found, [
        msgspec.structs.replace(one, hidden=UNSEEN) if one in wrong else one
        for one in estate.labels
    ]


def plain_only(estate: Estate, options: Options) -> dict[str, Any]:
    """Score one what-if per stack, without the product; return the line."""
    with simulator() as server, closing(Azure(server.line)) as azure:
        prepare(azure, estate)
        deploy(azure, estate)
        before = look(azure, estate)
        for when in ("early", "touch", "late"):
            edit(azure, estate, when, options.say)
        now, labels = known(azure, estate, before)
        line, told = compared(azure, estate, now, labels)
    keep(options.report, {"plain_what_if": told.shown()})
    return {**report.of_estate(estate), "plain_what_if": line}


def compared(
    azure: Azure, estate: Estate, now: Truth, labels: list[Label]
) -> tuple[dict[str, Any], Score]:
    """Return what one what-if per stack says of the estate as it is, and its score."""
    told = plain.ask(azure, estate)
    found = score(told.items, labels, now, azure.subscription, told.ignored)
    return report.of_plain(told, found), found


def keep(path: Path | None, told: dict[str, Any]) -> None:
    """Write a report, if one is wanted."""
    if path is not None:
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def whole(estate: Estate, options: Options) -> dict[str, Any]:
    """Release the estate with the product, edit it, have it scanned, and score; return the line."""
    with installation(estate, options.say) as made:
        azure = made.azure
        prepare(azure, estate)
        azure.turn(clock_offset_seconds=-AGE_S)
        options.say(f"released in {made.release():.0f} s")
        azure.turn(clock_offset_seconds=0)
        if options.throttle:
            azure.turn(throttle={})
        before = look(azure, estate)
        phases, early = _phases(made, estate)
        now, labels = known(azure, estate, before)
        documents = made.drifts()
        found = score(made.items(), labels, now, azure.subscription)
        before_full = score(early, labels, now, azure.subscription)
        azure.turn(throttle=None)
        line, told = compared(azure, estate, now, labels)
        errors, subscription = dict(made.errors), azure.subscription
        unreleased = made.unreleased
    keep(
        options.report,
        {
            **found.shown(),
            "gaps": report.gaps(documents),
            "documents": report.wrong(documents, found, estate),
            "errors": errors,
            "plain_what_if": told.shown(),
        },
    )
    return {
        **report.of_product(phases, found, documents),
        "attributed": report.attributed(estate, documents, subscription),
        **report.of_estate(estate),
        "before_full": {
            "false_alarms": len(before_full.false),
            "misses": len(before_full.missed),
        },
        "unreleased": unreleased,
        "plain_what_if": line,
        "errors": errors,
    }


def _phases(made: Installation, estate: Estate) -> tuple[list[Phase], list[Item]]:
    """Edit and scan in turn: the baseline, a quiet estate, a touched one, all edits, a full look.

    Return the phases, and what the product showed before the full look.
    """
    azure, most = made.azure, 6 + len(estate.stacks) // 100
    edit(azure, estate, "early", made.say)
    found = [made.phase("baseline", CONFIRM, lambda: _confirmed(made, estate), most)]
    found.append(made.phase("quiet", CONFIRM, lambda: True))
    edit(azure, estate, "touch", made.say)
    found.append(made.phase("touched", CONFIRM, lambda: True))
    edit(azure, estate, "late", made.say)
    found.append(made.phase("edited", CONFIRM, lambda: True))
    early, began = made.items(), _stamp()
    found.append(made.phase("full", FULL, lambda: _looked(made, estate, began), most))
    return found, early


def _confirmed(made: Installation, estate: Estate) -> bool:
    documents = made.drifts().values()
    return sum("confirmed_at" in one for one in documents) >= len(estate.stacks) - made.unreleased


def _looked(made: Installation, estate: Estate, began: str) -> bool:
    documents = made.drifts().values()
    looked = sum(str(one.get("full_at", "")) > began for one in documents)
    return looked >= len(estate.stacks) - made.unreleased


def _stamp() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
