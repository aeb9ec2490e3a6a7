"""What GET and lists show that is noise: the same facts, spelled, sorted or padded otherwise.

`edits` says what each class does to a body, as values; `reading` applies them, `labels` lists
them, and `distortion` applies the same ones to what what-if compares. So a client that compares
snapshots and one that asks what-if see the same noise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from local.arm.knowledge import ResourceType
from local.arm.noise.bodies import key, show
from local.arm.noise.case import Case, Edit, Subject
from local.arm.noise.edits import NAMES, edits_of


def edits(case: Case, classes: Collection[str]) -> Iterator[tuple[str, Edit]]:
    """Yield what the classes do to a body, in number order; no two classes at one place. Pure."""
    taken: list[str] = []
    for name in NAMES:
        made = edits_of(case, name) if name in classes else []
        free = [one for one in made if not any(_overlap(key(one.path), t) for t in taken)]
        taken += [key(one.path) for one in free]
        yield from ((name, one) for one in free)


def _overlap(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long == short or long.startswith(f"{short}.")


def reading(
    known: ResourceType,
    subject: Subject,
    body: Mapping[str, Any],
    classes: Collection[str],
    api_version: str,
    tick: int,
) -> dict[str, Any]:
    """Return what a client sees of a body that is free of noise. Pure.

    `tick` counts the looks: N20 differs with it, and nothing else does.
    """
    shown: Any = dict(body)
    for _, edit in edits(Case(known, subject, body, api_version, tick), classes):
        shown = edit.applied(shown)
    return dict(shown)


def labels(case: Case, classes: Collection[str]) -> list[tuple[str, str]]:
    """Return (path, class) of everything in a look at the body that is noise. Pure."""
    return [(show(edit.path), name) for name, edit in edits(case, classes)]
