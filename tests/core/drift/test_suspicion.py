"""Who might have drifted: nobody while all is quiet, and each for one reason, the most urgent first."""

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import names
from shared.core.arm_model import Sighting
from shared.core.document import to_text
from shared.core.drift import suspicion
from shared.core.drift.evidence import SLACK
from shared.core.drift.suspicion import MOST_AT_ONCE, Estate, Heard, Periods, Suspect
from shared.core.owners import sketch
from tests.core.drift.cases import GROUP, NOW, STORE, STORE_TYPE, SUB, SUBNET, VNET, write

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PERIODS = Periods(confirm=10 * MINUTE, full=24 * HOUR, children=6 * HOUR)
WEB = ("shop", "web")
RELEASED = NOW - 2 * HOUR


def facts(*owned: str, **more: str) -> dict[str, str]:
    """Return the facts of a stack's record."""
    return {
        "release": "1.1",
        "scope": GROUP.lower(),
        "owns": sketch(owned),
        "applied_at": to_text(RELEASED),
        **more,
    }


def listed(*stacks: tuple[str, Mapping[str, str]]) -> Estate:
    """Return the estate of these stacks of one repository."""
    return suspicion.estate((names.record("shop", name), found) for name, found in stacks)


def sighting(resource: str = STORE, at: datetime = RELEASED) -> Sighting:
    """Return a resource in a listing."""
    return Sighting(resource, STORE_TYPE, changed_at=at)


ONE = listed(("web", facts(STORE)))
KNOWN = {
    "release": "1.1",
    "seen": suspicion.seen([sighting()]),
    "events": to_text(NOW - MINUTE),
    "confirmed": "1",
    "full_at": to_text(NOW - HOUR),
    "checked_at": to_text(NOW - HOUR),
}
QUIET = Heard(known={WEB: KNOWN}, listing={WEB: [sighting()]}, news={})


def heard(**more: str) -> Heard:
    """Return what is heard of a quiet stack with other facts of its drift; an empty one is not there."""
    known = {key: value for key, value in {**KNOWN, **more}.items() if value}
    return replace(QUIET, known={WEB: known})


def reason(what: Heard, estate: Estate = ONE) -> str | None:
    """Return why the stack is suspected."""
    found = suspicion.suspects(estate, what, NOW, PERIODS)
    return found[0].reason if found else None


def released(ago: timedelta, **more: str) -> Estate:
    """Return the stack with another release than was looked at."""
    return listed(("web", facts(STORE, release="2.1", applied_at=to_text(NOW - ago), **more)))


@pytest.mark.parametrize(
    ("what", "estate", "expected"),
    [
        (QUIET, ONE, None),
        (replace(QUIET, listing={WEB: [sighting(at=NOW)]}), ONE, "touched"),
        (replace(QUIET, listing={WEB: []}), ONE, "touched"),
        (replace(QUIET, listing={WEB: [sighting(), sighting(VNET)]}), ONE, "touched"),
        (replace(QUIET, news={WEB: NOW}), ONE, "written"),
        (replace(QUIET, news={WEB: NOW - MINUTE}), ONE, None),
        (replace(heard(events=""), news={WEB: NOW - HOUR}), ONE, "written"),
        (heard(confirmed=""), ONE, "confirm"),
        (heard(full_at=to_text(NOW - 24 * HOUR)), ONE, "full"),
        (heard(full_at=""), ONE, "full"),
        (heard(full_at="yesterday"), ONE, "full"),
        (heard(full_at=to_text(NOW - 7 * HOUR)), ONE, None),
        (heard(again_at=to_text(NOW)), ONE, "full"),
        (heard(heal_at=to_text(NOW), checked_at=to_text(NOW - MINUTE)), ONE, "heal"),
        (heard(heal_at=to_text(NOW), checked_at=to_text(NOW)), ONE, None),
        (heard(heal_at=to_text(NOW + MINUTE)), ONE, None),
        (heard(again_at=to_text(NOW + MINUTE)), ONE, None),
        (
            replace(heard(full_at=to_text(NOW - 7 * HOUR)), without_log={SUB}),
            ONE,
            "full",
        ),
        (heard(due_at=to_text(NOW)), ONE, "due"),
        (replace(heard(due_at=to_text(NOW + MINUTE)), news={WEB: NOW}), ONE, None),
        (replace(QUIET, known={}), ONE, "confirm"),
        (QUIET, released(MINUTE), None),
        (heard(items="3"), released(MINUTE), "released"),
        (QUIET, released(11 * MINUTE), "confirm"),
        (
            replace(QUIET, listing={WEB: [sighting(at=NOW - MINUTE + SLACK)]}),
            released(MINUTE),
            None,
        ),
        (
            replace(QUIET, listing={WEB: [sighting(at=NOW - MINUTE + 2 * SLACK)]}),
            released(MINUTE),
            "touched",
        ),
        (replace(QUIET, news={WEB: NOW}), released(MINUTE), "written"),
        (replace(QUIET, news={WEB: NOW - HOUR}), released(MINUTE), None),
        (replace(QUIET, listing={WEB: []}), listed(("web", facts(STORE, running="1"))), None),
        (replace(QUIET, listing={}, news={WEB: NOW}), ONE, None),
    ],
)
def test_why_a_stack_is_suspected(what: Heard, estate: Estate, expected: str | None) -> None:
    """Quiet: nobody; and what runs, waits for its look, or could not be listed is left alone."""
    assert reason(what, estate) == expected


def test_the_most_urgent_are_first_and_the_crowd_has_its_turn_later() -> None:
    """By reason, then who was looked at longest ago; so that nobody is passed over for ever."""
    count = MOST_AT_ONCE + 50
    stacks = [(f"s{n:03}", facts(f"{STORE}{n}")) for n in range(count)]
    estate = listed(*stacks)
    known = {
        ("shop", name): {**KNOWN, "seen": "", "checked_at": to_text(NOW - n * MINUTE)}
        for n, (name, _) in enumerate(stacks)
    }
    known["shop", "s000"] = {**KNOWN, "due_at": to_text(NOW)}
    listing = {identity: [sighting()] for identity in known}
    found = suspicion.suspects(estate, Heard(known, listing, {}), NOW, PERIODS)

    assert len(found) == MOST_AT_ONCE
    assert found[0] == Suspect(("shop", "s000"), "due")
    assert [one.identity[1] for one in found[1:4]] == [f"s{count - n:03}" for n in (1, 2, 3)]


def test_a_thousand_quiet_stacks_are_nobody_within_a_second() -> None:
    """Ten thousand resources, and each stack as it was when it was looked at."""
    mine = {f"s{n}": [f"{STORE}-{n}-{m}" for m in range(10)] for n in range(1_000)}
    started = time.process_time()
    estate = listed(*((name, facts(*ids)) for name, ids in mine.items()))
    listing = suspicion.shares((sighting(one) for ids in mine.values() for one in ids), estate)
    known = {
        identity: {**KNOWN, "seen": suspicion.seen(share)} for identity, share in listing.items()
    }
    found = suspicion.suspects(estate, Heard(known, listing, {}), NOW, PERIODS)

    assert found == ()
    assert time.process_time() - started < 5


SIGHTINGS = st.lists(
    st.builds(
        sighting,
        st.sampled_from([STORE, STORE.upper(), VNET, "odd"]),
        st.sampled_from([NOW, RELEASED]) | st.none(),
    ),
    max_size=5,
)


@given(SIGHTINGS)
def test_what_is_seen_has_no_order(found: list[Sighting]) -> None:
    """Pages come as they come; each resource, and each time of a change, counts."""
    told = suspicion.seen(found)

    assert suspicion.seen(reversed(found)) == told
    assert suspicion.seen([*found, sighting("new")]) != told
    assert not found or suspicion.seen(found[1:]) != told


def test_who_owns_what_and_who_answers_for_the_rest() -> None:
    """Owners look at what is theirs, the first stack of a group at what is nobody's, others at nothing."""
    estate = listed(
        ("web", facts(STORE)),
        ("api", facts(VNET)),
        ("far", facts(f"{GROUP}2/x", scope=f"{GROUP}2".lower())),
        ("new", {"scope": GROUP.lower()}),
    )
    stranger, lost = f"{GROUP}/providers/a/b/c", "/subscriptions/s/resourceGroups/g/providers/a/b/c"
    found = suspicion.shares(map(sighting, [STORE, VNET.upper(), stranger, lost, "odd"]), estate)
    mine = {name: [one.id for one in share] for (_, name), share in found.items()}

    assert mine == {"web": [STORE], "api": [VNET.upper(), stranger], "far": []}
    assert estate.keeper(STORE) == ("shop", "api")
    assert estate.keeper("odd") is None


def test_marks_that_collide_tell_one_too_many_at_most() -> None:
    """Who shares four bytes is looked at beside the owner; the owner is never left out."""
    estate = listed(("web", facts(STORE)), ("api", facts(STORE, VNET)))
    found = suspicion.shares([sighting()], estate)

    assert set(estate.owned_by(STORE)) == {WEB, ("shop", "api")}
    assert all(share == [sighting()] for share in found.values())


@pytest.mark.parametrize(
    ("resource", "names_of"),
    [
        (STORE, ["web"]),
        (STORE.upper(), ["web"]),
        (f"{STORE}/blobServices/default", ["web"]),
        (f"{STORE}/providers/Microsoft.Authorization/locks/l", ["web"]),
        (f"{STORE}/providers/Microsoft.Authorization/locks/l".upper(), ["web"]),
        (SUBNET, ["api"]),
        (f"{SUBNET}/a/b/c/d", ["api"]),
        (f"{GROUP}/providers/a/b/c", ["api"]),
        (GROUP, ["api"]),
        (GROUP.upper(), ["api"]),
        (f"/subscriptions/{SUB}", []),
        ("", []),
        ("/", []),
        ("////////////////", []),
        ("/providers" * 50, []),
    ],
)
def test_whom_a_write_concerns(resource: str, names_of: list[str]) -> None:
    """The owner of it, or of what it is in, or who answers for its group; odd ids nobody."""
    estate = listed(("web", facts(STORE)), ("api", facts(SUBNET)))

    assert [name for _, name in suspicion.concerned(resource, estate)] == names_of


def test_what_is_done_to_a_group_concerns_who_made_it() -> None:
    """No listing shows groups: whose template has one hears of it from the log, beside who is in it."""
    estate = listed(("ground", facts(GROUP, scope=f"/subscriptions/{SUB}")), ("web", facts(STORE)))
    found = [suspicion.concerned(one, estate) for one in (GROUP.upper(), GROUP, STORE)]
    assert found == [(("shop", "ground"), WEB), (("shop", "ground"), WEB), (WEB,)]


@given(st.text(max_size=60) | st.text(alphabet="/providers.A", max_size=200))
def test_no_id_breaks_or_stalls_a_scan(resource: str) -> None:
    """Other people write into listings and logs."""
    suspicion.concerned(resource, ONE)
    suspicion.group_of(resource)
    suspicion.shares([sighting(resource)], ONE)


def test_the_newest_entry_of_the_log_counts() -> None:
    """By when the log had it, whoever it is of."""
    writes = [write(seen_at=NOW), write(seen_at=NOW - HOUR), write("odd", seen_at=NOW)]

    assert suspicion.written(writes, ONE) == {WEB: NOW}


def test_full_looks_are_spread() -> None:
    """Never later than the period, up to a tenth sooner, each stack always at its own time."""
    found = [
        suspicion.period_of(("shop", f"s{n}"), PERIODS, blind=False) / PERIODS.full
        for n in range(500)
    ]

    assert all(0.9 <= one <= 1.0 for one in found)
    assert len({round(one, 2) for one in found}) > 9
    assert suspicion.period_of(WEB, PERIODS, blind=True) <= PERIODS.children
    assert suspicion.period_of(WEB, PERIODS, blind=True) == suspicion.period_of(
        WEB, PERIODS, blind=True
    )


@pytest.mark.parametrize("text", [None, "", "never", "2026-99-01T00:00:00+00:00", "\u00b2"])
def test_an_unreadable_moment_is_none(text: str | None) -> None:
    """A fact that another version wrote stops no scan."""
    assert suspicion.moment(text) is None


def test_our_own_deployments_are_known_by_any_spelling() -> None:
    """Of all stacks, also of those without a good release, and of facts that have none."""
    estate = listed(
        ("web", {"correlations": "A-1,b-2,"}),
        ("api", {}),
        ("db", {"release": "1.1", "correlations": "c-3"}),
        ("log", {"correlations": ""}),
    )

    assert estate.ours == {"a-1", "b-2", "c-3"}


@pytest.mark.parametrize(
    ("scope", "running", "may_be"),
    [
        (GROUP.lower(), "1", True),
        (GROUP.lower(), "", False),
        (f"/subscriptions/{SUB}", "1", True),
        (f"{GROUP.lower()}-2", "1", False),
        ("", "1", False),
    ],
)
def test_what_a_release_that_runs_may_be_making(*, scope: str, running: str, may_be: bool) -> None:
    """All that is in its scope, and nothing next to it."""
    estate = listed(("web", {"scope": scope, "running": running}))

    assert estate.may_be_made_now(STORE) is may_be


@pytest.mark.parametrize(
    ("scope", "subscription"), [(GROUP.lower(), SUB), ("", ""), ("/", ""), ("/subscriptions", "")]
)
def test_the_subscription_of_a_stack(scope: str, subscription: str) -> None:
    """By its facts."""
    assert suspicion.subscription_of({"scope": scope}) == subscription
    assert suspicion.subscription_of({}) == ""
