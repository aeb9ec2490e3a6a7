"""What is searched: small worlds, each with the faults that it is about."""

from typing import Any, Final

from tests.flows.world import Files, template
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


PUSHES: Final = Scenario("two pushes", lone("1", "2"), Budget(crashes=1, expiries=1))
