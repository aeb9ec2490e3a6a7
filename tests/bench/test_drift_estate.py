"""The labelled estate of bench/drift: its labels are true, its noise is on, its file can be read back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.drift import edits, model, plain, run, truth
from bench.drift.azure import Azure, asked, deploy, deployments
from bench.drift.estate import generate
from bench.drift.model import Estate, WrongEstateError
from local.arm.knobs import Knobs
from local.arm.noise import NAMES
from local.arm.server import Settings, start

SEED, STACKS, SHARE = 6, 5, 0.6
EXAMPLE = Path(__file__).parents[2] / "bench" / "drift" / "example.json"


@pytest.fixture(scope="module")
def estate() -> Estate:
    """Make an estate that is small and has all sorts of edits."""
    return generate(SEED, STACKS, share=SHARE)


@pytest.fixture
def azure() -> Iterator[Azure]:
    """Start a simulator in memory."""
    with (
        start(Settings(knobs=Knobs(retry_after=0.02))) as address,
        closing(Azure(msgspec.to_builtins(address))) as azure,
    ):
        yield azure


def test_the_same_seed_makes_the_same_estate(estate: Estate) -> None:
    """Figures can be had again, and another seed gives another estate."""
    again = generate(SEED, STACKS, share=SHARE)
    other = generate(SEED + 1, STACKS, share=SHARE)

    assert again == estate
    assert other != estate


def test_an_estate_has_the_size_that_is_asked_for() -> None:
    """So many stacks of so many resources, a twentieth of them edited, no two in one family."""
    estate = generate(1, 20)

    assert len(estate.stacks) == 20
    assert {len(model.declared(stack.template)) for stack in estate.stacks} == {10}
    assert len(estate.edits) == 10
    assert len({edits.family(label.resource) for label in estate.labels}) == 10


def test_a_larger_estate_has_all_sorts_of_edits_at_all_moments() -> None:
    """Each sort has its turn, what no GET shows is said to be so, and some come early."""
    estate = generate(2, 40, share=0.3)
    hidden = [label for label in estate.labels if label.hidden]

    assert {label.sort for label in estate.labels} >= set(edits.SORTS)
    assert {edit.when for edit in estate.edits} == {"early", "touch", "late"}
    assert 0 < len(hidden) <= len(estate.labels) / 20


def test_each_label_is_true_and_shows_in_spite_of_the_noise(azure: Azure, estate: Estate) -> None:
    """After the edits GET differs at every label, with noise off and with noise on."""
    stacks = truth.edited(estate)
    run.prepare(azure, estate)
    deploy(azure, estate)
    noisy, clean = truth.look(azure, estate, stacks), run.look(azure, estate)
    for when in ("early", "touch", "late"):
        run.edit(azure, estate, when)
    noisy_now, clean_now = truth.look(azure, estate, stacks), run.look(azure, estate)

    for before, after in ((clean, clean_now), (noisy, noisy_now)):
        found = truth.between(before, after)
        assert truth.unseen(found, estate.labels, azure.subscription) == []


def test_without_edits_nothing_is_different(azure: Azure, estate: Estate) -> None:
    """So whatever is called drift then is a false alarm."""
    run.prepare(azure, estate)
    deploy(azure, estate)
    found = truth.between(run.look(azure, estate), run.look(azure, estate))

    assert (found.modified, found.gone, found.new) == ({}, frozenset(), frozenset())


def test_every_class_of_noise_shows_itself(azure: Azure, estate: Estate) -> None:
    """In a GET, in a what-if, or in what a what-if leaves out; N23 is an edit."""
    run.prepare(azure, estate)
    deploy(azure, estate)
    seen = {"N23"} if any(o.sort == edits.LOOKALIKE for o in estate.labels) else set()
    seen |= _told(azure, estate)
    for when in ("early", "touch", "late"):
        run.edit(azure, estate, when)
    seen |= _told(azure, estate)
    seen |= _unasked(azure, estate)

    assert seen == NAMES


def _told(azure: Azure, estate: Estate) -> set[str]:
    """Return the classes that a what-if of each stack shows."""
    with deployments(azure) as client:
        results = [
            client.deployments.begin_what_if(one.group, one.name, asked(azure, one)).result()
            for one in estate.stacks
        ]
    return {name for result in results for name in _classes(azure, result)}


def _classes(azure: Azure, result: Any) -> set[str]:
    if result.status != "Succeeded":
        return {"N17"}
    correlation = result.properties["correlationId"]
    labels = azure.control("GET", f"/noise?correlationId={correlation}")["value"]
    skipped = {"N10"} if result.properties["diagnostics"] else set()
    return {one["class"] for one in labels} | skipped


def _unasked(azure: Azure, estate: Estate) -> set[str]:
    """Return N21 if something exists that nobody declared and no what-if speaks of."""
    listed = [one for stack in estate.stacks for one in azure.listed(stack.group)]
    silent = next(kind for kind, on in estate.noise.items() if "N21" in on)
    return {"N21"} if any(silent.lower() in one.lower() for one in listed) else set()


def test_a_plain_what_if_cries_wolf(azure: Azure, estate: Estate) -> None:
    """The comparison is worth something: without a baseline nearly all that is told is noise."""
    run.prepare(azure, estate)
    deploy(azure, estate)
    told = plain.ask(azure, estate)

    assert len(told.items) > estate.resources
    assert told.incomplete == 3
    assert told.counts.throttled == 0


def test_what_is_written_can_be_read_back(estate: Estate, tmp_path: Path) -> None:
    """``--write`` and ``--from`` speak of the same thing."""
    model.write(estate, tmp_path / "estate.json")

    assert model.read(tmp_path / "estate.json") == estate


def test_the_example_file_is_an_estate_whose_labels_are_true(azure: Azure) -> None:
    """Whoever copies it begins with something that runs."""
    estate = model.read(EXAMPLE)
    run.prepare(azure, estate)
    deploy(azure, estate)
    before = run.look(azure, estate)
    for when in ("early", "touch", "late"):
        run.edit(azure, estate, when)

    found, labels = run.known(azure, estate, before)

    assert labels == estate.labels
    assert len(found.modified) == 2
    assert (len(found.gone), len(found.new)) == (1, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "truncated"),
        ('{"stacks": [], "colour": 1}', "colour"),
        ('{"stacks": [], "edits": [{"id": "e", "resource": "r"}]}', "exactly one of"),
        ('{"stacks": [], "edits": [{"id": "e", "resource": "r", "put": {}}]}', "api_version"),
        (
            '{"stacks": [], "labels": [{"edit": "e", "stack": "s", "resource": "r", "kind": "deleted"}]}',
            "the edit 'e'",
        ),
    ],
)
def test_a_file_that_is_no_estate_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """With its name and what is wrong, before anything is started."""
    file = tmp_path / "estate.json"
    file.write_text(text)

    with pytest.raises(WrongEstateError, match=said) as refused:
        model.read(file)
    assert str(file) in str(refused.value)
