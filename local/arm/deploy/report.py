"""Deployments and their steps as ARM shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from local.arm import ids
from local.arm.clock import duration
from local.arm.engine import ParameterValue, PlannedResource
from local.arm.state.records import Deployment, Operation

SECURE_OUTPUTS = "listOutputsWithSecureValues"


def deployment(record: Deployment) -> dict[str, Any]:
    """Return a deployment's body. Pure."""
    properties: dict[str, Any] = {
        "templateHash": record.template_hash,
        "parameters": record.parameters,
        "mode": record.mode,
        "provisioningState": record.state,
        "timestamp": record.changed,
        "duration": duration(record.seconds),
        "correlationId": record.correlation_id,
        "providers": record.providers,
        "dependencies": record.dependencies,
        **record.extra,
    }
    if record.outputs is not None:
        properties["outputs"] = record.outputs
    if record.state == "Succeeded":
        properties["outputResources"] = [{"id": one} for one in record.resources]
    if record.error is not None:
        properties["error"] = record.error
    body: dict[str, Any] = {"id": record.id, "name": record.name, "type": ids.DEPLOYMENT_TYPE}
    if record.location is not None:
        body["location"] = record.location
    if record.tags:
        body["tags"] = record.tags
    body["properties"] = properties
    return body


def all_outputs(record: Deployment) -> dict[str, Any]:
    """Return name and value of every output, secure ones included. Pure."""
    shown = record.outputs or {}
    return {
        name: record.secure_outputs[name] if name in record.secure_outputs else one.get("value")
        for name, one in shown.items()
    }


def operation(record: Operation) -> dict[str, Any]:
    """Return a step's body. Pure."""
    properties: dict[str, Any] = {
        "provisioningOperation": record.action,
        "provisioningState": record.state,
        "timestamp": record.changed,
        "duration": duration(record.seconds),
        "trackingId": record.request_id,
        "serviceRequestId": record.request_id,
        "statusCode": record.status_code,
    }
    if record.status_message is not None:
        properties["statusMessage"] = record.status_message
    if record.target is not None:
        properties["targetResource"] = record.target
    if record.request is not None:
        properties["request"] = record.request
    if record.response is not None:
        properties["response"] = record.response
    return {"id": record.id, "operationId": record.operation_id, "properties": properties}


def parameters(planned: Mapping[str, ParameterValue], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as a deployment shows them: secure ones without their value. Pure."""
    shown: dict[str, Any] = {}
    for name, parameter in planned.items():
        shown[name] = {"type": parameter.type}
        source = given.get(name)
        if isinstance(source, dict) and "reference" in source:
            shown[name]["reference"] = source["reference"]
        elif not parameter.secure:
            shown[name]["value"] = parameter.value
    return shown


def providers(
    resources: Sequence[PlannedResource], locations: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """Return the namespaces, types and locations a template touches. Pure."""
    found: dict[str, dict[str, list[str | None]]] = {}
    for resource in resources:
        namespace, _, kind = resource.type.partition("/")
        where = found.setdefault(namespace, {}).setdefault(kind, [])
        location = locations.get(resource.id)
        if location not in where:
            where.append(location)
    return [
        {
            "namespace": namespace,
            "resourceTypes": [
                {"resourceType": kind, "locations": where} for kind, where in kinds.items()
            ],
        }
        for namespace, kinds in found.items()
    ]


def _named(resource: PlannedResource) -> dict[str, Any]:
    return {"id": resource.id, "resourceType": resource.type, "resourceName": resource.name}


def dependencies(resources: Sequence[PlannedResource]) -> list[dict[str, Any]]:
    """Return which resource waits for which. Pure."""
    by_key = {ids.key_of(resource.id): resource for resource in resources}
    return [
        {
            "dependsOn": [
                _named(by_key[ids.key_of(one)])
                for one in resource.depends_on
                if ids.key_of(one) in by_key
            ],
            **_named(resource),
        }
        for resource in resources
        if resource.depends_on
    ]


def target(resource: PlannedResource) -> dict[str, Any]:
    """Return what a step acts on. Pure."""
    shown = {**_named(resource), "apiVersion": resource.api_version}
    if resource.symbolic_name is not None:
        shown["symbolicName"] = resource.symbolic_name
    return shown
