"""The engine in one call: every body and output of a template, nested deployments included."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local.arm.engine.context import Context, Runtime
from local.arm.engine.folding import show
from local.arm.engine.foresight import Foresight
from local.arm.engine.frame import NeedsRuntime
from local.arm.engine.plan import NestedDeployment, ParameterValue, Plan, PlannedResource
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
    asserts: Mapping[str, bool]


def evaluate(
    template: Mapping[str, Any],
    parameters: Mapping[str, Any],
    context: Context,
    runtime: Runtime | None = None,
) -> Evaluated:
    """Plan a template and evaluate all bodies and outputs.

    Without a runtime, what only a running deployment can know stays as what is left of its
    expression, `[reference(...).x]`; static outputs of nested deployments are known. Assertions
    that fail are reported, not refused. Raises TemplateError.
    """
    return _evaluated(plan(template, parameters, context, check_asserts=False), runtime)


def _evaluated(plan_: Plan, runtime: Runtime | None) -> Evaluated:
    if runtime is None:
        return _foreseen(plan_)
    return _worked_out(
        plan_,
        tuple(
            _resource(item, item.body(runtime), _nested(item, runtime)) for item in plan_.resources
        ),
        plan_.outputs(runtime),
    )


def _nested(item: PlannedResource, runtime: Runtime) -> Evaluated | None:
    return None if item.nested is None else _evaluated(item.nested.plan(runtime), runtime)


def _foreseen(plan_: Plan) -> Evaluated:
    """Evaluate without a runtime, deployments in the order in which they would run."""
    foresight = Foresight()
    found: dict[str, EvaluatedResource] = {}
    for item in _in_order(plan_.resources):
        body = item.preview(foresight)
        nested = None if item.nested is None else _foreseen_nested(item.nested, foresight)
        found[item.id] = _resource(item, body, None if nested is None else _foreseen(nested))
        if nested is not None:
            foresight.learn(item.id, nested.settled_outputs(foresight))
    resources = tuple(found[item.id] for item in plan_.resources)
    return _worked_out(plan_, resources, plan_.preview(foresight))


def _foreseen_nested(nested: NestedDeployment, foresight: Foresight) -> Plan | None:
    try:
        plan_ = nested.foresee(foresight)
    except NeedsRuntime:
        return None
    return None if any(item.doubt for item in plan_.resources) else plan_


def _in_order(resources: Sequence[PlannedResource]) -> list[PlannedResource]:
    """Return the resources such that each comes after those that it waits for."""
    waiting = {item.id: item for item in resources}
    ordered: list[PlannedResource] = []
    while waiting:
        ready = [
            item
            for item in waiting.values()
            if not any(other in waiting for other in item.depends_on)
        ]
        for item in ready or list(waiting.values()):
            ordered.append(item)
            del waiting[item.id]
    return ordered


def _worked_out(
    plan_: Plan, resources: tuple[EvaluatedResource, ...], outputs: Mapping[str, Any]
) -> Evaluated:
    shown = {
        name: replace(value, value=show(value.value)) for name, value in plan_.parameters.items()
    }
    return Evaluated(shown, resources, outputs, plan_.asserts)


def _resource(
    item: PlannedResource, body: Mapping[str, Any], nested: Evaluated | None
) -> EvaluatedResource:
    return EvaluatedResource(
        id=item.id,
        type=item.type,
        name=item.name,
        api_version=item.api_version,
        symbolic_name=item.symbolic_name,
        existing=item.existing,
        depends_on=item.depends_on,
        body=body,
        nested=nested,
    )
