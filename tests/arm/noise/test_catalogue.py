"""Each class of noise on the resource types that Azure is full of, against lists made by hand."""

from __future__ import annotations

import re

import pytest

from local.arm.noise import NAMES
from tests.arm.noise.stage import GOLDEN, Stage, resource, resources, rows

_OPEN = frozenset({"N1", "N2"})
_SIGNS = {"-": "Delete", "+": "Create", "~": "Modify", "x": "NoEffect"}


def shows() -> list[tuple[str, str, str]]:
    """Return the lines of the list: resource, class, and what shows."""
    lines = (GOLDEN / "shows.txt").read_text().splitlines()
    found = [line.partition(":") for line in lines if not line.startswith("#")]
    return [(*head.split(), text.strip()) for head, _, text in found]  # type: ignore[misc]


@pytest.mark.parametrize(("name", "noise", "text"), shows(), ids=lambda text: str(text)[:12])
def test_a_class_shows_what_was_seen_in_azure(name: str, noise: str, text: str) -> None:
    """The second what-if of a template shows these entries of this class, and no others."""
    listed = [entry.split() for entry in text.split(", ") if entry]
    wanted = {(path, _SIGNS[sign]) for sign, path in listed}
    found = rows(resource(name), noise)
    more = found - wanted if noise in _OPEN else set()

    assert wanted | more == found
    assert {kind for _, kind in more} <= {"Delete", "Modify"}


@pytest.mark.parametrize("name", resources())
def test_without_noise_nothing_changes(name: str) -> None:
    """Deployed once more, every resource of the catalogue is as it was."""
    assert set() == rows(resource(name))


@pytest.mark.parametrize("name", resources())
def test_the_same_seed_makes_the_same_noise(name: str) -> None:
    """Chance depends on id, class and seed, and on nothing that differs between two runs."""
    assert rows(resource(name), *NAMES) == rows(resource(name, Stage()), *NAMES)


@pytest.mark.parametrize("name", resources())
def test_classes_add_up(name: str) -> None:
    """What all classes show together, each of them shows alone: none covers another's place."""
    together = rows(resource(name), *(NAMES - {"N22", "N23"}))
    alone = {row for noise in NAMES for row in rows(resource(name), noise)}

    assert places(together) <= places(alone) | parents(places(alone))


def places(found: set[tuple[str, str]]) -> set[str]:
    """Return the paths of the rows, for any element of an array: N7 moves elements about."""
    return {re.sub(r"\.\d+(?=\.|$)", ".*", path) for path, _ in found}


def parents(paths: set[str]) -> set[str]:
    """Return all paths above those given."""
    found = set()
    for path in paths:
        steps = path.split(".")
        found |= {".".join(steps[:end]) for end in range(1, len(steps))}
    return found
