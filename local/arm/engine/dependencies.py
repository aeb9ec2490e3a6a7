"""Which resource waits for which: dependsOn, references, copy order; and no circles."""

from collections.abc import Iterable, Mapping, Sequence

from local.arm.engine.copies import waits_for
from local.arm.engine.errors import (
    RESOURCES_HELP,
    SYNTAX_HELP,
    ExpressionError,
    validation_failed,
)
from local.arm.engine.expansion import settle
from local.arm.engine.frame import Deferred, NeedsRuntime
from local.arm.engine.instances import Instance
from local.arm.engine.registry import Registry
from local.arm.engine.values import get, type_name


def explicit(instance: Instance, registry: Registry, scope_id: str) -> list[str]:
    """Return the ids that a resource's dependsOn means, inactive ones left out.

    Raises ExpressionError for an entry that names nothing in the template.
    """
    entries = settle(get(instance.source, "dependsOn") or [], instance.frame)
    if not isinstance(entries, list):
        raise ExpressionError(
            f"The 'dependsOn' of a resource must be an array: it is of type '{type_name(entries)}'."
        )
    ids: list[str] = []
    for entry in entries:
        if isinstance(entry, Deferred):
            raise NeedsRuntime
        if not isinstance(entry, str):
            raise ExpressionError(
                f"An element of 'dependsOn' must be a string: it is of type '{type_name(entry)}'."
            )
        found = registry.find(entry, scope_id)
        if not found and entry.lower() not in registry.empty_loops:
            raise ExpressionError(
                f"The resource '{entry}' is not defined in the template. {SYNTAX_HELP}", whole=True
            )
        ids += [item.id for item in found if item.active]
    return ids


def ordered(instance: Instance, registry: Registry) -> Sequence[str]:
    """Return the ids of the loop turns that must be done before this one."""
    member = instance.member
    if member is None or member.batch_size is None:
        return ()
    turns = [item for item in registry.loops[member.loop.lower()] if item.path == instance.path]
    waited = waits_for(member.index, member.batch_size)
    return [
        item.id
        for item in turns
        if item.active and item.member is not None and item.member.index in waited
    ]


def without_repetition(ids: Iterable[str]) -> tuple[str, ...]:
    """Return ids in order, each once, whatever its casing. Pure."""
    seen, kept = set[str](), list[str]()
    for item in ids:
        if item.lower() not in seen:
            seen.add(item.lower())
            kept.append(item)
    return tuple(kept)


def refuse_circles(graph: Mapping[str, Sequence[str]]) -> None:
    """Raise TemplateError when resources wait for each other in a circle. Iterative."""
    edges = {key.lower(): [item.lower() for item in waits] for key, waits in graph.items()}
    names = {key.lower(): key for key in graph}
    done: set[str] = set()
    for start, waits in edges.items():
        stack, trail = [(start, iter(waits))], {start}
        while stack:
            node, rest = stack[-1]
            step = next((item for item in rest if item in edges and item not in done), None)
            if step is None:
                stack.pop()
                trail.discard(node)
                done.add(node)
            elif step in trail:
                raise validation_failed(
                    f"Circular dependency detected on resource: '{names[step]}'. {RESOURCES_HELP}"
                )
            else:
                trail.add(step)
                stack.append((step, iter(edges[step])))
