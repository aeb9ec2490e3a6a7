"""Noise on a type that the simulator knows nothing about: every class can show itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from local.arm.noise import NAMES, Prediction, distort, labels, resource_fate
from local.arm.noise.sides import case_of
from tests.arm.noise.stage import Stage, rows, seeded

SHELF = {
    "location": "West Europe",
    "tags": {"owner": "shop"},
    "properties": {
        "depth": 3,
        "colour": "Red",
        "site": "https://shop.example.com",
        "adminPassword": "hush",
        "rooms": ["b", "a"],
        "boards": [
            {"name": "top", "properties": {"load": 1}},
            {"name": "low", "properties": {"load": 2}},
        ],
    },
}
FATES = {"N10": "absent", "N11": "unsupported", "N12": "ignored", "N17": "failed", "N21": "absent"}
SHAPES = {
    "N1": {"Delete"},
    "N2": {"Delete"},
    "N3": {"Create"},
    "N4": {"Modify"},
    "N5": {"Modify"},
    "N6": {"Modify"},
    "N7": {"Delete", "Create"},
    "N8": {"Create"},
    "N9": {"Modify"},
    "N13": {"NoEffect"},
    "N14": {"Create"},
    "N15": {"Delete"},
    "N16": {"Create"},
    "N18": {"Create"},
    "N19": {"Modify"},
    "N20": {"Delete"},
}


def shelf(name: str = "shelf", **more: Any) -> Prediction:
    """Return the prediction for a shelf deployed with an old api-version."""
    found = Stage().deployed("Contoso.Shop/shelves", name, SHELF, "2024-01-01")
    return replace(found, **more)


@pytest.mark.parametrize("noise", SHAPES)
def test_every_class_shows_itself_in_its_own_shape(noise: str) -> None:
    """N1 looks like a deletion, N3 like a creation, and so on."""
    found = {kind for _, kind in rows(shelf(), noise)}

    assert found
    assert found <= SHAPES[noise]


@pytest.mark.parametrize("noise", SHAPES)
def test_every_class_shows_itself_whatever_the_name_and_the_seed(noise: str) -> None:
    """Chance picks where a class shows, never whether."""
    predictions = [replace(shelf(f"shelf{n}"), seed=n) for n in range(8)]

    assert all(rows(one, noise) for one in predictions)


@pytest.mark.parametrize("noise", sorted(FATES))
def test_classes_that_concern_a_resource_as_a_whole(noise: str) -> None:
    """They leave the delta alone, and take the resource."""
    implicit = noise in ("N12", "N21")
    one = shelf(nested="/deployments/inner" if noise == "N10" else None, implicit=implicit)

    assert rows(one, noise) == set()
    assert resource_fate(one, {noise}) == FATES[noise]


def test_without_noise_a_resource_is_shown_and_clean() -> None:
    """Neither its delta nor its fate knows any noise; what nobody declared is not spoken of."""
    assert rows(shelf()) == set()
    assert resource_fate(shelf(), set()) == "shown"
    assert resource_fate(shelf(nested="/deployments/inner"), set()) == "shown"
    assert resource_fate(shelf(implicit=True), set()) == "absent"


def test_another_seed_makes_other_noise() -> None:
    """Among eight seeds a class picks different places; for one seed always the same."""
    found = {frozenset(rows(seeded(shelf(), seed), "N3")) for seed in range(8)}

    assert len(found) > 1
    assert rows(seeded(shelf(), 5), *NAMES) == rows(seeded(shelf(), 5), *NAMES)


def test_only_volatile_values_differ_from_look_to_look() -> None:
    """N20 has another value at every tick; all other classes have the same."""
    others = NAMES - {"N20"}
    looks = [distort(shelf(tick=tick), NAMES).before for tick in range(3)]
    quiet = [rows(shelf(tick=tick), *others) for tick in range(3)]

    assert looks[0] != looks[1] != looks[2]
    assert quiet[0] == quiet[1] == quiet[2]


@pytest.mark.parametrize("noise", ["N3", "N5", "N6", "N7", "N14", "N15", "N16", "N18", "N19"])
def test_what_if_and_get_see_the_same_noise(noise: str) -> None:
    """A client that compares snapshots finds noise where what-if finds it."""
    one = shelf()
    shown = {path for path, _ in labels(case_of(one), {noise})}
    predicted = {path for path, _ in rows(one, noise)}

    assert all(any(path.startswith(place) for place in shown) for path in predicted)


def test_what_is_created_or_deleted_as_a_whole_has_no_noise() -> None:
    """There is nothing to compare."""
    new = replace(shelf(), before=None, got={})
    gone = replace(shelf(), after=None)

    assert distort(new, NAMES).after == new.after
    assert distort(gone, NAMES).before == gone.before
