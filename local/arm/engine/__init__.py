"""The ARM template language: pure evaluation, no I/O, usable alone.

`plan` decides what a deployment will do; the plan's resources, nested deployments and outputs are
then evaluated against a `Runtime` as the deployment proceeds. `evaluate` does all of it in one
call. The language is described in the comments of the modules that own each part of it.
"""

from collections.abc import Mapping
from typing import Any

from local.arm.engine.context import Context, Runtime, Scope
from local.arm.engine.errors import TemplateError
from local.arm.engine.plan import (
    CopyMember,
    NestedDeployment,
    ParameterValue,
    Plan,
    PlannedResource,
)


def parse_template(text: str | bytes) -> Any:
    """Return the JSON of a template; comments allowed. Raises TemplateError with its place."""
    raise NotImplementedError


def template_hash(template: Any) -> str:
    """Return ARM's templateHash as decimal text."""
    raise NotImplementedError


def plan(template: Mapping[str, Any], parameters: Mapping[str, Any], context: Context) -> Plan:
    """Decide a template; `parameters` is {name: {"value": ...}}. Raises TemplateError."""
    raise NotImplementedError


__all__ = [
    "Context",
    "CopyMember",
    "NestedDeployment",
    "ParameterValue",
    "Plan",
    "PlannedResource",
    "Runtime",
    "Scope",
    "TemplateError",
    "parse_template",
    "plan",
    "template_hash",
]
