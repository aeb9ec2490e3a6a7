"""Promises of waves, statuses and operations that are not kept yet, one small test for each.

Each is marked as failing and strict: whoever mends the code takes the mark away.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, get_args

import orjson
import pytest

from shared.adapters import callers
from shared.adapters.callers import OperatorCallers, Tenant
from shared.core import names
from shared.core.arm_errors import Refused
from shared.core.errors import Stalled, Transient
from shared.core.message import RepositoryMessage
from shared.core.problem import Problem
from shared.core.record import Outcome as End
from tests.fakes.arm import Outcome
from tests.fakes.system import FakeClock, Moment
from tests.flows.chains import FAILED, chain, gives, manifest, pair, takes
from tests.flows.test_operations import soon
from tests.flows.test_settle import STATUSES, WHOLE, finals, unsettled
from tests.flows.test_waves import order, taken
from tests.flows.world import CONFIGURATION, URL, Killed, World, deployment_id, files, template

not_kept: Final[Callable[[str], pytest.MarkDecorator]] = lambda reason: pytest.mark.xfail(  # noqa: E731
    strict=True, reason=reason
)
ROOT: Final = Path(__file__).parents[2]
SECRET: Final = "AccountKey=" + "a" * 86 + "=="


def with_statuses(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> World:
    """Return a world whose Git host wants commit statuses."""
    statuses = {"statuses": {**STATUSES["statuses"], **changed}}
    example: Any = {**CONFIGURATION["repositories"]["example"], **statuses}  # type: ignore[index]
    return World(monkeypatch, configuration={**CONFIGURATION, "repositories": {"example": example}})


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world whose Git host wants commit statuses."""
    return with_statuses(monkeypatch)


# ---- waves: who is woken, and when ---------------------------------------------------------


def test_who_waits_behind_an_unchanged_stack_is_released_when_its_root_is_done(
    world: World,
) -> None:
    """Network → app → web: app stays as it is, and web follows network without a long wait."""
    world.push(chain())
    world.run()
    done = len(order(world))
    world.push(chain(network="other", web="new"))
    world.run(60)

    assert order(world)[done:] == ["network", "web"]


def test_a_wait_behind_an_unchanged_stack_is_shown_with_its_root(world: World) -> None:
    """Network fails, app is as it was, and web waits: it says for whom."""
    world.push(chain())
    world.run()
    world.arm.plan(deployment_id("network"), FAILED)
    world.push(chain(network="other", web="new"))
    world.run(60)

    web = world.api("stacks/web")
    assert web["phase"] == "pending"
    assert [one["stack"] for one in web["waiting"]][-1:] == ["network"]


def test_a_dependency_that_compiles_again_as_it_was_wakes_those_who_wait(world: World) -> None:
    """Broken, with a dependent changed; then mended to the very same: the dependent follows."""
    world.push(chain())
    world.run()
    world.push({**chain(web="new"), "app.json": b"{"})
    world.run(60)
    world.push(chain(web="new"))
    world.run(60)

    assert world.puts("web") == 2


def test_a_value_that_changed_while_the_old_one_failed_is_tried(world: World) -> None:
    """The taker fails over the old value when the new one is there already: it is put at once."""
    world.arm.plan(deployment_id("web"), Outcome(seconds=60.0, failures=FAILED.failures))
    world.push(pair("bad"))
    world.run(20)
    world.push(pair("good"))
    world.run(600)

    assert taken(world, "web") == ["bad", "good"]


def test_what_another_stack_cannot_take_does_not_stall_those_who_wait_for_it(world: World) -> None:
    """``z`` takes what it may not; ``b`` waits for ``z``, and its own inputs are in order."""
    text = manifest(
        network={},
        z={"valuesFrom": "{from: network.outputs.id}"},
        b={"dependsOn": "[network, z]"},
    )
    world.push(
        {
            "plumbline.yaml": text,
            "network.json": gives(SECRET),
            "z.json": takes(),
            "b.json": template(),
        }
    )
    world.run(300)

    assert world.api("stacks/z")["problem"]["code"] == "OutputSecret"
    assert world.api("stacks/b")["phase"] == "pending"


def test_an_unreadable_record_of_a_dependency_is_waited_for(world: World) -> None:
    """Its dependents are pending: nothing is wrong with them that a person must mend there."""
    world.push(pair())
    world.run()
    world.documents.overwrite(names.record("example", "network"), b"{")
    world.push(pair(more={"web.json": takes("new")}))
    world.run(60)

    assert world.record("web").standing == "pending"


@not_kept("each look reads every record behind a stack: n stacks in a row cost n² / 2 reads")
def test_a_look_does_not_read_the_whole_way_to_the_first_stack(world: World) -> None:
    """The last of thirty in a row is released with no more storage calls than any other stack."""
    row = [f"s{n:02}" for n in range(30)]
    text = manifest(
        **{name: {"dependsOn": f"[{row[n - 1]}]"} if n else {} for n, name in enumerate(row)}
    )
    content: dict[str, Any] = {"plumbline.yaml": text}
    content |= {f"{name}.json": template() for name in row}
    world.push(content)
    world.run(600)
    assert world.puts(row[-1]) == 1
    before = world.faults.count("documents.read")
    world.push({**content, f"{row[-1]}.json": template("new")})
    world.run(30)

    assert world.puts(row[-1]) == 2
    assert world.faults.count("documents.read") - before <= 20


def test_a_large_circle_is_told_in_few_words(world: World) -> None:
    """A manifest of hundreds of stacks in a circle makes no tip of megabytes."""
    row = [f"stack-{n:03}" for n in range(300)]
    text = manifest(**{name: {"dependsOn": f"[{row[n - 1]}]"} for n, name in enumerate(row)})
    world.push({"plumbline.yaml": text, **{f"{name}.json": template() for name in row}})
    world.run(5, sweeps=False)

    tip = world.documents.read(names.tip("example"))
    assert tip is not None
    assert b"DependencyCycle" in tip.data
    assert len(tip.data) < 300 * 2000


def test_a_put_that_arrives_after_its_cancel_is_not_forgotten(world: World) -> None:
    """The order was that nothing is released: what ARM did all the same must be known."""
    world.arm.postpone_put()
    world.push(files("a", a="late"))
    world.run(3)
    world.order("a", "cancel", "not now")
    world.run(5)
    world.arm.deliver()
    world.run(1800)

    applied = world.record("a").applied
    assert world.note("a") is None or applied is not None


def test_a_cancel_that_comes_before_the_intent_wins(world: World) -> None:
    """As a freeze does: what a worker decided before the order is not sent after it."""
    world.faults.fail("arm.put", lambda: Transient("X", "x"))
    looks: list[str] = []

    def cancel(moment: Moment, call: str, _: str) -> None:
        if (moment, call) == ("after", "arm.deployment"):
            looks.append(call)
            if len(looks) == 2:
                world.order("a", "cancel", "not now")

    world.hook = cancel
    world.push(files("a"))
    world.run(120)

    assert len(looks) >= 2
    assert world.puts("a") == 0


def test_a_location_that_is_refused_again_and_again_fails(world: World) -> None:
    """A stack of a resource group has no region to change: the refusal is its failure (I19)."""
    problem = Problem(code="InvalidDeploymentLocation", message="nested 'x' is in another region")
    world.faults.fail("arm.put", lambda: Refused(problem), times=10**6)
    world.push(files("a"))
    world.run(600)

    assert world.record("a").phase == "failed"
    assert world.faults.count("arm.put") <= 3


# ---- statuses ------------------------------------------------------------------------------


def test_a_release_that_runs_is_not_blocked(world: World) -> None:
    """Its dependency breaks after it was put; the revision ends as that release does."""
    world.arm.plan(deployment_id("web"), Outcome(seconds=60.0))
    revision = world.push(pair())
    world.run(20)
    assert world.record("web").in_flight is not None
    world.push({**pair(), "network.json": b"{"})
    world.run(300)

    assert world.record("web").phase == "steady"
    assert world.status(revision) == "deployed"


def test_a_stack_whose_record_cannot_be_read_is_not_called_deployed(world: World) -> None:
    """Nothing of the revision was released: what is shown claims no more (I27)."""
    world.push(files("a", a="one"))
    world.run()
    name = names.record("example", "a")
    facts = next(found.facts for found in world.documents.list(name))
    world.documents.overwrite(name, b"{", facts)
    revision = world.push(files("a", a="two"))
    world.run(120)

    assert world.note("a") == "one"
    assert world.status(revision) != "deployed"


def test_a_revision_that_only_takes_another_value_has_the_status_of_that_release(
    world: World,
) -> None:
    """It leads to a release, and that fails: it was not nothing."""
    both = {"id": {"type": "string", "value": "1"}, "other": {"type": "string", "value": "2"}}
    content = pair(more={"network.json": template(outputs=both)})
    world.push(content)
    world.run()
    world.arm.plan(deployment_id("web"), FAILED)
    text = content["plumbline.yaml"].replace("outputs.id", "outputs.other")
    revision = world.push({**content, "plumbline.yaml": text})
    world.run()

    assert taken(world, "web") == ["1", "2"]
    assert world.status(revision) == "failed"


def test_a_revision_that_comes_again_leaves_no_context_without_an_end(told: World) -> None:
    """Forth and back before the first visit was settled: each context gets one final state."""
    told.arm.default = Outcome(seconds=60)
    first = told.push(files("a", "b", a="one"))
    told.run(5)
    told.push(files("a", "b", a="two"))
    told.run(5)
    told.git.move(URL, first)
    told.announce(first, key="again")
    told.run(900)

    assert finals(told, first) == ["success"]
    assert finals(told, first, f"{WHOLE}/a") == ["success"]
    assert finals(told, first, f"{WHOLE}/b") == ["success"]


def test_an_unreadable_revision_keeps_no_other_from_its_end(told: World) -> None:
    """Trouble of one revision stays its own (I22)."""
    told.arm.default = Outcome(seconds=30)
    revisions = [told.push(files("a"))]
    told.run(5)
    revisions.append(told.push(files("a", "b")))
    told.run(5)
    lost, other = sorted(revisions)  # the order in which they are looked at
    told.documents.overwrite(names.revision("example", lost), b"{")
    told.run(300)

    assert len(finals(told, other)) == 1


def test_a_missing_token_for_statuses_keeps_no_status_from_being_final(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The host cannot be told; what the API shows is final all the same (adr/0008)."""
    world = with_statuses(monkeypatch, token="PLUMBLINE_SECRET_NOT_SET")
    world.arm.plan(deployment_id("a"), FAILED)
    revision = world.push(files("a"))
    world.run()
    assert world.status(revision) == "failed"
    world.order("a", "retry", "mended")
    world.run()

    assert world.status(revision) == "failed"


def test_a_revision_of_many_stacks_is_told_once(told: World) -> None:
    """Two hundred statuses, a second each, while the sweep asks for (settle) as ever."""
    stacks = [f"s{n:03}" for n in range(100)]
    revision = told.push(files(*stacks))
    busy: list[str] = []

    def slow(moment: Moment, call: str, _: str) -> None:
        if (moment, call) != ("after", "hosts.send") or told.status(revision) != "deployed":
            return
        told.clock.advance(1.0)
        busy.append(call)
        if len(busy) == 65:
            told.services.settle(RepositoryMessage(repository="example"))

    told.hook = slow
    told.run(60)

    assert len(busy) >= 65
    assert finals(told, revision) == ["success"]
    assert all(finals(told, revision, f"{WHOLE}/{one}") == ["success"] for one in stacks)


def test_a_host_that_asks_for_patience_gets_it(told: World) -> None:
    """Retry-After of an hour: nobody calls again within it (rule 9)."""
    told.faults.fail("hosts.send", lambda: Transient("X", "x", retry_after_s=3600), times=10**6)
    told.push(files("a"))
    told.run(900)

    assert told.faults.count("hosts.send") <= 2


def test_a_marker_whose_document_was_never_written_comes_to_an_end(world: World) -> None:
    """A sync dies between the two, and the branch has moved on without a webhook by the next."""
    world.push(files("a", a="one"))
    world.run()
    shots: list[str] = []

    def kill(moment: Moment, call: str, name: str) -> None:
        left = name.startswith("pending/revisions/")
        if not shots and left and (moment, call) == ("after", "documents.create"):
            shots.append(world.commit(files("a", a="three")))
            raise Killed(name)

    world.hook = kill
    lost = world.commit(files("a", a="two"))
    world.run(3600)

    assert world.status(shots[0]) == "deployed"
    assert unsettled(world) == []
    assert world.status(lost) == "superseded"


def test_a_host_that_does_not_answer_is_asked_once(told: World) -> None:
    """One (settle) settles them all, and tries the host once."""
    told.faults.fail("hosts.send", lambda: Transient("X", "x"), times=10**6)
    for n in range(6):
        told.push(files("a", a=str(n)))
    told.run(10)
    before = told.faults.count("hosts.send")
    with pytest.raises(Transient):
        told.services.settle(RepositoryMessage(repository="example"))

    assert told.faults.count("hosts.send") - before == 1


def test_a_configuration_that_was_wrong_for_a_minute_fails_no_revision(world: World) -> None:
    """Nothing is wrong with the stack: once the file is mended it is released, and has not failed."""
    revision = world.push(files("a"))
    world.services.sync(RepositoryMessage(repository="example"))
    world.documents.overwrite(names.CONFIGURATION, b"{")
    world.restart()
    world.run(60)
    world.documents.overwrite(names.CONFIGURATION, orjson.dumps(CONFIGURATION))
    world.run(1200)

    assert world.puts("a") == 1
    assert world.status(revision) == "deployed"


def test_an_unreadable_record_of_a_stack_that_left_stops_no_status(world: World) -> None:
    """The other stack is released; this revision and those after it are told their end (I22)."""
    world.push(files("a", "b"))
    world.run()
    name = names.record("example", "a")
    facts = next(found.facts for found in world.documents.list(name))
    world.documents.overwrite(name, b"{", facts)
    revision = world.push(files("b", b="two"))
    world.run(300)

    assert world.note("b") == "two"
    assert world.status(revision) == "deployed"


@not_kept("a revision that is settled and told costs more than the release")
def test_a_release_costs_no_more_than_thirty_storage_calls(world: World) -> None:
    """From the webhook to the settled revision, of one stack that waits for nobody."""
    world.push(files("a"))
    world.run()
    before = len(world.faults.calls)
    world.push(files("a", a="two"))
    world.run(115, sweeps=False)
    calls = [call.partition(".")[0] for call, _ in world.faults.calls[before:]]

    assert world.puts("a") == 2
    assert sum(kind in {"documents", "history", "queues"} for kind in calls) <= 30


# ---- operators -----------------------------------------------------------------------------


def test_a_takeover_overwrites_what_another_installation_deployed(world: World) -> None:
    """Two installations count their releases alike; the order is to overwrite."""
    world.push(files("a"))
    world.run()
    (put,) = world.arm.puts(deployment_id("a"))
    theirs = {**put.request.tags, "plumbline-installation": "theirs"}
    world.arm.retag(deployment_id("a"), theirs)
    world.run(4000)
    assert world.api("stacks/a")["problem"]["code"] == "DeploymentForeign"
    world.order("a", "takeover", "it is ours")
    world.run(600)

    assert world.puts("a") == 2


def test_a_freeze_that_is_taken_out_of_the_configuration_ends(world: World) -> None:
    """Lifting it there is the only way, and the stack follows within a minute or two."""
    rule = {"stacks": ["*"], "by": "ops", "why": "audit", "until": soon(world, days=30)}
    frozen = orjson.dumps({**CONFIGURATION, "freezes": [rule]})
    world.documents.overwrite(names.CONFIGURATION, frozen)
    world.restart()
    world.push(files("a"))
    world.run(300)
    assert world.puts("a") == 0
    world.documents.overwrite(names.CONFIGURATION, orjson.dumps(CONFIGURATION))
    world.run(150)

    assert world.puts("a") == 1


def test_stacks_are_shown_while_the_configuration_is_wrong(world: World) -> None:
    """It is then that people look."""
    world.push(files("a"))
    world.run()
    world.documents.overwrite(names.CONFIGURATION, b"{")
    world.restart()

    try:
        shown = world.api("stacks/a")
    except Stalled:
        shown = None
    assert shown is not None


def test_the_answer_to_an_order_shows_no_wait_that_there_is_not(world: World) -> None:
    """The dependency is done; the answer to ``unfreeze`` says that it is waited for."""
    world.push(pair())
    world.run()
    world.order("web", "freeze", until=soon(world, hours=1))
    world.push(pair(more={"web.json": takes("new")}))
    world.run(60)
    assert world.api("stacks/web")["waiting"] == []

    assert world.order("web", "unfreeze")["waiting"] == []


def test_every_refusal_of_an_order_has_a_hint(world: World) -> None:
    """Who has no token reads where to get one."""
    world.push(files("a"))
    world.run()

    assert world.ordered("a", "release", key="wrong").body.hint
    assert world.ordered("a", "release", why="x" * 20_000).body.hint


def test_a_valid_token_is_not_refused_because_the_keys_could_not_be_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second try within a minute is 503 like the first, not 401: nobody knows who it is."""

    def unreachable(_: Tenant) -> Any:
        raise Transient("SignInUnavailable", "no answer")

    monkeypatch.setattr(callers, "_fetched", unreachable)
    tenant = Tenant(id="t", audience="a", authority="https://login.example")
    header = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ"
    door = OperatorCallers(tenant, None, FakeClock())
    with pytest.raises(Transient):
        door.identify(f"Bearer {header}.e30.AA", None)

    with pytest.raises(Transient):
        door.identify(f"Bearer {header}.e30.AA", None)


def test_a_push_that_was_only_late_leaves_no_trace_on_health(world: World) -> None:
    """No push was healed: there is no moment at which one was."""
    world.push(files("a", a="one"))
    world.run()
    revision = world.commit(files("a", a="two"))
    world.services.sync(RepositoryMessage(repository="example"))
    world.announce(revision)
    world.run(60)

    (shown,) = world.api("health")["repositories"]
    assert shown["healed_pushes"] == 0
    assert shown["last_healed_at"] is None


def test_an_order_that_is_refused_after_all_is_not_kept_as_one(world: World) -> None:
    """Two operators at once: the second is told 409, and the audit does not say otherwise."""
    world.arm.plan(deployment_id("a"), FAILED)
    world.push(files("a"))
    world.run()
    done: list[str] = []

    def first(moment: Moment, call: str, name: str) -> None:
        if not done and (moment, call) == ("before", "documents.replace"):
            done.append(name)
            world.order("a", "retry", "first")
            world.deliver_visible()

    world.hook = first
    refused = world.ordered("a", "retry", "second")

    assert done
    assert refused.status == 409
    kept = [world.history.read(name) or b"" for name in world.kept() if name.startswith("audit/")]
    assert [b"first" in one for one in kept] == [True]


def test_an_output_whose_name_is_a_secrets_is_told_at_the_push(world: World) -> None:
    """``resourceToken`` is usual in templates: the taker's author reads it before anything runs."""
    text = manifest(network={}, web={"valuesFrom": "{from: network.outputs.resourceToken}"})
    token = {"resourceToken": {"type": "string", "value": "abc123"}}
    content = pair(more={"plumbline.yaml": text, "network.json": template(outputs=token)})
    world.push(content)
    world.run(60)

    assert world.record("web").source_problems or world.puts("web") == 1


# ---- what the pages say --------------------------------------------------------------------


def test_the_table_of_routes_has_the_orders() -> None:
    """Whoever looks for a route finds it where the others are."""
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")

    assert "| [`POST /api/stacks/{name}/{operation}`]" in page
    assert "The API only reads" not in page


def test_every_outcome_of_a_release_is_explained() -> None:
    """``kept`` is among what ``GET /api/stacks/{name}/releases`` shows."""
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")

    assert all(f"`{outcome}`" in page for outcome in get_args(End))


def test_the_location_of_a_stack_is_explained_as_what_it_is() -> None:
    """It creates no resource group."""
    page = (ROOT / "docs/manifest.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith("| `location` ")]

    assert "resource group is created" not in row
