"""Trying a deployment out in a forked cloud: what each resource would be when all of it had run.

The rehearsal writes with the providers' own code, so that everything that follows from a write
(defaults, children, merges) follows here too. Beside it goes what ARM can see before anything
runs, which decides how what-if may speak of a resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm import ids
from local.arm.clock import stamp
from local.arm.cloud import Cloud
from local.arm.deploy import secrets
from local.arm.deploy.ask import Ask
from local.arm.engine import Foresight, NeedsRuntime, Plan, PlannedResource, Scope, TemplateError
from local.arm.engine.evaluator import has_deferred
from local.arm.engine.folding import show
from local.arm.engine.secrets import texts
from local.arm.errors import ArmError
from local.arm.state.records import Deployment
from local.arm.whatif import attempts
from local.arm.whatif.declared import (
    Declared,
    Fate,
    Survey,
    short_circuited,
    skipped,
    unsupported_reason,
)
from local.arm.whatif.limits import Budget, Limits
from local.arm.whatif.order import in_order
from local.arm.whatif.rehearsed import Rehearsed

_Key = tuple[str, int | None]
_SECURE = frozenset({"SecureString", "SecureObject"})


@dataclass(frozen=True, slots=True)
class Level:
    """One template on its way: as it will run, and as ARM sees it (None: not at all)."""

    real: Plan
    seen: Plan | None
    deployment: str | None = None
    symbols: tuple[str, ...] = ()
    potential: bool = False


class Rehearsal:
    """One deployment, tried out in `cloud`: a fork that nobody else looks at."""

    def __init__(self, cloud: Cloud, ask: Ask, limits: Limits | None = None) -> None:
        self.cloud = cloud
        self.survey = Survey()
        self._ask = ask
        self._classic = cloud.knobs.whatif_evaluator == "classic"
        self._runtime = Rehearsed(cloud)
        self._known = Foresight()
        limits = limits or Limits()
        self._budget = Budget(limits, limits.now())

    @property
    def given_away(self) -> frozenset[str]:
        """What list*() answered while the deployment was tried out: keys, mostly."""
        return frozenset(self._runtime.secrets)

    def run(self, plan: Plan) -> Survey:
        """Try the whole deployment out; return what it declares, in the order of the template."""
        self._touch(self._ask.scope)
        self.survey.declared = self._walk(Level(plan, plan))
        return self.survey

    def _touch(self, scope: Scope) -> None:
        if scope.kind == "resourceGroup":
            self.survey.groups[ids.key_of(scope.id)] = None

    def _walk(self, level: Level) -> list[Declared]:
        """Carry a template out in the order of its dependencies; return in the order it is written."""
        for plan in (level.real, level.seen):
            if plan is not None:
                secure = [one.value for one in plan.parameters.values() if one.secure]
                self.survey.secrets |= texts(secure)
        seen = {} if level.seen is None else {_key(one): one for one in level.seen.resources}
        done: dict[_Key, list[Declared]] = {}
        for resource in in_order(level.real.resources):
            key = _key(resource)
            if key not in seen and (key[0], None) in seen:
                key = (key[0], None)
            found = self._take(resource, seen.get(key), level)
            done.setdefault(key, []).extend(found)
        declared: list[Declared] = []
        for key, resource in seen.items():
            if key not in done:
                declared += self._unsure(resource, level)
            elif resource.doubt == "identity":
                declared += self._unsupported(resource, level)
            else:
                declared += done[key]
        return declared

    def _take(
        self, resource: PlannedResource, seen: PlannedResource | None, level: Level
    ) -> list[Declared]:
        if resource.existing:
            return []
        if seen is not None and seen.doubt == "identity":
            seen = None
        if resource.nested is not None:
            return self._nest(resource, seen, level)
        self._touch(resource.scope)
        put = self._body(resource)
        written = attempts.write(self.cloud, resource, put, self._ask.caller)
        if seen is None:
            self.survey.hidden.add(ids.key_of(written))
            return []
        return [self._declared(written, (resource, seen), put, level)]

    def _declared(
        self,
        resource_id: str,
        pair: tuple[PlannedResource, PlannedResource],
        put: Mapping[str, Any],
        level: Level,
    ) -> Declared:
        resource, seen = pair
        fate: Fate = "potential" if level.potential or seen.doubt == "condition" else "shown"
        return Declared(
            id=resource_id,
            type=self.cloud.knowledge.spell(resource.type),
            api_version=resource.api_version,
            fate=fate,
            put=put,
            source=self._preview(seen),
            secrets=resource.secrets() | seen.secrets(),
            deployment=level.deployment,
            symbols=(*level.symbols, seen.symbolic_name or seen.name),
            symbolic_name=seen.symbolic_name,
        )

    def _unsupported(self, seen: PlannedResource, level: Level) -> list[Declared]:
        """Speak of a resource that nobody can identify yet."""
        if seen.existing:
            return []
        if seen.nested is not None:
            self._warn(short_circuited(seen.id, outer=False))
            return []
        put = self._preview(seen)
        return [
            Declared(
                id=seen.id,
                type=seen.type,
                api_version=seen.api_version,
                fate="unsupported",
                put=put,
                source=put,
                secrets=seen.secrets(),
                deployment=level.deployment,
                symbols=(*level.symbols, seen.symbolic_name or seen.name),
                symbolic_name=seen.symbolic_name,
                reason=unsupported_reason(seen.path, seen.place),
            )
        ]

    def _unsure(self, seen: PlannedResource, level: Level) -> list[Declared]:
        """Speak of a resource that will not be deployed, which ARM cannot know: try it elsewhere."""
        if seen.doubt == "identity":
            return self._unsupported(seen, level)
        if seen.existing:
            return []
        other = Rehearsal(self.cloud.fork(), self._ask, self._budget.limits)
        mine, its = self.survey, other.survey
        its.diagnostics, its.groups, its.secrets = mine.diagnostics, mine.groups, mine.secrets
        other._known, other._budget = self._known, self._budget
        found = other._take(seen, seen, replace(level, potential=True))
        return [
            replace(one, got=attempts.read(other.cloud, one.id, one.api_version)) for one in found
        ]

    def _nest(
        self, resource: PlannedResource, seen: PlannedResource | None, level: Level
    ) -> list[Declared]:
        nested = resource.nested
        if nested is None:
            return []
        self._touch(nested.scope)
        foreseen = None if seen is None else self._expanded(seen)
        plan = self._inner_plan(resource) or foreseen
        if plan is None:
            return []
        potential = level.potential or (seen is not None and seen.doubt == "condition")
        symbol = resource.symbolic_name or nested.name
        below = Level(plan, foreseen, resource.id, (*level.symbols, symbol), potential)
        declared = self._walk(below)
        self._keep_outputs(resource, plan)
        if foreseen is not None and not self._classic:
            self._known.learn(resource.id, self._static_outputs(foreseen))
        return declared

    def _expanded(self, seen: PlannedResource) -> Plan | None:
        """Return a nested template as far as ARM can see it; None, with a warning, if it cannot."""
        nested = seen.nested
        if nested is None:
            return None
        limit = self._budget.spend(nested.scope)
        if limit is not None:
            self._warn(skipped(seen.id, limit))
            return None
        if self._classic and nested.has_unknown_parameters:
            self._warn(short_circuited(seen.id, outer=False))
            return None
        try:
            return nested.foresee(None if self._classic else self._known)
        except (NeedsRuntime, TemplateError):
            self._warn(short_circuited(seen.id, outer=nested.outer_scope))
            return None

    def _warn(self, diagnostic: dict[str, Any]) -> None:
        if diagnostic not in self.survey.diagnostics:
            self.survey.diagnostics.append(diagnostic)

    def _inner_plan(self, resource: PlannedResource) -> Plan | None:
        nested = resource.nested
        if nested is None:
            return None
        try:
            given = nested.parameters(self._runtime)
            if has_deferred(given):
                return None
            return nested.plan(self._runtime, secrets.resolve(self.cloud, given))
        except (ArmError, TemplateError, NeedsRuntime):
            return None

    def _body(self, resource: PlannedResource) -> dict[str, Any]:
        """Return the body that the deployment will send; what cannot be known stays text."""
        try:
            body = resource.body(self._runtime)
        except (ArmError, TemplateError, NeedsRuntime):
            return self._preview(resource)
        if has_deferred(body):
            shown: dict[str, Any] = show(body)
            return shown
        return body

    def _preview(self, resource: PlannedResource) -> dict[str, Any]:
        try:
            return resource.preview(None if self._classic else self._known)
        except (TemplateError, NeedsRuntime):
            return resource.preview()

    def _static_outputs(self, plan: Plan) -> Mapping[str, Any]:
        try:
            return plan.settled_outputs(self._known)
        except (TemplateError, NeedsRuntime):
            return {}

    def _keep_outputs(self, resource: PlannedResource, plan: Plan) -> None:
        """Note the nested deployment, for references to its outputs."""
        try:
            outputs: dict[str, Any] = show(plan.outputs(self._runtime, secure=True))
        except (ArmError, TemplateError, NeedsRuntime):
            outputs = {}
        secure = {name: one for name, one in outputs.items() if one["type"] in _SECURE}
        values = {name: one.get("value") for name, one in secure.items()}
        self.survey.secrets |= texts(values.values())
        now = stamp(self.cloud.clock.now())
        record = Deployment(
            id=resource.id,
            name=resource.name,
            run="0",
            subscription=resource.scope.subscription_id or "",
            group=resource.scope.resource_group,
            state="Succeeded",
            mode="Incremental",
            correlation_id=self._ask.correlation_id,
            template_hash="",
            started=now,
            changed=now,
            outputs={**outputs, **{name: {"type": one["type"]} for name, one in secure.items()}},
            secure_outputs=values,
            parent=self._ask.id,
        )
        self.cloud.store.deployments.put(record.id, record)


def _key(resource: PlannedResource) -> _Key:
    return resource.path, resource.copy.index if resource.copy is not None else None
