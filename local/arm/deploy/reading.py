"""From the body of a PUT, validate or whatIf to what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.deploy import rollback
from local.arm.deploy.ask import Ask, check_name
from local.arm.engine import Scope
from local.arm.errors import ArmError
from local.arm.messages import Request

_SMALL_BYTES = 16 * 1024
_MAX_BYTES = 4 * 1024 * 1024
_MODES = {"incremental": "Incremental", "complete": "Complete"}
_LEVELS = {"template": "Template", "provider": "Provider", "providernorbac": "ProviderNoRbac"}
_HELP = "Please see https://aka.ms/deploy-to-subscription for usage details."
_BODY = frozenset({"location", "properties", "tags", "identity"})
_PROPERTIES = frozenset({
    "template", "templatelink", "parameters", "parameterslink", "mode", "debugsetting",
    "onerrordeployment", "expressionevaluationoptions", "validationlevel", "whatifsettings",
    "externalinputs", "externalinputdefinitions", "extensionconfigs", "resourcepredictions",
})  # fmt: skip


def read(cloud: Cloud, request: Request, scope: Scope, name: str) -> Ask:
    """Return what a request asks for; raises `ArmError`.

    Linked documents are not in it yet: see `linked.fetch`.
    """
    check_name(name)
    body = request.json()
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise errors.invalid_content("The body needs an object 'properties'")
    if cloud.knobs.strict:
        _check_members(body, _BODY, "Deployment")
        _check_members(properties, _PROPERTIES, "DeploymentProperties")
    tags = body.get("tags") or {}
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise errors.invalid_content("tags must be an object of strings")
    location = _location(body, scope, name)
    if scope.kind == "resourceGroup" and scope.subscription_id and scope.resource_group:
        cloud.writable_group(scope.subscription_id, scope.resource_group)
    template = _template(properties)
    parameters = parameters_of(properties.get("parameters"))
    if len(request.body) > _MAX_BYTES:
        check_size("template", template)
        check_size("parameters", parameters)
    ask = Ask(
        scope=scope,
        name=name,
        template=template,
        parameters=parameters,
        mode=_mode(properties, scope),
        caller=request.caller,
        correlation_id=request.correlation_id,
        api_version=request.api_version,
        location=location,
        tags=tags,
        extra=_echoed(properties),
        inputs=_inputs(properties),
        heavy=len(request.body) > _SMALL_BYTES or b'"copy"' in request.body,
    )
    on_error = properties.get("onErrorDeployment")
    if on_error is not None:
        ask.extra["onErrorDeployment"] = rollback.resolve(cloud, ask, on_error)
    return ask


def _check_members(found: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    for member in found:
        if member.lower() not in known:
            raise errors.invalid_content(
                f"Could not find member '{member}' on object of type '{what}'"
            )


def _location(body: Mapping[str, Any], scope: Scope, name: str) -> str | None:
    location = body.get("location")
    if location is not None and not isinstance(location, str):
        raise errors.invalid_content("location must be a string")
    if scope.kind != "resourceGroup" and not location:
        raise location_required(name)
    if scope.kind == "resourceGroup" and location:
        raise ArmError(
            400,
            "InvalidDeployment",
            f"The 'location' property is not allowed for '{name}' at resource group scope. {_HELP}",
        )
    return location or None


def location_required(name: str) -> ArmError:
    """Refuse a deployment above resource groups that does not say where it is kept."""
    message = f"The 'location' property must be specified for '{name}'. {_HELP}"
    return ArmError(400, "LocationRequired", message)


def _template(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template; {} stands for one that is still to be fetched."""
    template, link = properties.get("template"), properties.get("templateLink")
    if isinstance(template, dict) and link is None:
        return template
    if isinstance(link, dict) and template is None:
        return {}
    raise ArmError(
        400,
        "InvalidRequestContent",
        "The request content was invalid: exactly one of the properties 'template' and"
        " 'templateLink' must be an object.",
    )


def parameters_of(given: Any) -> dict[str, Any]:
    """Return the parameters of a request or a parameter file; raises `ArmError`. Pure."""
    parameters = given or {}
    if not isinstance(parameters, dict):
        raise errors.invalid_content("properties.parameters must be an object")
    # A whole parameter file is taken too, as the service takes it.
    inner = parameters.get("parameters")
    if "$schema" in parameters and isinstance(inner, dict):
        parameters = inner
    for name, entry in parameters.items():
        if not isinstance(entry, dict):
            raise errors.invalid_content(
                f"Parameter '{name}' must be an object with 'value' or 'reference'"
            )
    return parameters


def _inputs(properties: Mapping[str, Any]) -> dict[str, Any]:
    inputs = properties.get("externalInputs") or {}
    if isinstance(inputs, dict):
        return inputs
    raise errors.invalid_content("properties.externalInputs must be an object")


def check_size(what: str, document: Mapping[str, Any]) -> None:
    """Raise DeploymentSizeExceeded for a template, or parameters, of more than 4 MB."""
    size = len(msgspec.json.encode(document))
    if size > _MAX_BYTES:
        raise ArmError(
            400,
            "DeploymentSizeExceeded",
            f"The size of the deployment's {what}, '{size}' bytes, exceeds the maximum of"
            f" '{_MAX_BYTES}' bytes. Please see https://aka.ms/arm-template-limits for usage"
            " details.",
        )


def _mode(properties: Mapping[str, Any], scope: Scope) -> str:
    mode = _MODES.get(str(properties.get("mode", "")).lower())
    if mode is None:
        raise errors.invalid_content("properties.mode must be 'Incremental' or 'Complete'")
    if mode == "Complete" and scope.kind != "resourceGroup":
        raise ArmError(
            400,
            "InvalidDeploymentMode",
            "Deployments in mode 'Complete' are supported at resource group scope only.",
        )
    return mode


def _echoed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the deployment's body repeats of the request; raises `ArmError`."""
    echoed: dict[str, Any] = {}
    level = properties.get("validationLevel")
    if level is not None:
        known = _LEVELS.get(str(level).lower())
        if known is None:
            raise errors.invalid_content(
                "properties.validationLevel must be 'Template', 'Provider' or 'ProviderNoRbac'"
            )
        echoed["validationLevel"] = known
    for name in ("debugSetting", "templateLink", "parametersLink"):
        value = properties.get(name)
        if value is None:
            continue
        if not isinstance(value, dict):
            raise errors.invalid_content(f"properties.{name} must be an object")
        echoed[name] = value
    if "parametersLink" in echoed and properties.get("parameters"):
        raise errors.invalid_content(
            "only one of the properties 'parameters' and 'parametersLink' may be given"
        )
    return echoed
