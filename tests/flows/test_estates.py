"""Who owns what: listed now and then, and again when somebody wants it fresh."""

import pytest

from shared.core import names
from shared.core.owners import sketch
from shared.flows.estates import FRESH_S, Estates
from shared.state.records import Records
from tests.fakes.blobs import MemoryDocuments
from tests.fakes.system import FakeClock, Faults

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourcegroups/rg-shop"
STORE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s"


@pytest.fixture
def faults() -> Faults:
    """Offer a look at what is asked of storage."""
    return Faults()


@pytest.fixture
def documents(faults: Faults) -> MemoryDocuments:
    """Offer one stack that owns a store, and one that was never released."""
    documents = MemoryDocuments(faults=faults)
    release(documents, "web", STORE)
    documents.create(names.record("shop", "new"), b"", {"scope": GROUP})
    return documents


def release(documents: MemoryDocuments, stack: str, *owned: str) -> None:
    """Put the record of a stack that owns these resources."""
    facts = {"release": "1.1", "scope": GROUP, "owns": sketch(owned)}
    documents.create(names.record("shop", stack), b"", facts)


def test_the_estate_is_what_records_say(documents: MemoryDocuments) -> None:
    """Owners, and who answers for a group, from one listing; what was never released owns nothing."""
    clock = FakeClock()
    estate = Estates(Records(documents, clock), clock)()

    assert list(estate.facts) == [("shop", "web")]
    assert estate.owned_by(STORE.upper()) == (("shop", "web"),)
    assert estate.keeper(f"{GROUP}/providers/a/b/c") == ("shop", "web")


def test_a_listing_serves_inspections_for_a_while(
    documents: MemoryDocuments, faults: Faults
) -> None:
    """A hundred inspections in a row cost one listing; a scan, and time, make it new."""
    clock = FakeClock()
    estates = Estates(Records(documents, clock), clock)
    for _ in range(100):
        estates()
    once = faults.count("documents.list")
    release(documents, "api", f"{STORE}2")
    known = estates()
    scanned = estates(fresh=True)
    clock.jump(-3600)
    clock.advance(FRESH_S + 1)
    estates()

    assert once == 1
    assert len(known.facts) == 1
    assert len(scanned.facts) == 2
    assert faults.count("documents.list") == 3
