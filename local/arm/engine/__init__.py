"""The ARM template language: pure evaluation, no I/O, usable alone.

`plan` decides what a deployment will do; the plan's resources, nested deployments and outputs are
then evaluated against a `Runtime` as the deployment proceeds. `evaluate` does all of it in one
call. The language is described in the comments of the modules that own each part of it.
"""

from local.arm.engine.context import Context, Runtime, Scope
from local.arm.engine.documents import NotJsonError, parse_request, parse_template
from local.arm.engine.errors import TemplateError
from local.arm.engine.evaluation import Evaluated, EvaluatedResource, evaluate
from local.arm.engine.frame import NeedsRuntime
from local.arm.engine.hashing import template_hash
from local.arm.engine.plan import (
    CopyMember,
    NestedDeployment,
    ParameterValue,
    Plan,
    PlannedResource,
)
from local.arm.engine.planning import plan

__all__ = [
    "Context",
    "CopyMember",
    "Evaluated",
    "EvaluatedResource",
    "NeedsRuntime",
    "NestedDeployment",
    "NotJsonError",
    "ParameterValue",
    "Plan",
    "PlannedResource",
    "Runtime",
    "Scope",
    "TemplateError",
    "evaluate",
    "parse_request",
    "parse_template",
    "plan",
    "template_hash",
]
