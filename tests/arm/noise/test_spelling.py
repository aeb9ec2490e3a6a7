"""What a template spells otherwise than the provider stores it, told apart by class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from local.arm.knowledge import UNKNOWN
from local.arm.noise import Prediction, distort
from local.arm.noise.bodies import at

CASES: list[tuple[str, Any, Any]] = [
    ("N5", "S2", "Standard"),
    ("N5", 0, 128),
    ("N5", "PT60M", "PT1H"),
    ("N6", "West US", "westus"),
    ("N6", "TCP", "Tcp"),
    ("N7", ["a", "b"], ["b", "a"]),
    ("N7", [{"n": 1}, {"n": 2}], [{"n": 2}, {"n": 1}]),
    ("N19", "60", 60),
    ("N19", "true", True),
    ("N19", 443, "443"),
]
PATH = ("properties", "value")


def stored(said: Any, kept: Any) -> Prediction:
    """Return the prediction for a template that says one thing, of which another is kept."""
    shown = {"properties": {"value": kept}}
    return Prediction(
        resource_id="/subscriptions/s/resourceGroups/rg/providers/Contoso.Shop/shelves/a",
        type="Contoso.Shop/shelves",
        api_version="2026-01-01",
        known=UNKNOWN,
        put={"properties": {"value": said}},
        got=shown,
        before=shown,
        after=shown,
    )


@pytest.mark.parametrize(("noise", "said", "kept"), CASES)
def test_the_templates_own_spelling_stays_in_its_class(noise: str, said: Any, kept: Any) -> None:
    """With its class on, what-if compares with what the template says."""
    found = distort(stored(said, kept), {noise})
    others = distort(stored(said, kept), {"N5", "N6", "N7", "N19"} - {noise})

    assert at(found.after, PATH) == said
    assert type(at(found.after, PATH)) is type(said)
    assert at(others.after, PATH) == kept


def test_a_value_that_changes_in_truth_keeps_its_stored_spelling() -> None:
    """Noise keeps off it: the true change shows as it is."""
    one = replace(stored("West US", "westus"), before={"properties": {"value": "eastus"}})

    assert at(distort(one, {"N6"}).after, PATH) == "westus"
