"""What a push became: the fold from records to the status that its author reads (rule 12)."""

from collections.abc import Mapping
from typing import Any

import pytest

from shared.core import record as changes
from shared.core import revision as revisions
from shared.core.record import Record, facts
from shared.core.revision import Revision, StackStatus, Standing, Status, Visit, answer
from tests.core.stacks import PROBLEM, T0, applied, failed, fresh, pushed, put, replace


def _revision(changed: Mapping[str, int], **more: Any) -> Revision:
    visit = Visit(seq=1, at=T0, changed=changed, **more)
    return Revision(repository="example", revision="a" * 40, visits=(visit,))


def _standing(record: Record | None) -> Standing | None:
    """Return what decides of a record, and that its listing tells the same."""
    if record is None:
        return None
    standing = revisions.standing_of(record)
    assert revisions.standing_in(facts(record)) == standing
    return standing


def _answer(
    revision: Revision, records: Mapping[str, Record], ended: revisions.Ended | None = None
) -> revisions.Answer:
    standings = {name: revisions.standing_of(record) for name, record in records.items()}
    return answer(revision, standings, ended or {}, records.get)


@pytest.mark.parametrize(
    ("record", "generation", "ended", "expected"),
    [
        (None, 1, None, "pending"),
        (fresh(), 1, None, "pending"),
        (put(fresh()), 1, None, "pending"),
        (applied(), 1, None, "deployed"),
        (failed(put(fresh())), 1, None, "failed"),
        (failed(put(fresh()), transient=True), 1, None, "pending"),
        (changes.stalled(fresh(), PROBLEM, T0), 1, None, "failed"),
        (pushed(applied(), "d2"), 1, None, "deployed"),
        (pushed(fresh(), "d2"), 1, None, "superseded"),
        (pushed(fresh(), "d2"), 1, "failed", "failed"),
        (pushed(put(fresh()), "d2"), 1, None, "pending"),
        (changes.succeeded(put(pushed(applied(), "d2")), T0, ()), 1, "deployed", "deployed"),
        (changes.settled(pushed(pushed(applied("d1"), "d2"), "d1"), T0), 3, None, "deployed"),
    ],
)
def test_a_stacks_part_in_a_revision(
    record: Record | None, generation: int, ended: StackStatus | None, expected: StackStatus
) -> None:
    """Each way in which a generation can stand has one word."""
    assert revisions.stack_status(_standing(record), generation, ended) == expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], "nothing"),
        (["deployed"], "deployed"),
        (["deployed", "superseded"], "superseded"),
        (["deployed", "failed", "superseded"], "failed"),
        (["deployed", "failed", "pending"], "pending"),
    ],
)
def test_the_worst_stack_gives_the_revisions_status(
    statuses: list[StackStatus], expected: Status
) -> None:
    """Failed over superseded over deployed over nothing; pending until all are final."""
    records: dict[str, Record] = {}
    ended: dict[tuple[str, int], StackStatus] = {}
    for n, status in enumerate(statuses):
        name = f"s{n}"
        records[name] = {
            "deployed": applied(),
            "failed": failed(put(fresh())),
            "superseded": pushed(fresh(), "d2"),
            "pending": fresh(),
        }[status]
    found = _answer(_revision(dict.fromkeys(records, 1)), records, ended)

    assert found.status == expected
    assert found.final == (expected != "pending")


def test_a_stack_that_did_not_compile_makes_the_revision_fail() -> None:
    """The author of a broken manifest entry is told, although nothing was deployed."""
    found = _answer(_revision({}, broken=("web",)), {}, {})

    assert (found.status, found.stacks) == ("failed", {"web": "failed"})


def test_an_unreadable_manifest_fails_without_naming_stacks() -> None:
    """Nothing is known about the stacks, but the revision is not good."""
    assert _answer(_revision({}, unreadable=True), {}, {}).status == "failed"


def test_a_revision_that_was_pushed_over_names_its_successor() -> None:
    """A push that was never looked at is superseded, by the tip of that moment."""
    found = _answer(_revision({}, superseded_by="b" * 40), {}, {})

    assert (found.status, found.final, found.by) == ("superseded", True, "b" * 40)


def test_a_revision_nobody_looked_at_yet_is_pending() -> None:
    """An accepted push is known at once."""
    found = _answer(Revision(repository="example", revision="a" * 40), {}, {})

    assert (found.status, found.final) == ("pending", False)


def test_a_sync_that_is_done_again_says_the_same() -> None:
    """A visit of the same seq stays, another one is added, and the last one counts."""
    first = _revision({"web": 1})
    first = revisions.settle(first, _answer(first, {"web": applied()}), T0)
    again = revisions.visited(first, Visit(seq=1, at=T0, changed={"web": 1}))
    later = revisions.visited(again, Visit(seq=5, at=T0))

    assert again == first
    assert _answer(later, {"web": replace(fresh(), generation=1)}, {}).status == "nothing"


@pytest.mark.parametrize(
    ("standing", "ended", "expected"),
    [
        (Standing(generation=2, applied=2, raised=(1, 2)), None, "deployed"),
        (Standing(generation=2, applied=2, raised=(1, 2)), "deployed", "deployed"),
        (Standing(generation=2, applied=2, raised=(1, 2)), "failed", "failed"),
        (Standing(generation=2, running=2, raised=(1, 2)), "failed", "pending"),
        (Standing(generation=2, raised=(1, 2)), "failed", "pending"),
        (Standing(generation=3, applied=3, raised=(1, 2)), "failed", "failed"),
        (Standing(generation=3, applied=3, raised=(1, 2)), None, "superseded"),
    ],
)
def test_a_raised_generation_answers_for_the_one_before_unless_that_failed(
    standing: Standing, ended: StackStatus | None, expected: StackStatus
) -> None:
    """The fresh record's next generation may be another content; what failed may run once more."""
    assert revisions.stack_status(standing, 1, ended) == expected
