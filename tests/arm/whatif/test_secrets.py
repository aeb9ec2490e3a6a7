"""No what-if shows a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.arm.azure import plain, storage, template
from tests.arm.whatif.world import World, leaves, nested

OLD, NEW = "0ld-Passw0rd!", "N3w-Passw0rd?"
SECURE = {"pw": {"type": "securestring"}}


def _shelf(**more: Any) -> dict[str, Any]:
    properties = {
        "password": "[parameters('pw')]",
        "connection": "[concat('User=x;Password=', parameters('pw'), ';')]",
        "list": [{"name": "a", "value": "[parameters('pw')]"}, "[parameters('pw')]"],
        "depth": 3,
        **more,
    }
    return template([plain("s", properties=properties)], SECURE)


def _given(value: str) -> dict[str, Any]:
    return {"pw": {"value": value}}


def test_a_secret_that_stays_is_no_change() -> None:
    """Comparing comes before masking."""
    world = World()
    world.deploy(_shelf(), given=_given(OLD))

    [found] = world.changes(_shelf(), given=_given(OLD))

    assert found["changeType"] == "NoChange"
    assert OLD not in json.dumps(found)
    assert found["after"]["properties"]["password"] == "*******"
    assert found["after"]["properties"]["depth"] == 3


def test_a_secret_that_changes_is_shown_masked_on_both_sides() -> None:
    """Neither the new one nor the one that was there before is shown, whatever it stands in."""
    world = World()
    world.deploy(_shelf(), given=_given(OLD))

    [found] = world.changes(_shelf(), given=_given(NEW))

    text = json.dumps(found)
    assert OLD not in text
    assert NEW not in text
    assert ("properties.password", "Modify") in leaves(found["delta"])
    assert ("properties.connection", "Modify") in leaves(found["delta"])


@pytest.mark.parametrize("known", [True, False], ids=["created", "changed"])
def test_secrets_of_nested_deployments_and_objects(known: bool) -> None:  # noqa: FBT001 - a case
    """A secure object that is handed down is as secret there, in every text of it."""
    inner = template(
        [plain("s", properties={"all": "[parameters('o')]"})], {"o": {"type": "secureObject"}}
    )
    whole = template(
        [nested("n", inner, given={"o": {"value": "[parameters('o')]"}})],
        {"o": {"type": "secureObject"}},
    )
    world = World()
    if not known:
        world.deploy(whole, given={"o": {"value": {"deep": {"er": OLD}}}})

    found = world.changes(whole, given={"o": {"value": {"deep": {"er": NEW}}}})

    text = json.dumps(found)
    assert OLD not in text
    assert NEW not in text


def test_the_answers_of_list_functions_are_masked() -> None:
    """Keys that the rehearsal reads never leave it."""
    resources = [
        storage(),
        plain(
            "s",
            dependsOn=["stshop001"],
            properties={"key": "[listKeys('stshop001', '2024-01-01').keys[0].value]"},
        ),
    ]
    world = World()
    world.deploy(resources)

    [_, found] = world.changes(resources)

    assert found["changeType"] == "NoChange"
    assert found["after"]["properties"]["key"] == "*******"
    assert found["before"]["properties"]["key"] == "*******"


def test_a_secret_handed_to_a_parameter_that_is_not_secure() -> None:
    """What is secure in one template stays a secret in those below, and in ids that name it."""
    inner = template(
        [plain("s", properties={"pw": "[parameters('given')]"})], {"given": {"type": "string"}}
    )
    whole = template([nested("n", inner, given={"given": {"value": "[parameters('pw')]"}})], SECURE)
    world = World()
    world.deploy(whole, given=_given(OLD))

    found = world.changes(whole, given=_given(NEW))

    text = json.dumps(found)
    assert [one["changeType"] for one in found] == ["Modify"]
    assert OLD not in text
    assert NEW not in text


def test_secure_outputs_are_used_and_not_shown() -> None:
    """What a module hands on as a secure output stays the same, and stays hidden."""
    secret = "Pa55-word"
    inner = template(
        [plain("first")],
        {"pw": {"type": "securestring"}},
        {"made": {"type": "securestring", "value": "[parameters('pw')]"}},
    )
    asks = "[listOutputsWithSecureValues('n', '2025-04-01').made]"
    whole = [
        nested("n", inner, given={"pw": {"value": secret}}),
        plain("s", dependsOn=["n"], properties={"pw": asks}),
    ]
    world = World()
    world.deploy(whole)

    found = world.changes(whole)

    assert [one["changeType"] for one in found] == ["NoChange", "NoChange"]
    assert found[1]["after"]["properties"]["pw"] == "*******"
    assert secret not in json.dumps(found)
