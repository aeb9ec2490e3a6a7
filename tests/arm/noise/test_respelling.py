"""Other spellings of one value, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm.noise.bodies import MISSING
from local.arm.noise.respelling import aged, recased, retyped, rewritten

GUID = "6a9fa55d-1c0e-4a1f-9d7d-000000000001"
CASED = [
    ("westus", "West US"),
    ("West Europe", "westeurope"),
    ("global", "Global"),
    ("Standard_LRS", "standard_lrs"),
    ("PerGB2018", "pergb2018"),
    ("get", "Get"),
    (GUID, GUID.upper()),
    (
        "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/a",
        "/subscriptions/s/resourcegroups/rg/providers/microsoft.web/sites/a",
    ),
    ("two words", MISSING),
    ("10.0.0.0/16", MISSING),
    ("https://a.example.com/", MISSING),
    (3, MISSING),
    ("", MISSING),
]
TYPED = [
    (60, "60"),
    ("60", 60),
    (True, "true"),
    ("True", True),
    ("sixty", MISSING),
    (None, MISSING),
]
WRITTEN = [
    (0, 128),
    (100, 128),
    (64, 128),
    (True, MISSING),
    ("https://a.example.com", "https://a.example.com/"),
    ("https://a.example.com/", "https://a.example.com"),
    ("https://a.example.com/?sig=x", MISSING),
    ("10.0.0.4", "10.0.0.4/32"),
    ("10.0.0.4/32", "10.0.0.4"),
    ("10.0.0.0/24", MISSING),
    ("PT1H", "PT60M"),
    ("P7D", "PT168H"),
    ("PT5M", "PT300S"),
    ("1.28", "1.28.0"),
    ("word", MISSING),
]
AGEING = [
    "2026-11-25T02:43:40.1234567Z",
    "2026-11-25T02:43:40",
    GUID,
    f'W/"{GUID}"',
    "20.50.2.1,20.50.2.2",
    7,
    [{"id": "x", "at": "2026-11-25T02:43:40Z"}],
]


@pytest.mark.parametrize(("value", "other"), CASED)
def test_another_case(value: Any, other: Any) -> None:
    """Regions have display names, ids lower-case providers, words the other case."""
    assert other == recased(value)


@pytest.mark.parametrize(("value", "other"), TYPED)
def test_another_type(value: Any, other: Any) -> None:
    """Numbers and truths become texts, and the other way round."""
    found = retyped(value)

    assert (other, type(other)) == (found, type(found))


@pytest.mark.parametrize(("value", "other"), WRITTEN)
def test_another_way_of_writing(value: Any, other: Any) -> None:
    """As providers normalise sizes, addresses, durations and versions."""
    assert other == rewritten(value)


@pytest.mark.parametrize("value", AGEING, ids=str)
def test_every_look_finds_another_value_of_the_same_kind(value: Any) -> None:
    """Ten looks, ten values, of one type and (for text) with one outline."""
    looks = [aged(value, tick) for tick in range(10)]

    assert len({repr(look) for look in looks}) == 10
    assert value not in looks
    assert {type(look) for look in looks} == {type(value)}


@pytest.mark.parametrize("value", ["word", True, None, 1.5, {}, []])
def test_what_does_not_age(value: Any) -> None:
    """Words, truths and nothing stay."""
    assert aged(value, 3) is MISSING
