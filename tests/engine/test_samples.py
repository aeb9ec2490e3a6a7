"""Golden samples: the examples of Azure's documentation, with the outputs that it states."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.arm.engine import Scope, plan
from tests.engine.world import RESOURCE_GROUP_SCOPE, SUBSCRIPTION, Answers, context, template

_FILE = Path(__file__).parent.parent / "golden" / "engine" / "samples" / "functions.json"
_CASES = json.loads(_FILE.read_text())["cases"]


@pytest.mark.parametrize("case", _CASES, ids=[case["name"] for case in _CASES])
def test_a_documented_sample_gives_its_documented_output(case: dict[str, Any]) -> None:
    """Outputs and bodies are those of the documentation, to the byte."""
    given = {name: {"value": value} for name, value in case.get("parameters", {}).items()}
    scope = RESOURCE_GROUP_SCOPE
    if case.get("scope") == "subscription":
        scope = Scope("subscription", subscription_id=SUBSCRIPTION)
    place = replace(context(scope, "westeurope"), deployment_name=case.get("deployment", "main"))
    planned = plan(template(**case["template"]), given, place)
    runtime = Answers(case.get("answers", {}))
    outputs = {name: output["value"] for name, output in planned.outputs(runtime).items()}

    assert json.dumps(outputs) == json.dumps(case["outputs"])
    bodies = {item.id: item.body(runtime) for item in planned.resources}
    assert bodies == case.get("resources", {})
