"""The files that say where noise is: readable, and about types and classes that there are."""

from __future__ import annotations

from local.arm import knowledge
from local.arm.knobs import Knobs
from local.arm.noise import CLASSES, NAMES, leaks, reach, seen_in

KNOWN = knowledge.load()
CATALOGUE = 15


def test_there_are_23_classes_each_with_its_evidence() -> None:
    """Numbered without a gap, and every one says what it is and who saw it."""
    assert [one.number for one in CLASSES] == list(range(1, 24))
    assert all(one.about and one.evidence for one in CLASSES)
    assert {one.name for one in CLASSES} == NAMES


def test_what_is_written_down_names_classes() -> None:
    """A spelling mistake would otherwise be silent; paths are checked when the files are read."""
    for provider in KNOWN.providers.values():
        for kind, known in provider.types.items():
            assert set(known.leaks) <= NAMES, kind


def test_the_published_table_is_about_known_types() -> None:
    """More than sixty types, more than a thousand paths."""
    table = leaks._table()
    count = sum(len([*one.readOnly, *one.defaults, *one.unknown]) for one in table.values())

    assert all(KNOWN.spell(kind).lower() == kind for kind in table)
    assert len(table) > 60
    assert count > 1000
    assert leaks.reported("microsoft.storage/StorageAccounts").defaults["kind"] == "Storage"


def test_classes_say_how_far_they_reach() -> None:
    """Most can show on every type; children and companions only where there are some."""
    assert reach(KNOWN, "N5") == ["*"]
    assert "Microsoft.Network/virtualNetworks" in reach(KNOWN, "N8")
    assert "Microsoft.Insights/components" in reach(KNOWN, "N12")
    assert len(seen_in(KNOWN, "N1")) >= CATALOGUE


def test_knobs_give_the_classes_of_a_type() -> None:
    """By full type in any case, and those of every type besides."""
    knobs = Knobs(noise={"*": ["N1"], "microsoft.storage/STORAGEACCOUNTS": ["n3", "N20"]})

    assert knobs.noise_for("Microsoft.Storage/storageAccounts") == {"N1", "N3", "N20"}
    assert knobs.noise_for("Microsoft.Web/sites") == {"N1"}
    assert Knobs().noise_for("Microsoft.Web/sites") == set()
