"""When a listing serves looks, and what it may say: never more than that a release still runs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core import looks
from shared.core import record as changes
from shared.core.arm_model import DeploymentState
from shared.core.looks import FRESH_S, MOST_SINGLE, REST_S, SEEN_S, UNKNOWN, Scope
from tests.core import stacks

PUSHED = stacks.fresh()
ATTEMPT = changes.next_attempt(PUSHED, inputs=stacks.INPUTS, at=stacks.T0)
RUNNING = stacks.deployment(PUSHED, ATTEMPT, "running")
STATES: tuple[DeploymentState, ...] = ("running", "succeeded", "failed", "canceled")


def seen(*, running: int, at: float = 0.0, times: int = 1) -> Scope:
    """Return a scope in which so many releases were seen running, each as often as it says."""
    scope = UNKNOWN
    for n in range(running * times):
        found = replace(RUNNING, id=f"/scope/providers/x/{n % running}")
        scope = looks.noted(scope, found.id, found, at)
    return scope


@pytest.mark.parametrize(
    ("scope", "now", "listed"),
    [
        (UNKNOWN, 0.0, False),
        (seen(running=MOST_SINGLE), 0.0, False),
        (seen(running=MOST_SINGLE, times=3), 0.0, False),
        (seen(running=MOST_SINGLE + 1), 0.0, True),
        (seen(running=MOST_SINGLE + 1), SEEN_S, True),
        (seen(running=MOST_SINGLE + 1), SEEN_S + 1, False),
        (looks.noted_failure(seen(running=11), 0.0), REST_S - 1, False),
        (looks.noted_failure(seen(running=11), 0.0), REST_S, True),
    ],
)
def test_more_than_ten_running_releases_are_listed(
    scope: Scope, now: float, *, listed: bool
) -> None:
    """Different releases count, seen within a while; after a failure the scope rests."""
    assert looks.is_worth_listing(scope, now) is listed


@pytest.mark.parametrize("state", [None, "succeeded", "failed", "canceled"])
def test_a_release_that_ended_counts_no_more(state: DeploymentState | None) -> None:
    """Ten that run and one that ended are ten."""
    scope = seen(running=MOST_SINGLE + 1)
    first = next(iter(scope.running))
    found = None if state is None else replace(RUNNING, id=first, state=state)
    scope = looks.noted(scope, first.upper(), found, 1.0)

    assert not looks.is_worth_listing(scope, 1.0)


def test_a_listing_is_fresh_from_when_it_was_asked() -> None:
    """An answer that took long is old when it comes."""
    listing = looks.listed([], asked_at=10.0)

    assert looks.is_fresh(listing, 10.0 + FRESH_S)
    assert not looks.is_fresh(listing, 10.0 + FRESH_S + 0.1)


changed_tags = st.dictionaries(
    st.sampled_from(["plumbline-release", "plumbline-source", "plumbline-inputs"]),
    st.sampled_from(["", "1.0", "2.1", "other"]),
)


@given(
    state=st.sampled_from(STATES),
    tags=changed_tags,
    is_there=st.booleans(),
    shout=st.booleans(),
)
def test_a_listing_says_only_that_this_release_runs(
    state: DeploymentState, tags: dict[str, str], *, is_there: bool, shout: bool
) -> None:
    """Absent, ended, or carrying anything else it says nothing, whatever it was made of."""
    listed = replace(RUNNING, state=state, tags={**RUNNING.tags, **tags})
    listing = looks.listed([listed] if is_there else [], 0.0)
    asked = RUNNING.id.upper() if shout else RUNNING.id
    found = looks.still_runs(listing, asked, ATTEMPT)

    same = all(RUNNING.tags[key] == value for key, value in tags.items())
    assert found == (listed if is_there and same and state == "running" else None)


def test_each_tenth_look_of_a_chain_is_one_by_itself() -> None:
    """However many workers share a chain, listings are never all that a release is told by."""
    alone = [n for n in range(40) if looks.is_alone(n)]

    assert alone == [9, 19, 29, 39]


def test_what_is_known_of_a_scope_is_bounded() -> None:
    """Releases that nobody looks at any more are forgotten, and so are quiet scopes."""
    scope = seen(running=20)
    later = looks.noted(scope, RUNNING.id, RUNNING, SEEN_S + 1)

    assert list(later.running) == [RUNNING.id.lower()]
    assert not looks.is_forgotten(scope, SEEN_S)
    assert looks.is_forgotten(scope, SEEN_S + 1)
    assert not looks.is_forgotten(looks.noted_failure(UNKNOWN, 0.0), REST_S - 1)
    assert looks.is_forgotten(looks.noted_failure(UNKNOWN, 0.0), REST_S)
