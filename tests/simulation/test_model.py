"""The protocol holds in every order of events of these small worlds, and no rule of it is idle.

``SIMULATION=deep`` searches the larger worlds, too (minutes); ``-s`` prints what was searched.
"""

import os
from typing import Final

import pytest

from tests.simulation.ends import wrong_with
from tests.simulation.model import Model, Scenario
from tests.simulation.scenarios import DEEP, QUICK
from tests.simulation.search import Found, search
from tests.simulation.variants import VARIANTS, Variant

IS_DEEP: Final = os.environ.get("SIMULATION") == "deep"
MOST: Final = 3_000_000 if IS_DEEP else 60_000


def _search(scenario: Scenario, name: str) -> Found:
    found = search(Model(scenario), wrong_with, most=MOST)
    shown = found.broken or "holds"
    print(  # noqa: T201 - the table that -s asks for
        f"\n{name:60} {found.states:9,} states {found.moves:9,} moves "
        f"{found.runs:6,} runs of flows {found.seconds:6.1f} s  {shown}"
    )
    return found


@pytest.mark.parametrize("scenario", QUICK + (DEEP if IS_DEEP else ()), ids=lambda s: s.name)
def test_every_order_of_events_ends_well(scenario: Scenario) -> None:
    """Whatever happens between any two calls: no claim fails, and all that began ends well."""
    found = _search(scenario, scenario.name)
    assert found.broken is None, str(found)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.name)
def test_a_protocol_without_one_of_its_rules_is_caught(
    variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each rule is there for a reason that the search finds when it is taken out."""
    variant.breaks(monkeypatch)
    found = _search(variant.scenario, f"without: {variant.name}")
    assert found.broken == variant.kind, str(found)
    assert found.trace
