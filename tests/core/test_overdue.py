"""What the sweep starts, from facts in listings alone."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from shared.core import names
from shared.core import record as changes
from shared.core.overdue import Errand, repository_errand, stack_errands
from shared.core.record import Record
from shared.core.tip import Entry, Tip, wishes
from tests.core.stacks import SCOPE, T0, applied, fresh, put, replace

Item = tuple[str, Mapping[str, str]]


def _listed(record: Record, stack: str = "network") -> Item:
    return names.record("example", stack), changes.facts(record)


def test_only_what_is_due_is_started() -> None:
    """A quiet stack costs nothing but its line in a listing."""
    due, later = _listed(fresh(), "a"), _listed(applied(), "b")

    assert stack_errands([due, later], T0, 9) == [Errand("release", "example", "a")]


def test_a_running_release_is_watched_and_a_debt_is_called_in() -> None:
    """The phase tells whom to send; an owed snapshot is asked for with it."""
    late = T0 + timedelta(hours=2)

    found = stack_errands([_listed(put(fresh()), "a"), _listed(applied(), "b")], late, 9)

    assert set(found) == {
        Errand("watch", "example", "a"),
        Errand("release", "example", "b"),
        Errand("snapshot", "example", "b"),
    }


def test_a_stack_in_somebodys_hands_is_left_alone() -> None:
    """Until the hold has run out, its holder is believed to be alive."""
    taken = replace(fresh(), busy_until=T0 + timedelta(seconds=1))

    assert stack_errands([_listed(taken)], T0, 9) == []
    assert stack_errands([_listed(taken)], T0 + timedelta(seconds=2), 9) != []


def test_the_most_overdue_goes_first() -> None:
    """When there is more than can be sent, nobody waits for ever."""
    items = [_listed(replace(fresh(), due_at=T0 - timedelta(seconds=n)), f"s{n}") for n in range(5)]

    found = stack_errands(items, T0, 2)

    assert [errand.stack for errand in found] == ["s4", "s3"]


def test_facts_that_cannot_be_read_do_not_stop_the_sweep() -> None:
    """A record whose metadata was damaged is skipped, and the others go on."""
    broken = (names.record("example", "a"), {"due_at": "yesterday"})
    strange = ("stacks/example.a/holds.json", {"due_at": "2000-01-01T00:00:00+00:00"})

    assert stack_errands([broken, strange, _listed(fresh(), "b")], T0, 9) == [
        Errand("release", "example", "b")
    ]


def _tip(**changed: object) -> Tip:
    entry = Entry(spec="s", files={}, digest="d1", changed_by="r1", scope=SCOPE)
    tip = Tip(repository="example", sync_seq=1, entries={"network": entry}, due_at=T0)
    return msgspec.structs.replace(tip, **changed)


def _copied(tip: Tip) -> list[Item]:
    records = {
        name: changes.wish(Record(repository="example", stack=name), wanted, T0)
        for name, wanted in wishes(tip, tip.sync_seq).items()
    }
    return [_listed(record, name) for name, record in records.items()]


def test_a_repository_is_asked_when_its_time_has_come() -> None:
    """A push whose webhook was lost is found by asking."""
    tip = _tip()

    assert repository_errand("example", tip, _copied(tip), T0) == Errand("sync", "example")
    assert repository_errand("example", tip, _copied(tip), T0 - timedelta(seconds=1)) is None


def test_a_repository_nobody_has_looked_at_is_asked() -> None:
    """A repository that was just added to the configuration is synced."""
    assert repository_errand("example", None, [], T0) == Errand("sync", "example")


def test_a_repository_in_somebodys_hands_is_left_alone() -> None:
    """A sync under way is not disturbed."""
    tip = _tip(busy_until=T0 + timedelta(seconds=1))

    assert repository_errand("example", tip, [], T0) is None


def test_entries_that_were_not_copied_are_found() -> None:
    """A sync that died between the tip and the records is finished by the next one."""
    tip = _tip(due_at=T0 + timedelta(minutes=1))
    other = _tip(due_at=T0, entries={})

    assert repository_errand("example", tip, _copied(tip), T0) is None
    assert repository_errand("example", tip, _copied(other), T0) == Errand("sync", "example")


def test_a_stack_that_left_and_was_not_marked_is_found() -> None:
    """Orphans are marked even when the sync that saw them leave has died."""
    tip = _tip(due_at=T0 + timedelta(minutes=1))
    left = msgspec.structs.replace(tip, entries={}, gone=("network",))

    assert repository_errand("example", left, _copied(tip), T0) == Errand("sync", "example")
