"""Many releases in one scope: one listing serves their looks, and decides nothing."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from shared.core import looks, names
from shared.core.arm_model import Deployment
from shared.core.errors import Stalled, Transient
from shared.ports import Arm
from tests.fakes.arm import Outcome
from tests.flows.world import SUB, World, template

GROUP: Final = f"/subscriptions/{SUB}/resourceGroups/rg-shared"
STACKS: Final = [f"s{number:02}" for number in range(14)]
FAILING, CANCELED = STACKS[3], STACKS[7]
RUN_S: Final = 150.0
CODE: Final = {"code": "SkuNotAvailable", "message": "no such size"}


def files(note: str = "") -> dict[str, Any]:
    """Return a repository of fourteen stacks that are deployed into one group."""
    said = "template: {}.json, scope: rg-shared, createResourceGroup: westeurope"
    lines = [f"  {name}: {{{said.format(name)}}}" for name in STACKS]
    manifest = "\n".join(["version: 1", "stacks:", *lines])
    found: dict[str, Any] = {f"{name}.json": template(note, f"nsg-{name}") for name in STACKS}
    return {"plumbline.yaml": manifest, **found}


def deployment_id(stack: str) -> str:
    """Return the id of a stack's deployment."""
    return names.deployment_id(GROUP, "example", stack)


def play(monkeypatch: pytest.MonkeyPatch, tamper: Callable[[World], None]) -> World:
    """Release all stacks, of which one fails and one is canceled before twelve end well."""
    world = World(monkeypatch)
    world.arm.default = Outcome(seconds=RUN_S)
    world.arm.plan(deployment_id(FAILING), Outcome(seconds=20, failures={f"nsg-{FAILING}": CODE}))
    world.arm.plan(deployment_id(CANCELED), Outcome(seconds=40, canceled=True))
    tamper(world)
    world.push(files())
    world.run(RUN_S - 5)
    early = [name for name in STACKS if world.record(name).applied is not None]
    assert early == [], "an outcome was written down before ARM had one"
    world.run(600)
    world.arm.check()
    assert world.errors == []
    return world


def end(world: World) -> dict[str, Any]:
    """Return where everything ended: what is shown, what was put, and what is in Azure."""
    shown = {name: world.api(f"stacks/example.{name}") for name in STACKS}
    kept = ("phase", "generation", "problem")
    found: dict[str, Any] = {
        name: {key: one.get(key) for key in kept} | {"release": world.record(name).reached}
        for name, one in shown.items()
    }
    [tip] = {record.desired.revision for name in STACKS if (record := world.record(name)).desired}
    found["revision"] = world.status(tip)
    found["puts"] = {name: len(world.arm.puts(deployment_id(name))) for name in STACKS}
    found["azure"] = sorted(world.arm.resources)
    found["history"] = sorted(name for name in world.kept() if "/releases/" in name)
    return found


def singly(_world: World) -> None:
    """Change nothing."""


@pytest.fixture(name="expected")
def _expected(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the end that is reached when each release is looked at by itself."""
    with monkeypatch.context() as patch:
        patch.setattr(looks, "MOST_SINGLE", 10**6)
        world = play(patch, singly)
        assert world.faults.count("arm.running") == 0
        return end(world)


def rounds(world: World) -> dict[float, Counter[str]]:
    """Return what ``watch`` asks ARM for, counted by second; it fills while the world runs."""
    found: dict[float, Counter[str]] = {}

    def note(moment: str, call: str, _name: str) -> None:
        if (
            moment == "before"
            and world.turn == "watch"
            and call in {"arm.deployment", "arm.running"}
        ):
            found.setdefault(world.clock.monotonic(), Counter())[call] += 1

    world.hook = note
    return found


def test_one_listing_serves_a_round_of_looks(
    monkeypatch: pytest.MonkeyPatch, expected: dict[str, Any]
) -> None:
    """Rule 9: twelve running releases cost one call a round, and end where they always end."""
    asked: list[dict[float, Counter[str]]] = []
    world = play(monkeypatch, lambda world: asked.append(rounds(world)))
    first, *later = asked[0].values()

    assert first == {"arm.deployment": looks.MOST_SINGLE + 1, "arm.running": 1}
    assert len(later) >= 5
    assert {one["arm.running"] for one in later} == {1}
    assert sum(one["arm.deployment"] for one in later) == len(STACKS), "one GET for each end"
    assert end(world) == expected
    assert expected["revision"] == "failed"


Lie = Callable[[Sequence[Deployment]], Sequence[Deployment]]


def _ended(found: Sequence[Deployment]) -> Sequence[Deployment]:
    return [replace(one, state="succeeded") for one in found]


def _others(found: Sequence[Deployment]) -> Sequence[Deployment]:
    return [replace(one, tags={**one.tags, "plumbline-release": "0.1"}) for one in found]


def _mixed(found: Sequence[Deployment]) -> Sequence[Deployment]:
    tags = [one.tags for one in found]
    return [replace(one, tags=tags[-n]) for n, one in enumerate(found)]


def _none(_found: Sequence[Deployment]) -> Sequence[Deployment]:
    return []


def _transient(_found: Sequence[Deployment]) -> Sequence[Deployment]:
    raise Transient("SubscriptionRequestsThrottled", "slower", retry_after_s=600)


def _stalled(_found: Sequence[Deployment]) -> Sequence[Deployment]:
    raise Stalled("AuthorizationFailed", "no right to list")


class _Stale:
    """Shows for ever what ran when everything ran."""

    def __init__(self) -> None:
        self._kept: Sequence[Deployment] = []

    def __call__(self, found: Sequence[Deployment]) -> Sequence[Deployment]:
        self._kept = max(self._kept, found, key=len)
        return self._kept


LIES: Final[dict[str, Lie]] = {
    "everything has ended": _ended,
    "other releases run": _others,
    "each runs another's release": _mixed,
    "nothing runs": _none,
    "throttled": _transient,
    "forbidden": _stalled,
    "everything runs for ever": _Stale(),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_no_outcome_comes_from_a_listing(
    monkeypatch: pytest.MonkeyPatch, expected: dict[str, Any], lie: Lie
) -> None:
    """Wrong, empty, failing or stale for ever: everything ends as if each were looked at by itself."""
    told: list[int] = []

    def tamper(world: World) -> None:
        arm: Arm = world.arm
        truth = arm.running

        def running(scope: str) -> Sequence[Deployment]:
            told.append(1)
            return lie(truth(scope))

        monkeypatch.setattr(world.arm, "running", running)

    world = play(monkeypatch, tamper)

    assert told != []
    assert end(world) == expected
