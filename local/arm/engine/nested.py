"""Deployments inside a template: inner and outer evaluation, and where they go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm.engine.bodies import Failing, at_runtime
from local.arm.engine.context import Context, Runtime, Scope
from local.arm.engine.errors import ExpressionError, no_overflow
from local.arm.engine.evaluator import has_deferred
from local.arm.engine.expansion import expand, settle
from local.arm.engine.frame import Deferred, Frame, Meter, NeedsRuntime, Stage
from local.arm.engine.instances import Instance
from local.arm.engine.places import join_path
from local.arm.engine.plan import Plan
from local.arm.engine.sources import Source
from local.arm.engine.syntax import Access, Call, Literal
from local.arm.engine.values import find_key, get, type_name

_LINKS = "Please see https://aka.ms/arm-template-links for usage details."


@dataclass(frozen=True)
class Inner:
    """A template to plan on its own: its values, its surroundings, its place in the document."""

    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    context: Context
    source: Source
    mode: str
    meter: Meter
    depth: int
    tolerant: bool = False
    refuses_failed_asserts: bool = True


@dataclass(frozen=True)
class Outer:
    """A template to plan with the names of its parent; only where resources go is its own."""

    template: Mapping[str, Any]
    frame: Frame
    target: Scope
    source: Source
    depth: int


PlanInner = Callable[[Inner], Plan]
PlanOuter = Callable[[Outer], Plan]


class Nested:
    """One Microsoft.Resources/deployments resource."""

    def __init__(
        self,
        instance: Instance,
        source: Source,
        planners: tuple[PlanInner, PlanOuter],
        depth: int,
    ) -> None:
        self._instance = instance
        self._properties = _properties(instance)
        self._inner, self._outer = planners
        self._source = source
        self._depth = depth
        self._path = join_path(instance.path, find_key(instance.source, "properties") or "")
        self._kept: tuple[dict[str, Any], Plan] | None = None
        """What was previewed last: planning again from the same values comes to the same."""
        self.template: Mapping[str, Any] = _template(instance, self._properties)
        self.mode = _mode(self._properties)
        # A template that an expression makes has no expressions of the parent's left in it.
        written = get(self._properties, "template") is self.template
        self.outer_scope = written and _is_outer(self._properties)

    @property
    def name(self) -> str:
        """Return the deployment's name."""
        return self._instance.name.rpartition("/")[2]

    @property
    def scope(self) -> Scope:
        """Return where it runs."""
        return self._instance.scope

    def parameters(self, runtime: Runtime) -> dict[str, Any]:
        """Return its parameters with the parent's expressions evaluated. Raises TemplateError."""
        frame = at_runtime(self._instance.frame, runtime, Stage.BODY)
        values: dict[str, Any] = Failing(self._instance, self._source).run(
            lambda: self.parameters_in(frame)
        )
        return values

    def parameters_in(self, frame: Frame) -> dict[str, Any]:
        """Return its parameters as far as the frame knows them. Raises ExpressionError."""
        raw = get(self._properties, "parameters") or {}
        try:
            values = expand(raw, frame)
        except ExpressionError as error:
            error.trail[:0] = ["properties", "parameters"]
            raise
        if isinstance(values, Deferred):
            raise NeedsRuntime
        if not isinstance(values, dict):
            raise ExpressionError(
                f"The 'parameters' of a deployment must be an object: they are of type "
                f"'{type_name(values)}'."
            )
        return values

    def plan(self, runtime: Runtime, parameters: Mapping[str, Any] | None = None) -> Plan:
        """Return the inner plan; `parameters` replaces the evaluated ones. Raises TemplateError."""
        with no_overflow():
            if self.outer_scope:
                frame = at_runtime(self._instance.frame, None, Stage.DECLARATION)
                return self._outer(self._as_outer(frame))
            given = self.parameters(runtime) if parameters is None else parameters
            return self._inner(self._as_inner(given, Meter()))

    def preview(self, frame: Frame | None = None) -> Plan:
        """Return the plan as far as it is known before the deployment runs.

        Raises TemplateError, or NeedsRuntime when its resources cannot be named yet.
        """
        inside = frame or at_runtime(self._instance.frame, None, Stage.BODY)
        given = {} if self.outer_scope else self._given(inside)
        if self._kept is not None and self._kept[0] == given:
            return self._kept[1]
        if self.outer_scope:
            plan = self._outer(self._as_outer(inside))
        else:
            inner = self._as_inner(given, inside.meter)
            plan = self._inner(replace(inner, tolerant=inside.tolerant))
        if not inside.tolerant:
            self._kept = given, plan
        return plan

    def _given(self, frame: Frame) -> dict[str, Any]:
        return {
            name: _placeholder(name, entry) for name, entry in self.parameters_in(frame).items()
        }

    def foresee(self, runtime: Runtime | None = None) -> Plan:
        """Return the plan before anything runs, resources in doubt included.

        A `runtime` answers what it knows and raises NeedsRuntime for what it does not. Raises
        TemplateError, or NeedsRuntime when the template cannot be taken apart at all.
        """
        with no_overflow():
            frame = at_runtime(self._instance.frame, runtime, Stage.BODY)
            return self.preview(replace(frame, tolerant=True))

    @property
    def has_unknown_parameters(self) -> bool:
        """Tell whether a parameter is only known when the deployment runs."""
        if self.outer_scope:
            return False
        try:
            given = self.parameters_in(at_runtime(self._instance.frame, None, Stage.BODY))
        except NeedsRuntime:
            return True
        return has_deferred(given)

    def _as_inner(self, given: Mapping[str, Any], meter: Meter) -> Inner:
        context = self._instance.frame.context
        location = settle(get(self._instance.source, "location"), self._instance.frame)
        inside = replace(
            context,
            scope=self.scope,
            deployment_name=self.name,
            location=location if isinstance(location, str) else context.location,
            subscription=_subscription(context, self.scope),
            template_link=_link(self._properties),
            external_inputs={},
        )
        return Inner(self.template, given, inside, self._below(), self.mode, meter, self._depth + 1)

    def _as_outer(self, frame: Frame) -> Outer:
        inside = replace(frame, stage=Stage.DECLARATION, tolerant=False)
        return Outer(self.template, inside, self.scope, self._below(), self._depth + 1)

    def _below(self) -> Source:
        return self._source.below(join_path(self._path, "template"))


def _properties(instance: Instance) -> Mapping[str, Any]:
    properties = get(instance.source, "properties")
    if isinstance(properties, Mapping):
        return properties
    raise ExpressionError("A deployment must have 'properties', a JSON object.")


def _template(instance: Instance, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    template = get(properties, "template")
    if isinstance(template, str):
        template = settle(template, replace(instance.frame, stage=Stage.DECLARATION))
    if isinstance(template, Mapping):
        return template
    if template is None and find_key(properties, "templateLink") is not None:
        raise ExpressionError(
            f"The linked template of the deployment '{instance.name}' is not part of the template: "
            f"'templateLink' must be resolved to 'template' before the template is planned. {_LINKS}"
        )
    raise ExpressionError(
        f"The deployment '{instance.name}' must have a 'template', a JSON object. {_LINKS}"
    )


def _link(properties: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return where a linked template, by now put in place, came from."""
    link = get(properties, "templateLink")
    return link if isinstance(link, Mapping) else None


def _mode(properties: Mapping[str, Any]) -> str:
    mode = get(properties, "mode", "Incremental")
    for known in ("Incremental", "Complete"):
        if isinstance(mode, str) and mode.lower() == known.lower():
            return known
    raise ExpressionError(f"The mode '{mode}' of a deployment must be Incremental or Complete.")


def _is_outer(properties: Mapping[str, Any]) -> bool:
    options = get(properties, "expressionEvaluationOptions")
    scope = get(options, "scope", "outer") if isinstance(options, Mapping) else "outer"
    if isinstance(scope, str) and scope.lower() in ("inner", "outer", "notspecified"):
        return scope.lower() != "inner"
    raise ExpressionError(f"The expression evaluation scope '{scope}' must be inner or outer.")


def _placeholder(name: str, entry: Any) -> Any:
    """Stand in for an entry that only the running deployment knows: a vault's secret, an answer."""
    if isinstance(entry, Deferred):
        return {"value": Deferred(Access(entry.node, Literal("value")))}
    if isinstance(entry, Mapping) and find_key(entry, "reference") is not None:
        return {"value": Deferred(Call("parameters", (Literal(name),)))}
    return entry


def _subscription(context: Context, scope: Scope) -> Mapping[str, Any]:
    wanted = scope.subscription_id
    if wanted is None or wanted.lower() == str(get(context.subscription, "subscriptionId")).lower():
        return context.subscription
    return {**context.subscription, "id": f"/subscriptions/{wanted}", "subscriptionId": wanted}
