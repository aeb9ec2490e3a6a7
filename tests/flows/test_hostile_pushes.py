"""What somebody who may push to one repository can make the loop do to others: nothing."""

import json
from typing import Any

import orjson
import pytest

from shared.core import names
from tests.flows.world import SCHEMA, World, deployment_id, files, manifest, template


@pytest.mark.parametrize(
    "name", ["../other.web", "../../evil", "a/b", "x.y", "UPPER", "a" * 300, "a b", "\u00fc"]
)
def test_a_bad_name_never_becomes_part_of_a_documents_name(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """HTTP clients fold ``..``: with a token the record of another repository would be written."""
    world = World(monkeypatch)
    asked: set[str] = set()
    world.hook = lambda _moment, _call, about: asked.add(about)
    bad = f"{manifest('web')}\n  {json.dumps(name)}: {{template: web.json, scope: rg-web}}"
    revision = world.push({**files("web"), "plumbline.yaml": bad})
    world.run(60)

    records = {one for one in asked if one.startswith(names.RECORDS) and one != names.RECORDS}
    allowed = {names.record("example", "web"), names.records_of("example")}
    allowed |= {one for one in records if one.startswith("stacks/example.web/")}
    assert records <= allowed
    assert world.status(revision) == "failed"


@pytest.mark.parametrize("member", ["name", "tags"])
def test_no_stack_may_pass_for_another_ones_deployment(
    monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    """Deployments are the mutex and the memory of every stack; templates may not write them."""
    world = World(monkeypatch)
    nested: dict[str, Any] = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "harmless",
        "resourceGroup": "rg-victim",
        "properties": {
            "mode": "Incremental",
            "template": {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": []},
        },
    }
    if member == "name":
        nested["name"] = deployment_id("victim").rpartition("/")[2]
    else:
        nested["tags"] = {"plumbline-installation": "laptop", "plumbline-stack": "victim"}
    world.push(files("victim", "evil"))
    world.run(120)
    before = world.puts("evil")
    main = orjson.loads(template("2"))
    main["resources"].append(nested)
    world.push({**files("victim", "evil"), "evil.json": orjson.dumps(main)})
    world.run(120)

    assert world.puts("evil") == before
    assert world.record("evil").source_problems
