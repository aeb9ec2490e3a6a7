"""The knowledge files: readable, and every word in them explained."""

from __future__ import annotations

from typing import Any

import pytest

from local.arm import knowledge
from local.arm.clock import stamp
from local.arm.ids import ResourceId
from local.arm.knowledge import UNKNOWN, ResourceType
from local.arm.knowledge.words import fill
from local.arm.providers import model
from tests.arm.azure import Azure

KNOWN = knowledge.load()
TYPES = [
    (f"{provider.namespace}/{name}", known)
    for provider in KNOWN.providers.values()
    for name, known in provider.types.items()
]


def case_of(full: str) -> model.Circumstances:
    """Return a resource of a type, in circumstances of its own."""
    namespace, *types = full.split("/")
    rid = ResourceId(
        "/subscriptions/s/resourceGroups/rg",
        namespace,
        tuple(types),
        tuple(f"name{n}" for n in range(len(types))),
    )
    return model.Circumstances(rid, "tenant", "created", "changed")


@pytest.mark.parametrize(("full", "known"), TYPES, ids=[full for full, _ in TYPES])
def test_every_type_makes_a_body_with_all_words_replaced(full: str, known: ResourceType) -> None:
    """Defaults, computed values and actions hold no word that nothing explains."""
    case = case_of(full)
    shown = model.answer(known, case, {"location": "West Europe"})
    words = model.facts(case, shown)
    actions = [fill(action, words) for action in known.actions.values()]

    assert shown["type"] == full
    assert shown["location"] == "westeurope"
    assert "{" not in "".join(texts(shown)) + "".join(texts(actions))
    assert all(f"{full}/{child}" in dict(TYPES) for child in known.embeds.values())
    assert model.answer(known, case, {"location": "West Europe"}) == shown


def texts(value: Any) -> list[str]:
    """Return all strings in a value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_what_the_body_says_wins_over_defaults_and_not_over_computed_values() -> None:
    """Keys match in any case, at every depth; dropped properties are not echoed."""
    known = ResourceType(
        defaults={"properties": {"tier": "Hot", "acl": {"bypass": "None", "rules": []}}},
        computed={"properties": {"endpoint": "https://{lowername}/"}},
        drop=["properties.secret"],
    )
    body = {
        "properties": {"Tier": "Cool", "ACL": {"bypass": "All"}, "endpoint": "x", "secret": "y"}
    }
    shown = model.answer(known, case_of("A.B/c"), body)

    assert shown["properties"] == {
        "Tier": "Cool",
        "ACL": {"bypass": "All", "rules": []},
        "endpoint": "https://name0/",
    }


def test_spelling_is_the_providers_where_it_is_known() -> None:
    """Types and namespaces in any case come out in the provider's own; unknown ones as given."""
    assert KNOWN.spell("microsoft.network/VIRTUALNETWORKS/subNets") == (
        "Microsoft.Network/virtualNetworks/subnets"
    )
    assert KNOWN.spell("microsoft.network/newThings") == "Microsoft.Network/newThings"
    assert KNOWN.spell("contoso.shop/Shelves") == "contoso.shop/Shelves"
    assert KNOWN.type("contoso.shop/Shelves") is UNKNOWN


def test_times_are_written_with_seven_digits(azure: Azure) -> None:
    """As ARM writes them, whole seconds too."""
    azure.group()
    shown = azure.deploy("d", []).result().properties.timestamp

    assert stamp(shown).endswith("0Z")
    assert len(stamp(shown.replace(microsecond=0))) == len("2026-10-07T08:00:00.1234567Z")
