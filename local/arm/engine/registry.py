"""Finding resources of the template by symbolic name, loop name, name or id."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from local.arm.engine.context import Context
from local.arm.engine.errors import RESOURCES_HELP, SYNTAX_HELP, ExpressionError
from local.arm.engine.frame import Target, Targets
from local.arm.engine.ids import fold, id_of_short_form, take_apart
from local.arm.engine.instances import DEPLOYMENTS, Instance


@dataclass
class Registry:
    """The resources of one template; `outer` are those of an outer-scoped deployment's parent."""

    outer: Targets | None = None
    by_id: dict[str, Instance] = field(default_factory=dict)
    by_name: dict[str, list[Instance]] = field(default_factory=dict)
    by_symbol: dict[str, list[Instance]] = field(default_factory=dict)
    loops: dict[str, list[Instance]] = field(default_factory=dict)
    empty_loops: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, instances: Iterable[Instance], loops: Iterable[str], outer: Targets | None
    ) -> "Registry":
        """Return the registry of a template's resources; `loops` are the names of all loops."""
        registry = cls(outer, empty_loops=frozenset(loops))
        for instance in instances:
            known = registry.by_id.get(fold(instance.id))
            if known is None or instance.active:
                registry.by_id[fold(instance.id)] = instance
            registry.by_name.setdefault(instance.name.lower(), []).append(instance)
            if instance.symbolic_name is not None:
                symbol = instance.symbolic_name.lower()
                registry.by_symbol.setdefault(symbol, []).append(instance)
            if instance.member is not None:
                registry.loops.setdefault(instance.member.loop.lower(), []).append(instance)
        return registry

    def find(self, text: str, scope_id: str) -> list[Instance]:
        """Return what a dependsOn entry means: a resource, the turns of a loop, or nothing."""
        folded = text.lower()
        if folded in self.by_symbol:
            return self.by_symbol[folded]
        member = self._symbolic_member(folded)
        if member is not None:
            return [member]
        if folded in self.loops:
            return self.loops[folded]
        if fold(text) in self.by_id:
            return [self.by_id[fold(text)]]
        short = id_of_short_form(scope_id, text)
        if short is not None and fold(short) in self.by_id:
            return [self.by_id[fold(short)]]
        return self._above_subscriptions(folded) or self._deployment(text) or self._named(text)

    def target(self, text: str, context: Context) -> Target:
        """Return what reference() and list*() point at. Raises ExpressionError."""
        found = self.find(text, context.scope.id)
        if len(found) == 1:
            return _as_target(found[0])
        if text.startswith("/"):
            return Target(text.rstrip("/"), None, in_template=False)
        if self.outer is not None and not found:
            return self.outer.target(text, context)
        short = id_of_short_form(context.scope.id, text)
        if short is not None and not found:
            return Target(short, None, in_template=False)
        raise ExpressionError(
            f"The template resource '{text}' reference is not valid: could not find template "
            f"resource or resource copy with this name. {RESOURCES_HELP}"
        )

    def members(self, symbolic_name: str) -> tuple[Target, ...]:
        """Return the turns of a symbolic copy loop. Raises ExpressionError."""
        found = self.by_symbol.get(symbolic_name.lower())
        if found is not None:
            return tuple(_as_target(item) for item in found if item.active)
        if self.outer is not None:
            return self.outer.members(symbolic_name)
        raise ExpressionError(
            f"The template resource '{symbolic_name}' reference is not valid: could not find a "
            f"resource collection with this symbolic name. {RESOURCES_HELP}"
        )

    def _above_subscriptions(self, folded: str) -> list[Instance]:
        """Find a resource by what resourceId() makes of it outside of subscriptions.

        That id says nothing of the management group that the resource is in.
        """
        if not folded.startswith("/providers/"):
            return []
        found = [item for key, item in self.by_id.items() if key.endswith(folded)]
        return found if len(found) == 1 and not found[0].scope.subscription_id else []

    def _deployment(self, text: str) -> list[Instance]:
        """Find a nested deployment that goes elsewhere by the id it would have here."""
        parts = take_apart(text) if text.startswith("/") else None
        if parts is None or parts.type.lower() != DEPLOYMENTS:
            return []
        same = self.by_name.get(parts.name.lower(), [])
        found = [item for item in same if item.is_deployment]
        return found if len(found) == 1 else []

    def _symbolic_member(self, folded: str) -> Instance | None:
        name, bracket, rest = folded.partition("[")
        if not bracket or not rest.endswith("]") or not rest[:-1].isdigit():
            return None
        index = int(rest[:-1])
        for instance in self.by_symbol.get(name, ()):
            if instance.member is not None and instance.member.index == index:
                return instance
        return None

    def _named(self, text: str) -> list[Instance]:
        found = self.by_name.get(text.lower(), [])
        if len({item.id.lower() for item in found}) <= 1:
            return found[:1]
        active = [item for item in found if item.active]
        if len(active) == 1:
            return active
        raise ExpressionError(
            f"The template resource name '{text}' is ambiguous: "
            f"'{', '.join(item.id for item in found)}' have it. Refer to it by its resource id. "
            f"{SYNTAX_HELP}"
        )


def _as_target(instance: Instance) -> Target:
    return Target(
        instance.id,
        instance.api_version,
        in_template=True,
        symbolic=instance.symbolic_name is not None,
        type=instance.type,
        name=instance.name,
    )
