"""Whatever is done to the JSON of a deployment, the answer is ARM's."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.arm.azure import API, Azure, ask, eventually, network, plain

LINK = {"uri": "http://127.0.0.1:1/x.json", "contentVersion": "1.0.0.0"}


def nested(**properties: Any) -> dict[str, Any]:
    """Return a nested deployment."""
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "resourceGroup": "rg-shop",
        "properties": {"mode": "Incremental", **properties},
    }


BODY = {
    **ask(
        [
            network(),
            plain("s1", condition=True, copy={"name": "loop", "count": 1}),
            nested(
                template=ask([plain("s2")])["properties"]["template"],
                expressionEvaluationOptions={"scope": "inner"},
                parameters={},
                debugSetting={"detailLevel": "requestContent"},
            ),
            {**nested(templateLink=LINK, parametersLink=LINK), "condition": False, "name": "n2"},
        ],
        parameters={"size": {"type": "int", "defaultValue": 1}},
        given={"size": {"value": 2}},
        outputs={"x": {"type": "string", "value": "[deployment().name]"}},
        tags={"a": "b"},
    )
}
BODY["properties"] |= {
    "validationLevel": "Provider",
    "debugSetting": {"detailLevel": "requestContent"},
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "[x()]", "a/b", "[["]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("id"), inner, max_size=1),
    max_leaves=3,
)


def places(value: Any, trail: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value in JSON."""
    if trail:
        yield trail
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = list(value.items())
    else:
        pairs = list(enumerate(value)) if isinstance(value, list) else []
    for key, inner in pairs:
        yield from places(inner, (*trail, key))


PLACES = list(places(BODY))


def changed(trail: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Return the body with another value at one place."""
    body: Any = copy.deepcopy(BODY)
    holder = body
    for step in trail[:-1]:
        holder = holder[step]
    holder[trail[-1]] = value
    return dict(body)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(trail=st.sampled_from(PLACES), value=JSON)
def test_a_changed_request_is_taken_or_refused(
    azure: Azure, trail: tuple[Any, ...], value: Any
) -> None:
    """200 with a body or 4xx with an ARM error, never a fault of the simulator."""
    path = f"{azure.group()}/providers/Microsoft.Resources/deployments/main/validate"
    reply = azure.call("POST", f"{path}?api-version={API}", json.dumps(changed(trail, value)))

    assert reply.status == 200 or 400 <= reply.status < 500, (trail, value, reply)
    assert ("error" in reply.body) == (reply.status >= 400)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(trail=st.sampled_from(PLACES), value=JSON)
def test_a_changed_deployment_comes_to_an_end(
    azure: Azure, trail: tuple[Any, ...], value: Any
) -> None:
    """What is taken runs, and ends well or with a reason of ARM's."""
    path = f"{azure.group()}/providers/Microsoft.Resources/deployments/main?api-version={API}"
    body = changed(trail, value)
    body["properties"] = (
        {**body["properties"], "validationLevel": "Template"}
        if isinstance(body["properties"], dict)
        else body["properties"]
    )
    reply = azure.call("PUT", path, json.dumps(body))
    if reply.status >= 400:
        assert reply.status < 500, (trail, value, reply)
        return
    end: dict[str, Any] = {}

    def ended() -> bool:
        end.update(azure.call("GET", path).body["properties"])
        return end["provisioningState"] in ("Succeeded", "Failed", "Canceled")

    eventually(ended)

    assert end.get("error", {}).get("code") != "InternalServerError", (trail, value, end)
