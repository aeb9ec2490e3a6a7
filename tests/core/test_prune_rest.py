"""When a repository is at rest: nothing is deleted before (rule 15)."""

from datetime import UTC, datetime

import msgspec
import pytest

from shared.core.prune import rest
from shared.core.record import Applied, Attempt, Record, facts, wish
from shared.core.tip import Entry, Tip, Visit, wishes

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-web"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def _applied(release: str, **follows: str) -> Applied:
    return Applied(
        release=release,
        generation=1,
        revision="a" * 40,
        digest="b" * 64,
        inputs="c" * 64,
        at=AT,
        follows=follows,
    )


def _repository() -> tuple[Tip, dict[str, Record]]:
    """Return a tip with net and web, which depends on it, and their records, at rest."""
    entries = {
        name: Entry(
            spec="s",
            files={},
            digest="b" * 64,
            changed_by="a" * 40,
            scope=GROUP,
            waits_for=("net",) if name == "web" else (),
        )
        for name in ("net", "web")
    }
    tip = Tip(
        repository="example",
        revision="a" * 40,
        sync_seq=1,
        entries=entries,
        visit=Visit(revision="a" * 40, seq=1),
    )
    records = {}
    for name, wanted in wishes(tip, 1).items():
        applied = _applied("1.1", **({"net": "1.1"} if name == "web" else {}))
        blank = Record(repository="example", stack=name)
        records[name] = msgspec.structs.replace(
            wish(blank, wanted, AT), applied=applied, phase="steady", judged=1
        )
    return tip, records


def _attempt(**more: object) -> Attempt:
    fields = {"release": "2.1", "generation": 2, "revision": "a" * 40, "digest": "b" * 64, **more}
    return Attempt(inputs="c" * 64, at=AT, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tip", "net", "web"),
    [
        ({"dirty": True}, {}, {}),
        ({"busy_until": AT}, {}, {}),
        ({"forced": True}, {}, {}),
        ({"broken": {"api": ()}}, {}, {}),
        ({"visit": Visit(revision="a" * 40, seq=1, unreadable=True)}, {}, {}),
        ({"visit": None}, {}, {}),
        ({}, {"phase": "failed"}, {}),
        ({}, {"phase": "pending"}, {}),
        ({}, {"phase": "releasing", "attempted": _attempt()}, {}),
        ({}, {"generation": 2, "judged": 2}, {}),
        ({}, {"owed": ("dependents",)}, {}),
        ({}, {"shown": "older"}, {}),
        ({}, {}, {"applied": None}),
        ({}, {"applied": _applied("1.2")}, {}),
        ({}, {}, {"orphaned": True}),
    ],
)  # fmt: skip
def test_what_keeps_a_repository_from_rest(
    tip: dict[str, object], net: dict[str, object], web: dict[str, object]
) -> None:
    """Anything on its way, failed, unread, or not followed yet by those that depend on it."""
    at_rest, records = _repository()
    changed = msgspec.structs.replace(at_rest, **tip)
    told = {name: facts(one) for name, one in records.items()}
    after = told | {
        "net": facts(msgspec.structs.replace(records["net"], **net)),
        "web": facts(msgspec.structs.replace(records["web"], **web)),
    }

    assert rest.unrest(at_rest, told) is None
    assert rest.unrest(changed, after) is not None


def test_what_left_the_manifest_keeps_nobody_from_rest_once_it_has_ended() -> None:
    """An orphan that failed is nobody's last wave; one that runs may still change something."""
    tip, records = _repository()
    told = {name: facts(one) for name, one in records.items()}
    orphan = Record(repository="example", stack="old", orphaned=True, phase="failed")
    running = msgspec.structs.replace(orphan, phase="releasing", attempted=_attempt())

    assert rest.unrest(tip, {**told, "old": facts(orphan)}) is None
    assert rest.unrest(tip, {**told, "old": facts(running)}) is not None
