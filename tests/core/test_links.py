"""What stacks want of each other: waves, circles, and who waits for whom."""

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.links import broken_links
from shared.core.source.manifest import Manifest, StackSpec
from shared.core.waves import dependents, levels

NAMES = list("abcdefg")
GRAPHS = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3, unique=True)
)


def _manifest(graph: Mapping[str, list[str]]) -> Manifest:
    stacks = {
        name: StackSpec(template="t", scope="rg", depends_on=tuple(graph.get(name, ())))
        for name in NAMES
    }
    return Manifest(stacks=stacks, readable=True)


def _reaches(graph: Mapping[str, list[str]], start: str, goal: str) -> bool:
    seen, waiting = set(), list(graph.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(graph.get(name, ()))
    return False


@given(GRAPHS)
def test_exactly_the_stacks_in_circles_are_broken_by_them(graph: dict[str, list[str]]) -> None:
    """A stack is in a circle if it waits for itself; one that only waits for a circle is not."""
    found = broken_links(_manifest(graph), {})

    assert set(found) == {name for name in NAMES if _reaches(graph, name, name)}


@given(GRAPHS)
def test_the_way_round_is_one(graph: dict[str, list[str]]) -> None:
    """What the problem tells is a walk along links that begins and ends with the stack."""
    for name, problems in broken_links(_manifest(graph), {}).items():
        way = problems[0].message.partition(": ")[2].rstrip(".").split(" → ")

        assert way[0] == way[-1] == name
        assert all(b in graph[a] for a, b in pairwise(way))


@given(GRAPHS)
def test_waves_hold_every_stack_once_and_dependencies_first(graph: dict[str, list[str]]) -> None:
    """Whoever is in no circle, and waits for none, comes after all that it waits for."""
    waves = levels(NAMES, graph)

    at = {name: number for number, wave in enumerate(waves) for name in wave}
    assert sorted(name for wave in waves for name in wave) == NAMES
    for name in NAMES:
        if not any(_reaches(graph, n, n) for n in NAMES if n == name or _reaches(graph, name, n)):
            assert all(at[other] < at[name] for other in graph.get(name, ()))


@given(GRAPHS)
def test_dependents_are_dependencies_the_other_way(graph: dict[str, list[str]]) -> None:
    """Every link is found from its other end, and no other is."""
    found = dependents(graph)

    assert {(a, b) for a, others in graph.items() for b in others} == {
        (b, a) for a, others in found.items() for b in others
    }


def test_a_big_manifest_is_asked_for_its_names_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The set of all names is made anew at each question: once for each stack would be quadratic."""
    asked = []

    def counted(manifest: Manifest) -> frozenset[str]:
        asked.append(manifest)
        return frozenset(manifest.stacks)

    monkeypatch.setattr(Manifest, "names", property(counted))
    broken_links(_manifest({"a": ["b"], "b": ["c"]}), {})

    assert len(asked) == 1
