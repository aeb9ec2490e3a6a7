"""A nested plan before anything runs: what is known, what is in doubt, what a runtime adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from local.arm.engine import NeedsRuntime, Plan, plan
from tests.engine.world import context

SHELF = {"type": "Contoso.Shop/shelves", "apiVersion": "2024-01-01", "name": "s"}
ASKS = "[reference(resourceId('Contoso.Shop/shelves', 's'), '2024-01-01').x]"


class Silent:
    """A runtime that knows nothing yet."""

    def reference(self, resource_id: str, api_version: str | None, full: bool) -> Any:  # noqa: ARG002, FBT001 - the engine's protocol
        """Raise NeedsRuntime."""
        raise NeedsRuntime

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:  # noqa: ARG002 - the engine's protocol
        """Raise NeedsRuntime."""
        raise NeedsRuntime


class Knowing(Silent):
    """A runtime that knows one answer."""

    def reference(self, resource_id: str, api_version: str | None, full: bool) -> Any:  # noqa: ARG002, FBT001 - the engine's protocol
        """Return the answer."""
        return {"x": "known"}


def _foreseen(resources: list[Mapping[str, Any]], runtime: Any = None, **more: Any) -> Plan:
    inner = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"p": {"type": "string"}},
        "resources": resources,
        **more,
    }
    nested = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2025-04-01",
        "name": "n",
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {"p": {"value": ASKS}},
            "template": inner,
        },
    }
    outer = {**inner, "parameters": {}, "resources": [nested], "outputs": {}}
    found = plan(outer, {}, context()).resources[0].nested
    assert found is not None
    assert found.has_unknown_parameters
    return found.foresee(runtime)


@pytest.mark.parametrize(
    ("member", "value", "doubt"),
    [
        ("name", "plain", ""),
        ("name", "[parameters('p')]", "identity"),
        ("apiVersion", "[parameters('p')]", "identity"),
        ("condition", "[equals(parameters('p'), 'x')]", "condition"),
        ("tags", {"a": "[parameters('p')]"}, ""),
    ],
)
def test_what_is_in_doubt(member: str, value: Any, doubt: str) -> None:
    """Only what names a resource, or decides about it, puts it in doubt."""
    [found] = _foreseen([{**SHELF, member: value}]).resources

    assert found.doubt == doubt
    assert found.place[1] is not None


def test_a_runtime_settles_doubts() -> None:
    """What the runtime answers is known, in names as in bodies."""
    shelf = {**SHELF, "name": "[parameters('p')]", "properties": {"x": "[parameters('p')]"}}

    [found] = _foreseen([shelf], Knowing()).resources

    assert (found.name, found.doubt) == ("known", "")
    assert found.preview(Silent())["properties"] == {"x": "known"}


def test_only_known_outputs_have_a_value() -> None:
    """An output that asks a resource, or is secure, has a type and nothing more."""
    outputs = {
        "plain": {"type": "string", "value": "here"},
        "asks": {"type": "string", "value": "[parameters('p')]"},
        "secure": {"type": "securestring", "value": "hidden"},
    }

    found = _foreseen([SHELF], outputs=outputs).settled_outputs(Silent())

    assert found == {
        "plain": {"type": "String", "value": "here"},
        "asks": {"type": "String"},
        "secure": {"type": "SecureString"},
    }
