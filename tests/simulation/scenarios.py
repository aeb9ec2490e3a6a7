"""What is searched: small worlds, each with the faults that it is about.

``QUICK`` runs with the tests; ``DEEP`` adds workers and faults, for minutes of patience (``test_model.py``).
"""

from dataclasses import replace
from typing import Any, Final

from tests.fakes.git import Files
from tests.flows.world import template
from tests.simulation.model import Scenario
from tests.simulation.state import Budget


def lone(*notes: str) -> list[Files]:
    """Return revisions of one stack."""
    manifest = "version: 1\nstacks:\n  a: {template: a.json, scope: rg-a}"
    return [{"plumbline.yaml": manifest, "a.json": template(note)} for note in notes]


PAIR: Final = """version: 1
stacks:
  network: {template: network.json, scope: rg-n}
  web: {template: web.json, scope: rg-w, valuesFrom: {from: network.outputs.id}}
"""


def pair(*values: str) -> list[Files]:
    """Return revisions in which ``web`` takes what ``network`` gives."""
    web = template(parameters={"from": {"type": "string"}})

    def network(value: str) -> Any:
        return template(value, outputs={"id": {"type": "string", "value": value}})

    return [
        {"plumbline.yaml": PAIR, "network.json": network(value), "web.json": web}
        for value in values
    ]


_SYNC: Final = frozenset({"sync"})
_TOLD: Final = frozenset({"release", "watch", "settle"})

PUSHES: Final = Scenario(
    "a push while a release runs, and a crash", lone("1", "2"), Budget(crashes=1)
)
TAKEOVER: Final = Scenario(
    "a stack taken over from a worker that lives", lone("1", "2"), Budget(expiries=1)
)
FAILURE: Final = Scenario(
    "three passing failures, a final one, a retry",
    lone("1"),
    Budget(passing=3, final=1),
    orders=("retry a",),
)
FAILURE_CRASH: Final = Scenario(
    "failures, a retry and a crash",
    lone("1"),
    Budget(passing=1, final=1, crashes=1),
    orders=("retry a",),
)
REFUSED: Final = Scenario("ARM refuses a release", lone("1", "2"), Budget(refusals=1))
BACK: Final = Scenario(
    "there and back, and a failure",
    lone("1", "2", "1"),
    Budget(final=1),
    workers=1,
)
HEAL: Final = Scenario(
    "a release that is asked for while another runs",
    lone("1", "2"),
    orders=("release a",),
    workers=1,
)
CANCEL: Final = Scenario(
    "a release asked for and canceled", lone("1"), orders=("release a", "cancel a")
)
CANCEL_CRASH: Final = replace(
    CANCEL,
    name="a release asked for and canceled, and a crash",
    budget=Budget(crashes=1),
    workers=1,
)
LATE: Final = Scenario(
    "a PUT that arrives late", lone("1", "2"), Budget(late=1, crashes=1), workers=1
)
LATE_TWICE: Final = Scenario(
    "a PUT that arrives after its own second try, and fails",
    lone("1"),
    Budget(late=1, final=1),
    workers=1,
)
LOST: Final = Scenario("a message lost", lone("1", "2"), Budget(losses=1))
LOST_DOUBLE: Final = Scenario(
    "messages lost and delivered twice", lone("1"), Budget(losses=2, doubles=1)
)
FREEZE: Final = Scenario(
    "a freeze that races a release",
    lone("1"),
    Budget(crashes=1),
    orders=("freeze a", "unfreeze a"),
)
SYNCS: Final = Scenario(
    "two syncs, one stalled anywhere", lone("1", "2", "3"), syncs_stop=True, hears=_SYNC
)
SYNCS_EXPIRY: Final = replace(
    SYNCS, name="a repository taken over from a sync that lives", budget=Budget(expiries=1)
)
SYNCS_CRASH: Final = replace(SYNCS, name="a sync that dies", workers=1, budget=Budget(crashes=1))
WAVES: Final = Scenario(
    "a stack that waits for another, and a crash: told soon",
    pair("v1"),
    Budget(crashes=1),
    soon=True,
)
WAVES_LOST: Final = Scenario(
    "a stack that waits for another, and a lost message", pair("v1"), Budget(losses=1)
)
WAVES_FAILURE: Final = Scenario(
    "a stack that waits for one that failed",
    pair("v1"),
    Budget(final=1),
    orders=("retry network",),
)
OUTPUTS: Final = Scenario(
    "a taken output that changes in mid-release, and a crash",
    pair("v1", "v2"),
    Budget(crashes=1),
    workers=1,
    soon=True,
)
SETTLED: Final = Scenario(
    "a status that is told once, although a retry works later",
    lone("1"),
    Budget(final=1),
    orders=("retry a",),
    hears=_TOLD,
    tells_host=True,
)
SETTLED_PUSHES: Final = Scenario(
    "statuses of two revisions, one in mid-release",
    lone("1", "2"),
    Budget(final=1),
    hears=_TOLD,
    tells_host=True,
    workers=1,
)

QUICK: Final = (
    CANCEL_CRASH,
    LATE_TWICE,
    PUSHES, TAKEOVER, FAILURE, FAILURE_CRASH, REFUSED, BACK, HEAL, CANCEL, LATE, LOST, LOST_DOUBLE, FREEZE,
    SYNCS, SYNCS_EXPIRY, SYNCS_CRASH, WAVES, WAVES_LOST, WAVES_FAILURE, OUTPUTS, SETTLED,
    SETTLED_PUSHES,
)  # fmt: skip


def _deep(scenario: Scenario, **more: Any) -> Scenario:
    return replace(scenario, name=f"deep: {scenario.name}", **more)


DEEP: Final = (
    _deep(PUSHES, budget=Budget(crashes=1, expiries=1)),
    _deep(TAKEOVER, revisions=lone("1", "2", "3")),
    _deep(HEAL, workers=2),
    _deep(LATE, budget=Budget(late=1), workers=2),
    _deep(LATE, budget=Budget(late=2, crashes=1)),
    _deep(BACK, budget=Budget(final=1, passing=1, late=1, crashes=1)),
    _deep(LOST, budget=Budget(losses=1, doubles=1)),
    _deep(CANCEL_CRASH, workers=2),
    _deep(FREEZE, revisions=lone("1", "2"), workers=1),
    _deep(SYNCS_CRASH, workers=2),
    _deep(SYNCS, hears=frozenset({"sync", "release", "watch"}), revisions=lone("1", "2")),
    _deep(OUTPUTS, budget=Budget(), workers=2),
    _deep(OUTPUTS, budget=Budget(final=1, late=1), soon=False, orders=("retry network",)),
    _deep(SETTLED, budget=Budget(final=1, crashes=1)),
    _deep(SETTLED, budget=Budget(final=1, expiries=1)),
    _deep(
        WAVES_FAILURE, budget=Budget(final=1, crashes=1), tells_host=True, hears=_TOLD, workers=1
    ),
)
