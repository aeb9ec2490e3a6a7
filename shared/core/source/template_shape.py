"""What a template must look like before anything in it is followed: object, schema, resources."""

import re
from collections.abc import Mapping
from typing import Any, Final

from shared.core.source.arm_json import Json, is_expression, member, member_key
from shared.core.source.faults import Problems, SourceError
from shared.core.source.json_file import JsonFile

_SCHEMA = re.compile(r"/schemas/[0-9-]+/([A-Za-z]+)\.json#?$")
_GROUP_SCHEMA = "deploymenttemplate"
OTHER_SCHEMAS: Final[Mapping[str, str]] = {
    "subscriptiondeploymenttemplate": "a subscription",
    "managementgroupdeploymenttemplate": "a management group",
    "tenantdeploymenttemplate": "the tenant",
}


def is_plain(resource: Any) -> bool:
    """Tell whether a resource is an object whose own keys are no expressions. Pure."""
    return isinstance(resource, dict) and not any(is_expression(key) for key in resource)


def schema_kind(template: Json) -> str:
    """Return which schema a template names, in lower case without ``.json``; empty for none. Pure."""
    schema = member(template, "$schema")
    found = _SCHEMA.search(schema) if isinstance(schema, str) else None
    return found.group(1).lower() if found else ""


def check_shape(file: JsonFile) -> None:
    """Raise SourceError (InvalidTemplate) for what is no template. Pure."""
    template = file.value
    if not isinstance(template, dict):
        raise file.place("").error(
            "InvalidTemplate", "The template is not a JSON object.", "Start it with {."
        )
    problems: Problems = []
    kind = schema_kind(template)
    if kind == "deploymentparameters":
        raise file.place("$schema").error(
            "InvalidTemplate",
            "This is a parameter file, not a template.",
            "List it under parameters, and name the template under template.",
        )
    if kind != _GROUP_SCHEMA and kind not in OTHER_SCHEMAS:
        problems.append(
            file.place("$schema" if member_key(template, "$schema") else "").problem(
                "InvalidTemplate",
                "$schema is missing or names no deployment template.",
                "Write https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#.",
            )
        )
    if not isinstance(member(template, "resources"), list | dict):
        problems.append(
            file.place("resources" if member_key(template, "resources") else "").problem(
                "InvalidTemplate",
                "resources is missing, or neither a list nor an object.",
                'Write "resources": [...].',
            )
        )
    if problems:
        raise SourceError(problems)
