"""The template engine alone: a template of 500 resources, and a module of 3 MB.

The module is made here, in the manner of compiled Bicep: nested deployments within which every
value passes through functions. ``--module=FILE`` measures a file of yours as well.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.arm_server import template
from bench.figures import Figure
from local.arm import engine

RESOURCES, RESOURCES_MS = 500, 300.0
MODULE_MB, MODULE_S = 3.0, 2.0
TIMES = 5
COMMAND = "python -m bench arm_engine"
_SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
_TENANT = "99999999-8888-4777-8666-555555555555"


def _context() -> engine.Context:
    def group(subscription: str, name: str) -> dict[str, Any]:
        place = f"/subscriptions/{subscription}/resourceGroups/{name}"
        return {"id": place, "name": name, "location": "westeurope", "tags": {}}

    return engine.Context(
        scope=engine.Scope("resourceGroup", _SUBSCRIPTION, "rg"),
        deployment_name="bench",
        location=None,
        subscription={"id": f"/subscriptions/{_SUBSCRIPTION}", "subscriptionId": _SUBSCRIPTION},
        tenant={"tenantId": _TENANT},
        environment={"name": "AzureCloud", "suffixes": {"storage": "core.windows.net"}},
        deployer={"objectId": _TENANT, "tenantId": _TENANT},
        resource_group=group,
        utc_now=datetime(2026, 5, 4, 10, tzinfo=UTC),
        new_guid=lambda: _TENANT,
    )


def _resource(number: int) -> dict[str, Any]:
    """Return a resource whose values all have to be worked out."""
    before = (
        f"[resourceId('Contoso.Shop/shelves', format('{{0}}-{number - 1}', variables('base')))]"
    )
    return {
        "type": "Contoso.Shop/shelves",
        "apiVersion": "2024-01-01",
        "name": f"[format('{{0}}-{number}', variables('base'))]",
        "location": "[parameters('location')]",
        "tags": "[union(parameters('tags'), createObject('number', string(variables('n'))))]",
        "dependsOn": [before] if number % 10 else [],
        "properties": {
            "depth": f"[add(mul({number}, 2), length(parameters('zones')))]",
            "label": f"[if(equals(mod({number}, 2), 0), concat('even-', variables('base')), 'odd')]",
            "zone": "[first(parameters('zones'))]",
            "secret": f"[uniqueString(resourceGroup().id, '{number}')]",
            "owner": "[coalesce(tryGet(parameters('tags'), 'owner'), 'nobody')]",
        },
    }


def large_template(count: int = RESOURCES) -> dict[str, Any]:
    """Return a template with so many resources, written out."""
    return template(
        [_resource(number) for number in range(count)],
        parameters={
            "location": {"type": "string", "defaultValue": "[resourceGroup().location]"},
            "tags": {"type": "object", "defaultValue": {"owner": "ann"}},
            "zones": {"type": "array", "defaultValue": ["1", "2"]},
        },
        variables={"base": "[toLower(uniqueString(resourceGroup().id))]", "n": "[sub(10, 3)]"},
    )


_TYPES, _PARAMETERS, _ROLES, _INSIDE = 25, 30, 12, 12
_SAID = "Optional. Says at some length what this is for, as the modules of the public registry do."


def _definitions() -> dict[str, Any]:
    """Return types in the number and with the talk that a compiled module has."""
    member = {"type": "string", "nullable": True, "metadata": {"description": _SAID}}
    names = ("name", "kind", "scope", "principal", "condition", "version")
    one = {"type": "object", "properties": dict.fromkeys(names, member), "nullable": True}
    return {f"type{number}": one for number in range(_TYPES)}


def _nested(number: int) -> dict[str, Any]:
    """Return one inner deployment: much of it says what is allowed, some of it is resources."""
    said = {"metadata": {"description": _SAID}}
    given = {
        f"option{one}": {"$ref": f"#/definitions/type{one % _TYPES}", **said}
        for one in range(_PARAMETERS)
    }
    roles = "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{}')]"
    inner = large_template() | {
        "languageVersion": "2.0",
        "definitions": _definitions(),
        "resources": {f"shelf{one}": _resource(one) for one in range(_INSIDE)},
        "outputs": {"base": {"type": "string", "value": "[variables('base')]"}},
    }
    inner["parameters"] |= given
    inner["variables"] |= {
        "roles": {f"Role {one}": roles.format(f"{one:036d}") for one in range(_ROLES)}
    }
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": f"[format('module-{number}-{{0}}', uniqueString('module{number}', deployment().name))]",
        "properties": {
            "expressionEvaluationOptions": {"scope": "inner"},
            "mode": "Incremental",
            "parameters": {"tags": {"value": "[parameters('tags')]"}},
            "template": inner,
        },
    }


def large_module() -> str:
    """Return a module as text of the wanted size."""
    count = int(MODULE_MB * 1024 * 1024 / len(json.dumps(_nested(0)))) + 1
    tags = {"tags": {"type": "object", "defaultValue": {"owner": "ann"}}}
    return json.dumps(template([_nested(at) for at in range(count)], parameters=tags))


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a value for each parameter that has none."""
    plain: dict[str, Any] = {"string": "abc", "int": 1, "bool": True, "array": [], "object": {}}
    found = {}
    for name, one in parameters.items():
        if "defaultValue" in one or one.get("nullable"):
            continue
        kind = str(one.get("type", "object")).lower().replace("secure", "")
        text = "abc".ljust(int(one.get("minLength", 0)), "x")
        value = text if kind == "string" else plain.get(kind, {})
        found[name] = {"value": (one.get("allowedValues") or [one.get("minValue", value)])[0]}
    return found


def _seconds(work: Callable[[], Any]) -> float:
    """Return the median CPU time of doing it a few times."""
    times = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return median(times)


def _module(what: str, text: bytes) -> Figure:
    def work() -> Any:
        parsed = engine.parse_template(text)
        return engine.evaluate(parsed, _given(parsed.get("parameters", {})), _context())

    seconds = _seconds(work)
    return Figure(
        what=f"ARM engine: read and evaluate {what} of {len(text) / 1024 / 1024:.1f} MiB, CPU",
        target=f"≤ {MODULE_S:.0f} s",
        measured=f"{seconds:.2f} s",
        met=seconds <= MODULE_S,
        command=COMMAND,
    )


def measure() -> Iterator[Figure]:
    """Evaluate in this process: no server, no network."""
    large = large_template()
    seconds = _seconds(lambda: engine.evaluate(large, {}, _context()))
    yield Figure(
        what=f"ARM engine: evaluate a template of {RESOURCES} resources, CPU",
        target=f"≤ {RESOURCES_MS:.0f} ms",
        measured=f"{seconds * 1000:.0f} ms",
        met=seconds * 1000 <= RESOURCES_MS,
        command=COMMAND,
    )
    yield _module("a generated module", large_module().encode())
    for argument in sys.argv:
        if argument.startswith("--module="):
            path = Path(argument.partition("=")[2])
            yield _module(path.name, path.read_bytes())
