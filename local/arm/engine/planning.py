"""Phase one of a deployment: from template and parameters to a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm.engine.asserts import evaluate_asserts, refuse_failed
from local.arm.engine.bodies import Body, sent_part
from local.arm.engine.context import Context, Scope
from local.arm.engine.dependencies import (
    explicit,
    ordered,
    refuse_circles,
    without_repetition,
)
from local.arm.engine.documents import check_depth
from local.arm.engine.errors import (
    EXPRESSIONS_HELP,
    ExpressionError,
    no_overflow,
    validation_failed,
)
from local.arm.engine.frame import Frame, Meter, NeedsRuntime, Stage
from local.arm.engine.hashing import template_hash
from local.arm.engine.instances import Instance, Instances, invalid_resource
from local.arm.engine.limits import MAX_NESTING
from local.arm.engine.names import TemplateNames
from local.arm.engine.nested import Inner, Nested, Outer
from local.arm.engine.outputs import TemplateOutputs
from local.arm.engine.parameters import declare_parameters
from local.arm.engine.plan import ParameterValue, Plan, PlannedResource
from local.arm.engine.registry import Registry
from local.arm.engine.secrets import masked, texts
from local.arm.engine.shape import Shape, check_expressions, check_texts, read_shape
from local.arm.engine.sources import Source, path_of
from local.arm.engine.variables import declare_variables, evaluate_variables


def plan(
    template: Mapping[str, Any],
    parameters: Mapping[str, Any],
    context: Context,
    *,
    check_asserts: bool = True,
) -> Plan:
    """Decide a template; `parameters` is {name: {"value": ...}} (or {"expression": ...}).

    Pure but for `context.new_guid` and `context.resource_group`. Raises TemplateError for
    everything that ARM's own validation refuses, and for an assertion that fails unless
    `check_asserts` is false.
    """
    check_depth(template)
    check_depth(parameters)
    whole = Inner(
        template,
        parameters,
        context,
        Source(template),
        "Incremental",
        Meter(),
        0,
        refuses_failed_asserts=check_asserts,
    )
    with no_overflow():
        return plan_inner(whole)


def plan_inner(inner: Inner) -> Plan:
    """Plan a template with its own parameters, variables and functions."""
    _refuse_nesting(inner.depth)
    shape = read_shape(inner.template, inner.source)
    check_expressions(shape, inner.source)
    parameters = declare_parameters(
        shape.parameters, inner.parameters, shape.definitions, inner.source
    )
    variables = declare_variables(shape.variables)
    names = TemplateNames(
        parameters.lazy,
        variables,
        shape.functions,
        lambda: _deployment(inner),
    )
    names.keep_secret(texts(parameters.given_secrets()))
    frame = Frame(inner.context, names, Stage.DECLARATION, inner.meter, tolerant=inner.tolerant)
    with masked(names):
        values = parameters.values(frame, inner.source)
        names.keep_secret(texts(item.value for item in values.values() if item.secure))
        evaluate_variables(shape.variables, variables, frame, inner.source)
        asserts = evaluate_asserts(shape.asserts, frame, inner.source)
        if inner.refuses_failed_asserts:
            refuse_failed(asserts, inner.source)
        ground = _Ground(shape, frame, inner.context.scope, inner.source, inner.depth)
        return replace(ground.plan(values), asserts=asserts)


def plan_outer(outer: Outer) -> Plan:
    """Plan a template with the names of its parent."""
    _refuse_nesting(outer.depth)
    shape = read_shape(outer.template, outer.source)
    ground = _Ground(shape, outer.frame, outer.target, outer.source, outer.depth)
    return ground.plan({})


@dataclass(frozen=True)
class _Ground:
    """What all resources of one template share while they are planned."""

    shape: Shape
    frame: Frame
    target: Scope
    source: Source
    depth: int

    def plan(self, values: Mapping[str, ParameterValue]) -> Plan:
        reader = Instances(self.frame, self.target, self.source)
        instances = reader.read(self.shape.resources)
        registry = Registry.of(instances, reader.loops, self.frame.targets)
        ready = [replace(item, frame=replace(item.frame, targets=registry)) for item in instances]
        planned = tuple(self._planned(item, registry) for item in ready if item.active)
        refuse_circles({item.id: item.depends_on for item in planned})
        frame = replace(self.frame, targets=registry)
        closing = TemplateOutputs(self.shape.outputs, self.shape.definitions, frame, self.source)
        closing.prepare(replace(frame, stage=Stage.OUTPUT))
        return Plan(values, planned, closing)

    def _planned(self, instance: Instance, registry: Registry) -> PlannedResource:
        used: set[str] = set()
        frame = replace(instance.frame, stage=Stage.BODY, used=used)
        try:
            wanted = self._waited_for(instance, registry)
            nested = None
            if instance.is_deployment and not instance.existing:
                nested = self._nested(instance, frame)
            body = self._body(instance, frame, nested)
        except ExpressionError as error:
            path = path_of(instance.path, error)
            raise invalid_resource(instance.name, path, error, self.source) from error
        if self.frame.used is not None:
            self.frame.used.update(used)
        own = instance.id.lower()
        implied = [
            item.id
            for key in sorted(used)
            if (item := registry.by_id.get(key)) is not None
            and item.active
            and item.id.lower() != own
        ]
        return PlannedResource(
            id=instance.id,
            type=instance.type,
            name=instance.name,
            api_version=instance.api_version,
            symbolic_name=instance.symbolic_name,
            existing=instance.existing,
            scope=instance.scope,
            depends_on=without_repetition([*wanted, *ordered(instance, registry), *implied]),
            copy=instance.member,
            nested=nested,
            path=self.source.full(instance.path),
            bodies=body,
            doubt=instance.doubt,
        )

    def _waited_for(self, instance: Instance, registry: Registry) -> list[str]:
        try:
            return explicit(instance, registry, self.target.id)
        except NeedsRuntime:
            if not self.frame.tolerant:
                raise
            return []

    def _body(self, instance: Instance, frame: Frame, nested: Nested | None) -> Body:
        sent = sent_part(instance)
        raw: dict[str, Any] = {}
        if nested is not None:
            sent, raw = _without_template(sent, nested.template)
        check_texts(sent, instance.path, frame.names.function, self.source)
        body = Body(instance, self.source, sent, raw)
        try:
            body.prepare(frame)
        except ExpressionError:
            if not instance.doubt:
                raise
            body.leave()
        return body

    def _nested(self, instance: Instance, frame: Frame) -> Nested:
        nested = Nested(instance, self.source, (plan_inner, plan_outer), self.depth)
        if instance.doubt == "identity":
            return nested
        try:
            nested.preview(frame)
        except NeedsRuntime:
            return nested
        return nested


def _without_template(
    sent: Mapping[str, Any], template: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a deployment's members without its template, and the template apart."""
    rest, raw = dict(sent), dict[str, Any]()
    for key, item in sent.items():
        if key.lower() == "properties" and isinstance(item, Mapping):
            rest[key] = {name: part for name, part in item.items() if name.lower() != "template"}
            raw = {name: template for name in item if name.lower() == "template"}
    return rest, raw


def _deployment(inner: Inner) -> dict[str, Any]:
    link = inner.context.template_link
    source = {"template": inner.template} if link is None else {"templateLink": dict(link)}
    return {
        **source,
        "templateHash": template_hash(inner.template),
        "parameters": inner.parameters,
        "mode": inner.mode,
        "provisioningState": "Accepted",
    }


def _refuse_nesting(depth: int) -> None:
    if depth > MAX_NESTING:
        raise validation_failed(
            f"Deployments nest deeper than '{MAX_NESTING}' levels. {EXPRESSIONS_HELP}"
        )
