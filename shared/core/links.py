"""Holds what stacks want of each other against what there is: names, outputs, circles (rule 11).

A link that is wrong breaks the stack that wrote it and stops nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from shared.core.problem import Problem
from shared.core.source.faults import Place, choices_hint, shown
from shared.core.source.manifest import Manifest, StackSpec
from shared.core.taken import Taken
from shared.core.tip import Entry

_FITS: Final[Mapping[str, frozenset[str]]] = {
    "string": frozenset({"string", "securestring"}),
    "int": frozenset({"int"}),
    "bool": frozenset({"bool"}),
    "array": frozenset({"array"}),
    "object": frozenset({"object", "secureobject"}),
}
"""Which parameters take an output of a type."""


def broken_links(
    manifest: Manifest, entries: Mapping[str, Entry]
) -> dict[str, tuple[Problem, ...]]:
    """Return what is wrong with the links of the manifest's valid stacks, by stack. Pure.

    ``entries`` are the stacks that could be compiled at this revision.
    """
    circles = _circles(manifest)
    claims = Counter(spec.renamed_from for spec in manifest.stacks.values())
    found: dict[str, tuple[Problem, ...]] = {}
    for name, spec in manifest.stacks.items():
        problems = [*_names(spec, manifest.names), *_outputs(name, spec, entries)]
        problems += _rename(spec, manifest.names, claims)
        if name in circles:
            problems.append(_circle(spec, circles[name]))
        if problems:
            found[name] = tuple(problems)
    return found


def _rename(
    spec: StackSpec, known: frozenset[str], claims: Mapping[str | None, int]
) -> Iterable[Problem]:
    """Say that the name that a stack takes over is not free."""
    old = spec.renamed_from
    if old is None or (old not in known and claims[old] == 1):
        return
    still = f"{shown(old)} is in the manifest still, so that nobody can take it over."
    twice = f"{claims[old]} stacks take over {shown(old)}, and one can have it."
    yield spec.place("renamedFrom").problem(
        "RenameTaken",
        still if old in known else twice,
        "Take renamedFrom out, or the old entry." if old in known else "Keep one of the two.",
    )


def _places(spec: StackSpec) -> list[tuple[str, Place]]:
    """Return each stack that is named, and where. Pure."""
    named = [(name, spec.place(f"dependsOn[{i}]")) for i, name in enumerate(spec.depends_on)]
    taken = [
        (taking.stack, spec.value_place(parameter, "valuesFrom"))
        for parameter, taking in spec.values_from.items()
    ]
    return named + taken


def _names(spec: StackSpec, known: frozenset[str]) -> Iterable[Problem]:
    for name, place in _places(spec):
        if name not in known:
            yield place.problem(
                "DependencyUnknown",
                f"The manifest names no stack {shown(name)}.",
                choices_hint(name, sorted(known), "Name a stack of this manifest."),
            )


def _outputs(name: str, spec: StackSpec, entries: Mapping[str, Entry]) -> Iterable[Problem]:
    own = entries.get(name)
    for parameter, taken in own.takes.items() if own is not None else ():
        giver = entries.get(taken.stack)
        if giver is None:
            continue  # it is broken itself, and waited for
        written = next(p for p in spec.values_from if p.lower() == parameter.lower())
        yield from _output(parameter, taken, giver, spec.value_place(written, "valuesFrom"))


def _output(parameter: str, taken: Taken, giver: Entry, place: Place) -> Iterable[Problem]:
    types = {output.lower(): kind for output, kind in giver.outputs.items()}
    kind = types.get(taken.output.lower())
    if kind is None:
        yield place.problem(
            "OutputUnknown",
            f"The template of {shown(taken.stack)} has no output {shown(taken.output)}.",
            choices_hint(taken.output, sorted(giver.outputs), "It has no outputs at all."),
        )
    elif kind.startswith("secure"):
        yield place.problem(
            "OutputSecure",
            f"The output {shown(taken.output)} of {shown(taken.stack)} is secure: Azure shows it to "
            "nobody, and so it cannot be handed on.",
            "Put the secret into a Key Vault, and give both stacks a reference to it.",
        )
    elif kind in _FITS and taken.type and taken.type not in _FITS[kind]:
        yield place.problem(
            "OutputType",
            f"The parameter {shown(parameter)} is of type {taken.type}, and the output "
            f"{shown(taken.output)} of {shown(taken.stack)} is of type {kind}.",
            "Declare both alike.",
        )


def _circles(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Return for each stack in a circle the way around it, beginning with itself. Pure."""
    graph = {
        name: [d for d in spec.dependencies if d in manifest.stacks]
        for name, spec in manifest.stacks.items()
    }
    found: dict[str, tuple[str, ...]] = {}
    for component in _components(graph):
        for name in component:
            found[name] = _way_round(name, component, graph)
    return found


def _components(graph: Mapping[str, Sequence[str]]) -> list[frozenset[str]]:
    """Return the sets of stacks that all reach each other: the circles. Pure.

    What reaches a circle without being part of one is not in them. Each round takes away what
    waits for nothing, and what nothing waits for; what is left is in a circle or between two.
    """
    left = {name: set(others) for name, others in graph.items()}
    while True:
        wanted = set().union(*left.values()) if left else set()
        leaves = [n for n, others in left.items() if not (others & left.keys()) or n not in wanted]
        if not leaves:
            break
        for name in leaves:
            del left[name]
    reach = {name: _reachable(name, left) for name in left}
    found = {
        frozenset({name, *(o for o in reach[name] if name in reach[o])})
        for name in left
        if name in reach[name]
    }
    return sorted(found, key=sorted)


def _reachable(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start] & graph.keys())
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting.extend(graph[name] & graph.keys())
    return seen


def _way_round(
    start: str, component: frozenset[str], graph: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return the shortest way from a stack of a circle back to itself. Pure."""
    ways: dict[str, tuple[str, ...]] = {start: (start,)}
    edge = [start]
    while edge:
        following: list[str] = []
        for name in edge:
            for other in graph[name]:
                if other == start:
                    return (*ways[name], start)
                if other in component and other not in ways:
                    ways[other] = (*ways[name], other)
                    following.append(other)
        edge = following
    return (start, start)


def _circle(spec: StackSpec, way: Sequence[str]) -> Problem:
    inside = next(place for name, place in _places(spec) if name == way[1])
    return inside.problem(
        "DependencyCycle",
        f"Stacks wait for each other in a circle: {' → '.join(way)}.",
        "Take one of these links out; merge stacks that need each other.",
    )
