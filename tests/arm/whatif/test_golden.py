"""Whole replies, byte for byte: tests/golden/whatif/replies/*.json hold what is deployed and asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.arm.knobs import Knobs
from tests.arm.whatif.world import GROUP, Noon, World, new_cloud

REPLIES = Path(__file__).parents[2] / "golden" / "whatif" / "replies"


def _case(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REPLIES / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize("name", sorted(path.stem for path in REPLIES.glob("*.json")))
def test_reply(name: str) -> None:
    """The reply is the one that was written down, `why` says what it shows."""
    case = _case(name)
    scope = case.get("scope", GROUP)
    world = World(new_cloud(Noon()))
    if case["deployed"] is not None:
        world.deploy(case["deployed"], scope)
    for patch in case.get("changed", []):
        world.change(patch["id"], patch["set"])
    world.cloud.turn(Knobs(**case.get("knobs", {})))

    result = world.foretell(case["asked"], scope, **case.get("with", {}))

    assert result.body == case["reply"]
