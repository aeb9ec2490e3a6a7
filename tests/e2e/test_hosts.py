"""Two and four hosts play a story and are killed at ten named points: nothing is lost or doubled.

Both laptops play at the same time, once; each test below looks at one promise of what they saw.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.hosts.ending import Told
from tests.e2e.hosts.outside import REPOSITORY
from tests.e2e.hosts.points import POINTS
from tests.e2e.hosts.story import play
from tests.e2e.hosts.templates import STACKS

pytestmark = pytest.mark.e2e

FINAL = {"deployed", "failed", "blocked", "superseded", "nothing"}
CERTAIN = {
    "the first stack": "deployed",
    "the others, in three waves": "deployed",
    "words only": "nothing",
    "one that ARM refuses": "failed",
    "its mend": "deployed",
    "the last one": "deployed",
}
"""Revisions that nothing supersedes before they end; how the others end depends on who is faster."""


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[int, Future[Told]]]:
    """Give what came of the story, by how many hosts played it."""
    with ThreadPoolExecutor(2) as pool:
        yield {n: pool.submit(play, tmp_path_factory.mktemp(f"hosts-{n}"), n) for n in (2, 4)}


@pytest.fixture(params=[2, 4], ids=["two hosts", "four hosts"])
def told(request: pytest.FixtureRequest, plays: Mapping[int, Future[Told]]) -> Told:
    """Give what came of one of the two stories."""
    return plays[request.param].result()


def test_hosts_were_killed_at_ten_points(told: Told) -> None:
    """Each point was recognised, and somebody died there."""
    assert len(POINTS) == 10
    assert sorted(kill.point for kill in told.kills) == sorted(POINTS)
    assert all(kill.hosts for kill in told.kills)


def test_every_revision_has_one_final_status(told: Told) -> None:
    """Also the one that a force-push took away, and those that nobody could sync for a while."""
    answers = told.ending.revisions
    found = {what: answers[sha]["status"] for what, sha in told.pushes.items()}

    assert all(answer["final"] for answer in answers.values())
    assert set(found.values()) <= FINAL
    assert {what: found[what] for what in CERTAIN} == CERTAIN


def test_the_git_host_was_told_each_end_once(told: Told) -> None:
    """Each context of each commit has one final state, the last one, and it is the API's."""
    for sha, contexts in told.ending.statuses.items():
        answer = told.ending.revisions[sha]
        whole = f"plumbline/{REPOSITORY}"
        expected = {whole: answer["status"]}
        expected |= {f"{whole}/{name}": status for name, status in answer["stacks"].items()}
        ends = {
            name: [one for one in states if one != "pending"] for name, states in contexts.items()
        }

        assert ends == {name: [_state(status)] for name, status in expected.items()}, sha
        assert all(states[-1] != "pending" for states in contexts.values()), sha


def test_every_stack_is_steady_at_the_tip(told: Told) -> None:
    """Nothing that was pushed is lost: Azure has what the last commit says, values handed on."""
    tip = list(told.pushes.values())[-1]

    assert told.ending.stacks.keys() == STACKS.keys()
    for name, stack in told.ending.stacks.items():
        assert (stack["phase"], stack["problem"]) == ("steady", None), name
        assert stack["applied"]["digest"] == stack["desired"]["digest"], name
    assert told.ending.tags == told.wanted.tags()
    assert [one["revision"] for one in told.health["repositories"]] == [tip]


def test_arm_never_had_two_deployments_of_one_stack(told: Told) -> None:
    """A stack has one deployment, and by ARM's own times no two of its runs overlap."""
    for name in STACKS:
        assert told.deployments[name] == [f"plumbline.{REPOSITORY}.{name}"]
        runs = sorted(_run(one) for one in told.releases[name] if one.get("correlation_id"))
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(runs)), (name, runs)


def test_no_deployment_was_put_twice(told: Told) -> None:
    """ARM took as many PUTs of a stack as releases are in history, each a run of its own."""
    taken = Counter(path for path, status in told.ending.puts if status in {200, 201})
    for name in STACKS:
        ran = [one["correlation_id"] for one in told.releases[name] if one.get("correlation_id")]
        path = next(path for path in taken if path.endswith(f".{name}"))

        assert taken[path] == len(ran) == len(set(ran)), (name, told.ending.puts)


def test_no_release_was_repeated_without_a_reason(told: Told) -> None:
    """A second attempt at a generation has other values, or follows one that did not end well."""
    for name, releases in told.releases.items():
        for earlier, later in pairwise(releases):
            if _generation(earlier) == _generation(later):
                other = earlier["inputs"] != later["inputs"]
                assert other or earlier["outcome"] not in {"succeeded", "kept"}, (name, later)


def test_nothing_is_left_to_do(told: Told) -> None:
    """No marker, no debt, no message to be worked on and none given up; every snapshot is taken."""
    applied = {f"{name}@{record['applied']['release']}" for name, record in told.records.items()}

    assert list(told.pending) == []
    assert {name: record.get("owed", []) for name, record in told.records.items()} == {
        name: [] for name in STACKS
    }
    assert {queue: visible for queue, (visible, _) in told.messages.items() if visible} == {}
    assert told.poison == {}
    assert applied <= told.shot


def test_messages_of_the_dead_change_nothing(told: Told) -> None:
    """Storage gives back what killed hosts had in hand: looked at again, all stays as it was."""
    assert told.again == told.ending


def test_nobody_noticed_but_the_log(told: Told) -> None:
    """No invocation ended with a defect, and health has nothing to tell."""
    assert told.failed == 0
    assert told.health["status"] == "ok"


def _state(status: str) -> str:
    if status in {"deployed", "nothing"}:
        return "success"
    return "error" if status == "superseded" else "failure"


def _run(release: Mapping[str, Any]) -> tuple[datetime, datetime]:
    ended = datetime.fromisoformat(release["ended_at"])
    return ended - timedelta(seconds=release["duration_s"]), ended


def _generation(release: Mapping[str, Any]) -> str:
    return str(release["release"]).partition(".")[0]
