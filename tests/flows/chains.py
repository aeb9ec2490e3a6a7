"""Repositories whose stacks wait for each other."""

from collections.abc import Mapping
from typing import Any

import orjson

from tests.fakes.arm import Outcome
from tests.flows.world import SUB, template

FAILED = Outcome(
    seconds=1.0, failures={"nsg": {"code": "SkuNotAvailable", "message": "no such size"}}
)


def manifest(**stacks: Mapping[str, Any]) -> str:
    """Return a manifest in which each stack has a template and a group of its name."""
    lines = ["version: 1", "stacks:"]
    for name, said in stacks.items():
        lines += [f"  {name}:", f"    template: {name}.json", f"    scope: rg-{name}"]
        lines.append("    createResourceGroup: westeurope")
        lines += [f"    {key}: {value}" for key, value in said.items()]
    return "\n".join(lines)


def gives(value: str, **more: Any) -> bytes:
    """Return a template with the output ``id``."""
    return template(outputs={"id": {"type": "string", "value": value}}, **more)


def takes(note: str = "", kind: str = "string") -> bytes:
    """Return a template with the parameter ``from``."""
    return template(note, parameters={"from": {"type": kind}})


PAIR = manifest(network={}, web={"valuesFrom": "{from: network.outputs.id}"})
CHAIN = manifest(
    network={},
    app={"valuesFrom": "{from: network.outputs.id}"},
    web={"dependsOn": "[app]"},
)


def pair(value: str = "v1", more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a repository in which ``web`` takes what ``network`` gives."""
    return {
        "plumbline.yaml": PAIR,
        "network.json": gives(value),
        "web.json": takes(),
        **(more or {}),
    }


def chain(value: str = "v1", *, network: str = "", web: str = "") -> dict[str, Any]:
    """Return a repository of three waves."""
    return {
        "plumbline.yaml": CHAIN,
        "network.json": gives(value) if not network else template(network, **outputs(value)),
        "app.json": template(**{"parameters": {"from": {"type": "string"}}, **outputs("a")}),
        "web.json": template(web),
    }


def outputs(value: str) -> dict[str, Any]:
    """Return a template's output ``id``."""
    return {"outputs": {"id": {"type": "string", "value": value}}}


def whole_subscription(location: str, note: str = "") -> dict[str, Any]:
    """Return a repository with one stack whose scope is the subscription."""
    lines = ["version: 1", "stacks:", "  base:", "    template: base.json"]
    lines += [f"    scope: /subscriptions/{SUB}", f"    location: {location}"]
    body = orjson.loads(template(note))
    schema = body["$schema"].replace("/deploymentTemplate", "/subscriptionDeploymentTemplate")
    return {
        "plumbline.yaml": "\n".join(lines),
        "base.json": orjson.dumps({**body, "$schema": schema}),
    }
