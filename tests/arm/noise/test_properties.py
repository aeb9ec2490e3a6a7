"""What holds for noise on any body at all."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from local.arm.knowledge import UNKNOWN
from local.arm.noise import NAMES, Case, Prediction, Subject, distort, labels, reading, stored
from local.arm.noise.bodies import at
from local.arm.noise.sides import moved

WORDS = st.sampled_from(
    ["Enabled", "westus", "10.0.0.4", "PT1H", "60", "https://a.b", "2026-11-25T02:43:40Z", ""]
)
KEYS = st.sampled_from(["a", "b", "name", "adminPassword", "rules", "Ports", "x.y"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
PROPERTIES = st.dictionaries(KEYS, VALUES, max_size=4)
CLASSES = st.frozensets(st.sampled_from(sorted(NAMES)))
ID = "/subscriptions/s/resourceGroups/rg/providers/Contoso.Shop/shelves/a"
NOISELESS = frozenset({"N22", "N23"})


def body(properties: dict[str, Any]) -> dict[str, Any]:
    """Return a GET body."""
    return {
        "id": ID,
        "name": "a",
        "type": "Contoso.Shop/shelves",
        "location": "westus",
        "properties": properties,
    }


def predict(before: dict[str, Any], after: dict[str, Any], seed: int = 0) -> Prediction:
    """Return a prediction for a resource with other properties than the template's."""
    return Prediction(
        resource_id=ID,
        type="Contoso.Shop/shelves",
        api_version="2020-01-01",
        known=UNKNOWN,
        put={"location": "westus", "properties": after},
        got=body(before),
        before=body(before),
        after=body(after),
        seed=seed,
    )


@given(PROPERTIES, PROPERTIES, CLASSES, st.integers(0, 3))
def test_noise_never_covers_a_true_change(
    before: dict[str, Any], after: dict[str, Any], classes: frozenset[str], seed: int
) -> None:
    """But for N22 and N23, whose nature it is, what really differs is shown as it is."""
    one = predict(before, after, seed)
    found = distort(one, classes - NOISELESS - {"N15", "N16"})
    assert found.before is not None
    assert found.after is not None
    for path in moved(one.before, one.after):
        assert at(found.before, path) == at(one.before, path)
        assert at(found.after, path) == at(one.after, path)


@given(PROPERTIES, CLASSES, st.integers(0, 3))
def test_noise_is_the_same_twice_and_changes_nothing_it_was_given(
    properties: dict[str, Any], classes: frozenset[str], seed: int
) -> None:
    """Predictions and bodies come out as they went in; so do two runs."""
    one = predict(properties, properties, seed)
    kept = copy.deepcopy(one)
    subject = Subject(ID, one.type, one.put, seed)
    looks = [reading(UNKNOWN, subject, one.got, classes, "2020-01-01", 5) for _ in range(2)]

    assert distort(one, classes) == distort(one, classes)
    assert looks[0] == looks[1]
    assert stored(UNKNOWN, subject, one.put, classes) == stored(UNKNOWN, subject, one.put, classes)
    assert one == kept


@given(PROPERTIES, CLASSES)
def test_what_is_not_labelled_in_a_reading_is_true(
    properties: dict[str, Any], classes: frozenset[str]
) -> None:
    """Every place where a look differs from the state has a label, at it or above it."""
    one = predict(properties, properties)
    case = Case(UNKNOWN, Subject(ID, one.type, one.put), one.got, "2020-01-01", 1)
    shown = reading(UNKNOWN, case.subject, one.got, classes, "2020-01-01", 1)
    places = [path.lower().split(".") for path, _ in labels(case, classes)]
    for path in moved(one.got, shown):
        steps = ".".join(str(step) for step in path).lower().split(".")
        assert any(place[: len(steps)] == steps[: len(place)] for place in places)


@given(PROPERTIES)
def test_without_classes_nothing_happens(properties: dict[str, Any]) -> None:
    """Off is off."""
    one = predict(properties, properties)
    subject = Subject(ID, one.type, one.put)

    assert distort(one, frozenset()).before == one.before
    assert distort(one, frozenset()).after == one.after
    assert reading(UNKNOWN, subject, one.got, frozenset(), "2020-01-01", 1) == one.got
    assert stored(UNKNOWN, subject, one.put, frozenset()) == one.put
