"""Golden snapshots: what is known of a deployment before it runs, and what stays an expression."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.arm.engine import Context, Evaluated, Scope, TemplateError, evaluate
from local.arm.engine.frame import Deferred
from local.arm.engine.syntax import Access, Call, Literal
from tests.engine.world import context, template

_FILE = Path(__file__).parent.parent / "golden" / "engine" / "snapshots" / "snapshots.json"
_CASES = json.loads(_FILE.read_text())["cases"]
_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("case", _CASES, ids=[case["name"] for case in _CASES])
def test_a_template_is_predicted_as_in_its_snapshot(case: dict[str, Any]) -> None:
    """Resources and outputs are those of the snapshot; an error says what the snapshot says."""
    given = {name: {"value": value} for name, value in case["parameters"].items()}
    if "error" in case:
        with pytest.raises(TemplateError) as caught:
            evaluate(template(**case["template"]), given, _context(case))

        assert case["error"] in str(caught.value)
        return
    evaluated = evaluate(template(**case["template"]), given, _context(case))

    assert case["resources"] == list(_predicted(evaluated))
    assert case["outputs"] == {name: item["value"] for name, item in evaluated.outputs.items()}


def _predicted(evaluated: Evaluated) -> Iterator[dict[str, Any]]:
    for item in evaluated.resources:
        if item.nested is not None:
            yield from _predicted(item.nested)
        elif not item.existing:
            head = {
                "id": item.id,
                "type": item.type,
                "name": item.name,
                "apiVersion": item.api_version,
            }
            yield {**head, **item.body}


def _context(case: Mapping[str, Any]) -> Context:
    scope = {
        "resourceGroup": Scope(
            "resourceGroup", subscription_id=_SUBSCRIPTION, resource_group="myRg"
        ),
        "subscription": Scope("subscription", subscription_id=_SUBSCRIPTION),
        "managementGroup": Scope("managementGroup", management_group="myManagementGroup"),
    }[case.get("scope", "resourceGroup")]
    return replace(
        context(scope, case.get("location")),
        deployment_name="deployment",
        subscription={
            "id": f"/subscriptions/{_SUBSCRIPTION}",
            "subscriptionId": _SUBSCRIPTION,
            "tenantId": _unknown("tenant", "tenantId"),
        },
        resource_group=lambda subscription, name: {
            "id": f"/subscriptions/{subscription}/resourceGroups/{name}",
            "name": name,
            "location": _unknown("resourceGroup", "location"),
        },
    )


def _unknown(function: str, member: str) -> Deferred:
    return Deferred(Access(Call(function, ()), Literal(member)))
