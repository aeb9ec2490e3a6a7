"""The engine in one call: every body and output of a template, nested deployments included."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm.engine.context import Context, Runtime
from local.arm.engine.folding import show
from local.arm.engine.frame import NeedsRuntime
from local.arm.engine.plan import ParameterValue, Plan, PlannedResource
from local.arm.engine.planning import plan


@dataclass(frozen=True)
class EvaluatedResource:
    """A resource with its body; `nested` is what a deployment comes to.

    `nested` is None for a deployment whose resources cannot be named without a runtime.
    """

    id: str
    type: str
    name: str
    api_version: str
    symbolic_name: str | None
    existing: bool
    depends_on: tuple[str, ...]
    body: Mapping[str, Any]
    nested: "Evaluated | None"


@dataclass(frozen=True)
class Evaluated:
    """A template, worked out."""

    parameters: Mapping[str, ParameterValue]
    resources: tuple[EvaluatedResource, ...]
    outputs: Mapping[str, Any]


def evaluate(
    template: Mapping[str, Any],
    parameters: Mapping[str, Any],
    context: Context,
    runtime: Runtime | None = None,
) -> Evaluated:
    """Plan a template and evaluate all bodies and outputs.

    Without a runtime, what only a running deployment can know stays as what is left of its
    expression, `[reference(...).x]`. Raises TemplateError.
    """
    return _evaluated(plan(template, parameters, context), runtime)


def _evaluated(plan_: Plan, runtime: Runtime | None) -> Evaluated:
    outputs = plan_.preview() if runtime is None else plan_.outputs(runtime)
    return Evaluated(
        parameters={
            name: replace(value, value=show(value.value))
            for name, value in plan_.parameters.items()
        },
        resources=tuple(_resource(item, runtime) for item in plan_.resources),
        outputs=outputs,
    )


def _resource(item: PlannedResource, runtime: Runtime | None) -> EvaluatedResource:
    body = item.preview() if runtime is None else item.body(runtime)
    return EvaluatedResource(
        id=item.id,
        type=item.type,
        name=item.name,
        api_version=item.api_version,
        symbolic_name=item.symbolic_name,
        existing=item.existing,
        depends_on=item.depends_on,
        body=body,
        nested=_nested(item, runtime),
    )


def _nested(item: PlannedResource, runtime: Runtime | None) -> Evaluated | None:
    if item.nested is None:
        return None
    if runtime is not None:
        return _evaluated(item.nested.plan(runtime), runtime)
    try:
        return _evaluated(item.nested.preview(), None)
    except NeedsRuntime:
        return None
