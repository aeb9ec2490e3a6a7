"""Holds what stacks want of each other against what there is: names, outputs, circles (rule 11).

A link that is wrong breaks the stack that wrote it and stops nothing else.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from shared.core.problem import Problem
from shared.core.redaction import is_secret_name
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

_SHOWN_WAY: Final = 8
"""So many names of a way round a circle are shown."""

_OWN_WAYS: Final = 32
"""In a circle of no more stacks each is told its own way round."""


def broken_links(
    manifest: Manifest, entries: Mapping[str, Entry]
) -> dict[str, tuple[Problem, ...]]:
    """Return what is wrong with the links of the manifest's valid stacks, by stack. Pure.

    ``entries`` are the stacks that could be compiled at this revision.
    """
    circles = _circles(manifest)
    known = manifest.names  # made anew each time that it is asked for
    claims = Counter(spec.renamed_from for spec in manifest.stacks.values())
    found: dict[str, tuple[Problem, ...]] = {}
    for name, spec in manifest.stacks.items():
        problems = [*_names(spec, known), *_outputs(name, spec, entries)]
        problems += _rename(spec, known, claims)
        if name in circles:
            problems.append(_circle(name, spec, circles[name]))
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
    elif is_secret_name(taken.output):
        yield place.problem(
            "OutputSecret",
            f"The output {shown(taken.output)} of {shown(taken.stack)} is a secret by its name, and "
            "Plumbline keeps none.",
            "Give the output another name if it is none; put it into a Key Vault if it is one.",
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
    """Return for each stack in a circle a way around it; in a large one all have the same. Pure."""
    graph = {
        name: [d for d in spec.dependencies if d in manifest.stacks]
        for name, spec in manifest.stacks.items()
    }
    found: dict[str, tuple[str, ...]] = {}
    for circle in _strongly_connected(graph):
        if len(circle) == 1 and circle[0] not in graph[circle[0]]:
            continue
        inside = frozenset(circle)
        if len(circle) <= _OWN_WAYS:
            found.update((name, _way_round(name, inside, graph)) for name in circle)
        else:
            found.update(dict.fromkeys(circle, _way_round(min(circle), inside, graph)))
    return found


def _strongly_connected(graph: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the sets of stacks that all reach each other, in linear time. Pure.

    Tarjan's algorithm (Depth-first search and linear graph algorithms, 1972), with a stack of its
    own in place of recursion: a row of stacks may be thousands long.
    """
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    is_open: set[str] = set()
    found: list[list[str]] = []
    for start in sorted(graph):
        if start in number:
            continue
        path = [(start, iter(graph[start]))]
        number[start] = low[start] = len(number)
        open_.append(start)
        is_open.add(start)
        while path:
            name, others = path[-1]
            for other in others:
                if other not in number:
                    number[other] = low[other] = len(number)
                    open_.append(other)
                    is_open.add(other)
                    path.append((other, iter(graph[other])))
                    break
                if other in is_open:
                    low[name] = min(low[name], number[other])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[name])
                if low[name] == number[name]:
                    at = open_.index(name)
                    found.append(open_[at:])
                    is_open.difference_update(open_[at:])
                    del open_[at:]
    return found


def _way_round(
    start: str, circle: frozenset[str], graph: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return the shortest way from a stack of a circle back to itself. Pure."""
    before: dict[str, str] = {}
    edge = [start]
    while edge:
        following: list[str] = []
        for name in edge:
            for other in graph[name]:
                if other == start:
                    way = [name]
                    while way[-1] != start:
                        way.append(before[way[-1]])
                    return (*reversed(way), start)
                if other in circle and other not in before:
                    before[other] = name
                    following.append(other)
        edge = following
    return (start, start)


def _circle(name: str, spec: StackSpec, way: Sequence[str]) -> Problem:
    inside = dict(_places(spec))
    after = next((b for a, b in pairwise(way) if a == name), "")
    place = inside.get(after) or next(iter(inside.values()))
    told = " → ".join(way)
    if len(way) > _SHOWN_WAY:
        first = " → ".join(way[: _SHOWN_WAY - 2])
        told = f"{first} → ({len(way) - _SHOWN_WAY + 1} more) → {way[-1]}"
    return place.problem(
        "DependencyCycle",
        f"Stacks wait for each other in a circle: {told}.",
        "Take one of these links out; merge stacks that need each other.",
    )
