"""Golden templates: whole templates in, what the real engine made of them out."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from local.arm.engine import Context, Plan, Scope, plan
from tests.engine.world import context, template

_FOLDER = Path(__file__).parent.parent / "golden" / "engine" / "templates"
_NOBODY = "00000000-0000-0000-0000-000000000000"


def _cases() -> Iterator[Any]:
    for file in sorted(_FOLDER.glob("*.json")):
        for case in json.loads(file.read_text())["cases"]:
            yield pytest.param(case, id=f"{file.stem}-{case['name']}")


@pytest.mark.parametrize("case", list(_cases()))
def test_a_template_comes_to_its_golden_values(case: dict[str, Any]) -> None:
    """Outputs, variables, assertions and resources are those of the real engine."""
    expected = case["expect"]
    planned = _plan(case)
    runtime = _State(planned, case.get("answers", {}))
    outputs = {name: output["value"] for name, output in planned.outputs(runtime).items()}
    variables = {name: outputs.pop(f"variable {name}")[0] for name in expected.get("variables", {})}

    assert json.dumps(outputs) == json.dumps(expected.get("outputs", {}))
    assert json.dumps(variables) == json.dumps(expected.get("variables", {}))
    assert expected.get("asserts", {}) == dict(planned.asserts)
    for resource_id, members in expected.get("resources", {}).items():
        shown = _shown(planned, resource_id, runtime)
        assert members == {path: _at(shown, path) for path in members}


@dataclass(frozen=True)
class _State:
    """A runtime that knows what the case says, and else answers what the template deploys."""

    planned: Plan
    answers: Mapping[str, Any]

    def reference(self, resource_id: str, api_version: str | None, full: bool) -> Any:  # noqa: FBT001
        """Return the properties of a known resource."""
        del api_version
        if resource_id in self.answers:
            return self.answers[resource_id]
        found = next(item for item in self.planned.resources if item.id == resource_id)
        body = found.body(self)
        return body if full else body["properties"]

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:
        """Refuse: no case lists anything."""
        raise AssertionError((resource_id, function, api_version, body))


def _plan(case: Mapping[str, Any]) -> Plan:
    written = template(**case["template"])
    outputs = {
        f"variable {name}": {"type": "array", "value": [f"[variables('{name}')]"]}
        for name in case["expect"].get("variables", {})
    }
    written["outputs"] = {**written.get("outputs", {}), **outputs}
    given = {name: {"value": value} for name, value in case.get("parameters", {}).items()}
    return plan(written, {**given, **case.get("given", {})}, _context(case), check_asserts=False)


def _context(case: Mapping[str, Any]) -> Context:
    subscription = case.get("subscription", _NOBODY)
    scope = {
        "resourceGroup": Scope(
            "resourceGroup",
            subscription_id=subscription,
            resource_group=case.get("group", "DummyResourceGroup"),
        ),
        "subscription": Scope("subscription", subscription_id=subscription),
        "managementGroup": Scope("managementGroup", management_group=_NOBODY),
    }[case.get("scope", "resourceGroup")]
    providers = {item["namespace"]: item for item in case.get("providers", ())}
    return replace(
        context(scope, "westeurope"),
        provider=lambda namespace: providers[namespace],
        external_inputs=case.get("external", {}),
    )


def _shown(planned: Plan, resource_id: str, runtime: _State) -> dict[str, Any]:
    found = next(item for item in planned.resources if item.id == resource_id)
    return {"name": found.name, "dependsOn": list(found.depends_on), **found.body(runtime)}


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value
