"""What the pages show is what the code takes and answers."""

import json
from typing import Any, Final

import orjson
import pytest
import yaml
from jsonschema import Draft202012Validator

from shared.core.configuration import parse_configuration
from shared.core.source.manifest import parse_manifest
from shared.core.view import to_json
from shared.flows.sign_in import Credentials
from tests.docs import pages
from tests.flows.test_drift import NSG, tag
from tests.flows.world import OPERATOR_KEY, World, files

API: Final = json.loads(pages.read("docs/api.schema.json"))
MANIFESTS: Final = [
    block
    for page in ("README.md", "docs/manifest.md")
    for block in pages.blocks(page)
    if block.info == "yaml" and "version:" in block.text
]
ANSWERS: Final = [
    (block.info.partition("answer=")[2], block.text)
    for block in pages.blocks("docs/api.md")
    if "answer=" in block.info
]


def checked(route: str, answer: Any) -> None:
    """Check an answer with the schema of its route, and that it has no field beyond it."""
    schema = {"$defs": API["$defs"], **API["answers"][route]}
    for definition in schema["$defs"].values():
        if "properties" in definition:
            definition["additionalProperties"] = False
    Draft202012Validator(schema).validate(answer)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a world with an empty repository and an empty Azure."""
    return World(monkeypatch)


@pytest.mark.parametrize("block", MANIFESTS, ids=lambda block: block.page)
def test_manifests_on_the_pages_are_ones(block: pages.Block) -> None:
    """An author who copies the example gets no problem, from the editor or from Plumbline."""
    manifest = parse_manifest(block.text.encode(), "plumbline.yaml")
    assert manifest.stacks
    assert not manifest.problems
    assert not manifest.broken
    schema = json.loads(pages.read("docs/manifest.schema.json"))
    Draft202012Validator(schema).validate(yaml.safe_load(block.text))


def test_both_pages_show_a_manifest() -> None:
    """The README and the manifest's page each have a whole one."""
    assert {block.page for block in MANIFESTS} == {"README.md", "docs/manifest.md"}


def test_the_configuration_on_its_page_is_one() -> None:
    """An operator who copies the example gets no problem; every field is explained."""
    page = "docs/configuration.md"
    text = next(block.text for block in pages.blocks(page) if block.info == "json")
    configuration = parse_configuration(text.encode())
    assert list(configuration.repositories) == ["shop"]
    schema = json.loads(pages.read("docs/configuration.schema.json"))
    Draft202012Validator(schema).validate(json.loads(text))
    fields = {*schema["$defs"]["Configuration"]["properties"]}
    fields |= {*schema["$defs"]["Repository"]["properties"]}
    assert {field for field in fields if f"| `{field}` |" not in pages.read(page)} == set()


@pytest.mark.parametrize(("route", "text"), ANSWERS, ids=lambda part: part[:40])
def test_answers_on_the_page_fit_their_schema(route: str, text: str) -> None:
    """The examples of the API's page are answers that the schemas allow."""
    checked(route, json.loads(text))


def test_the_page_shows_every_route() -> None:
    """Each route of the schema has a heading and an example; a list of stacks is one of stacks."""
    shown = {route for route, _ in ANSWERS} | {"GET /api/stacks"}
    assert shown == set(API["answers"])


def test_real_answers_fit_their_schema(world: World) -> None:
    """What the flows answer after a good push and a bad one fits the documented schemas."""
    world.push(files("network", "web"))
    world.run(120)
    good = world.api("stacks")
    world.push(files("network", "web") | {"plumbline.yaml": "version: 1\nstacks: {web: 1}"})
    revision = world.push(files("network") | {"network.json": b"{"})
    world.run(120)
    assert [stack["phase"] for stack in good] == ["steady", "steady"]

    checked("GET /api/stacks", good)
    checked("GET /api/stacks", world.api("stacks"))
    checked("GET /api/stacks/{name}", world.api("stacks/example.network"))
    checked("GET /api/stacks/{name}/releases", world.api("stacks/network/releases"))
    checked("GET /api/revisions/{sha}", world.api(f"revisions/{revision}"))
    checked("GET /api/health", world.api("health"))
    assert world.api("health")["status"] == "problem"
    rebuilt = world.rebuild().body
    checked("POST /api/repositories/{key}/rebuild", orjson.loads(to_json(rebuilt)))
    world.queues.put("sync-poison", b"not json")
    world.services.poison()
    health = world.api("health")
    checked("GET /api/health", health)
    discarded = world.services.replay(
        health["poison"]["newest"][0]["id"],
        "discard",
        b'{"why": "a test"}',
        Credentials(None, OPERATOR_KEY),
    )
    checked("POST /api/poison/{id}/{operation}", orjson.loads(to_json(discarded.body)))
    reply = world.announce(revision)
    checked("POST /api/push/{hook}", orjson.loads(to_json(reply)))


def test_real_drift_fits_its_schema(world: World) -> None:
    """A stack with an open difference and one that is gone is shown as documented, and so is coverage."""
    world.push(files("web", web="one"))
    world.run(60)
    checked("GET /api/stacks/{name}/drift", world.api("stacks/web/drift"))
    world.arm.change(NSG, tag("by hand"))
    world.scan()
    world.arm.change(NSG, tag("one"))
    world.scan()
    world.arm.change(NSG, tag("again"))
    world.scan()
    drift = world.api("stacks/web/drift")
    assert (len(drift["items"]), len(drift["history"])) == (1, 1)

    checked("GET /api/stacks/{name}/drift", drift)
    checked("GET /api/coverage", world.api("coverage"))
    checked("GET /api/stacks", world.api("stacks"))


@pytest.mark.parametrize(
    "path", ["stacks/nobody", "revisions/0", "incidents", "metrics", "stacks/none/drift", "else"]
)
def test_complaints_fit_their_schema(world: World, path: str) -> None:
    """What is not there is said in the documented form, also by routes that are not built."""
    answered = world.services.status(path)
    assert answered.status == 404
    checked("any other status than 2xx", orjson.loads(to_json(answered.body)))
