"""What inspections keep: one document for each stack, rules for each repository, and coverage."""

from datetime import timedelta
from typing import Any

import pytest

from shared.core import names
from shared.core.drift import noise
from shared.core.drift.model import Coverage, Coverages, Drift, Rules
from shared.core.errors import Stalled, Transient
from shared.ports import ChangedError
from shared.state.drifts import Drifts
from tests.fakes.blobs import MemoryDocuments
from tests.fakes.system import START, Faults

WEB = Drift(repository="shop", stack="web", state="none")
DRIFTED = Drift(repository="shop", stack="web", state="drifted", checked_at=START)
FINDING = noise.found("a/b", "properties.a", noise.MOVES, START)


@pytest.fixture
def faults() -> Faults:
    """Offer faults of storage."""
    return Faults()


@pytest.fixture
def documents(faults: Faults) -> MemoryDocuments:
    """Offer an empty container."""
    return MemoryDocuments(faults=faults)


@pytest.fixture
def drifts(documents: MemoryDocuments) -> Drifts:
    """Offer the documents of drift."""
    return Drifts(documents)


def test_a_document_is_written_over_exactly_what_was_read(drifts: Drifts) -> None:
    """Of two inspections that looked at once the second is told that it lost, and loses nothing."""
    assert drifts.read("shop", "web") is None
    held = drifts.write(None, WEB)
    assert held is not None
    late = drifts.write(None, DRIFTED)
    again = drifts.write(held, DRIFTED)
    stale = drifts.write(held, Drift(repository="shop", stack="web", state="incomplete"))
    found = drifts.read("shop", "web")

    assert (late, stale) == (None, None)
    assert again is not None
    assert found is not None
    assert found.document == DRIFTED


def test_what_has_not_changed_is_not_written(drifts: Drifts, faults: Faults) -> None:
    """A quiet stack costs no write."""
    held = drifts.write(None, WEB)
    before = faults.count("documents.replace")

    assert drifts.write(held, WEB) == held
    assert faults.count("documents.replace") == before


def test_facts_are_listed_by_stack(drifts: Drifts, documents: MemoryDocuments) -> None:
    """Of all stacks at once, or of one whose name begins like another's; other names are passed over."""
    drifts.write(None, DRIFTED)
    drifts.write(None, Drift(repository="shop", stack="web-2", state="none"))
    documents.create("drift/odd.txt", b"", {})
    documents.create("drift/no-stack.json", b"", {})
    listed = drifts.listed()

    assert {key: facts["state"] for key, facts in listed.items()} == {
        ("shop", "web"): "drifted",
        ("shop", "web-2"): "none",
    }
    assert drifts.facts("shop", "web") == listed["shop", "web"]
    assert drifts.facts("shop", "we") == {}


def test_a_document_that_cannot_be_read_is_kept_aside(
    drifts: Drifts, documents: MemoryDocuments
) -> None:
    """It is told, and made anew only when somebody says so, with its bytes kept."""
    documents.create(names.drift("shop", "web"), b"{", {})
    kept: list[tuple[str, bytes]] = []
    with pytest.raises(Stalled, match="cannot be read"):
        drifts.read("shop", "web")
    drifts.discard("shop", "web", lambda name, data: kept.append((name, data)))
    found = drifts.read("shop", "web")

    assert kept == [(names.drift("shop", "web"), b"{")]
    assert found is not None
    assert found.document == Drift(repository="shop", stack="web")


def test_a_document_that_can_be_read_is_not_discarded(drifts: Drifts) -> None:
    """Whoever was faster has mended it."""
    drifts.write(None, DRIFTED)
    drifts.discard("shop", "web", lambda *_: pytest.fail("nothing is to be kept"))
    found = drifts.read("shop", "web")

    assert found is not None
    assert found.document == DRIFTED


def test_rules_are_learned_over_and_over(drifts: Drifts) -> None:
    """Each look adds what it has seen; a repository knows its own rules only."""
    assert drifts.rules("shop") == ()
    for _ in range(3):
        drifts.learn("shop", [FINDING])

    assert [rule.seen for rule in drifts.rules("shop")] == [3]
    assert drifts.rules("other") == ()


def test_rules_that_many_learn_at_once_are_all_kept(drifts: Drifts, faults: Faults) -> None:
    """Who loses a compare-and-swap adds to what the winner wrote; who always loses, says so."""
    drifts.learn("shop", [FINDING])
    faults.fail("documents.replace", lambda: ChangedError(names.noise("shop")), times=3)
    drifts.learn("shop", [FINDING])
    faults.fail("documents.replace", lambda: ChangedError(names.noise("shop")), times=99)

    assert [rule.seen for rule in drifts.rules("shop")] == [2]
    with pytest.raises(Transient):
        drifts.learn("shop", [FINDING])


def test_rules_that_cannot_be_read_are_kept_aside(
    drifts: Drifts, documents: MemoryDocuments
) -> None:
    """They are learned again: no stack of the repository goes without its look."""
    documents.create(names.noise("shop"), b"[]", {})
    kept: list[str] = []
    with pytest.raises(Stalled, match="cannot be read"):
        drifts.rules("shop")
    drifts.discard_rules("shop", lambda name, _: kept.append(name))

    assert kept == [names.noise("shop")]
    assert drifts.rules("shop") == ()


@pytest.mark.parametrize("stored", [None, b"{", b'{"scopes": 5}'])
def test_coverage_is_what_the_last_scan_saw(
    drifts: Drifts, documents: MemoryDocuments, stored: bytes | None
) -> None:
    """It is made anew by each scan: one that cannot be read stops none."""
    if stored is not None:
        documents.create(names.COVERAGE, stored, {})
    scope = Coverage(scope="/g", in_stacks=1, in_none=2)
    assert drifts.coverage() == Coverages()
    for at in (START, START + timedelta(minutes=5)):
        drifts.put_coverage(Coverages(at=at, scopes=(scope,)))

    assert drifts.coverage() == Coverages(at=START + timedelta(minutes=5), scopes=(scope,))


@pytest.mark.parametrize("kind", [Drift, Rules, Coverages])
def test_every_document_has_a_version(kind: Any) -> None:
    """So that a newer one can be told (I31)."""
    assert "schema_version" in kind.__struct_fields__
