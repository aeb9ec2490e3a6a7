"""The knowledge files: readable, every word explained, and stable under their own answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.arm import knowledge
from local.arm.clock import stamp
from local.arm.ids import ResourceId
from local.arm.knowledge import UNKNOWN, KnowledgeError, ResourceType, normal, paths
from local.arm.knowledge.schema import Element, Lookup, Normaliser, VersionRule
from local.arm.knowledge.words import Facts, fill
from local.arm.providers import model
from tests.arm.azure import Azure
from tests.arm.samples import samples

KNOWN = knowledge.load()
TYPES = [
    (f"{provider.namespace}/{name}", known)
    for provider in KNOWN.providers.values()
    for name, known in provider.types.items()
]
GOLDEN = Path(__file__).parent.parent / "golden" / "arm" / "bodies"
TIME = "2026-10-07T08:00:00.1234567Z"
each_type = pytest.mark.parametrize(("full", "known"), TYPES, ids=[full for full, _ in TYPES])


def case_of(full: str, *names: str) -> model.Circumstances:
    """Return a resource of a type, in circumstances of its own."""
    namespace, *types = full.split("/")
    rid = ResourceId(
        "/subscriptions/s/resourceGroups/rg",
        namespace,
        tuple(types),
        names or tuple(f"name{n}" for n in range(len(types))),
    )
    return model.Circumstances(rid, "tenant", TIME, TIME)


@each_type
def test_every_type_makes_a_body_with_all_words_replaced(full: str, known: ResourceType) -> None:
    """Defaults, computed values and actions hold no word that nothing explains."""
    case = case_of(full)
    shown = model.answer(known, case, {"location": "West Europe"})
    words = model.facts(case, shown)
    actions = [fill(action, words) for action in known.actions.values()]

    assert shown["type"] == full
    assert model.normal_location(shown["location"]) == "westeurope"
    assert "{" not in "".join(texts(shown)) + "".join(texts(actions))
    assert all(f"{full}/{child}" in dict(TYPES) for child in known.embeds.values())


def texts(value: Any) -> list[str]:
    """Return all strings in a value."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


@each_type
def test_what_get_shows_can_be_put_back(full: str, known: ResourceType) -> None:
    """GET(PUT(GET)) is GET, whatever the body held: nothing is rewritten twice."""
    case = case_of(full)
    for body in samples(known):
        shown = model.answer(known, case, body)

        assert model.answer(known, case, shown) == shown


@each_type
def test_a_second_put_of_the_same_body_changes_nothing(full: str, known: ResourceType) -> None:
    """Only the times move, and what is the provider's own stays as it was."""
    case = case_of(full)
    for body in samples(known):
        before = json.dumps(body)
        first = model.answer(known, case, body)

        assert model.answer(known, case, body) == first
        assert json.dumps(body) == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**18) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_json_at_any_place_has_an_answer(data: st.DataObject) -> None:
    """Whatever stands where a rule looks, no provider breaks, and its answer can be put back."""
    full, known = data.draw(st.sampled_from(TYPES))
    body = data.draw(st.sampled_from(list(samples(known))))
    spots = [path for path in spoken(body) if path]
    for path in data.draw(st.lists(st.sampled_from(spots), max_size=3)):
        put_at(body, path, data.draw(JSON))
    shown = model.answer(known, case_of(full), body)

    assert model.answer(known, case_of(full), shown) == shown


def spoken(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all values in a body."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    if isinstance(value, list):
        items = list(enumerate(value))
    return [path, *(spot for key, item in items for spot in spoken(item, (*path, key)))]


def put_at(body: Any, path: tuple[Any, ...], value: Any) -> None:
    """Write a value at a place, if the way there still stands."""
    *way, last = path
    try:
        for part in way:
            body = body[part]
        body[last] = value
    except (KeyError, IndexError, TypeError):
        return  # an earlier value took the place of what was there


@each_type
def test_secrets_and_read_only_members_are_not_taken_from_a_body(
    full: str, known: ResourceType
) -> None:
    """A secret is not shown; what the provider decides is not the client's to say."""
    case = case_of(full)
    plain = model.answer(known, case, {"location": "westeurope"})
    told = [*known.secrets, *known.readOnly]
    listed = [path for path in told if "[*]" not in path and path.startswith("properties.")]
    body: dict[str, Any] = {"location": "westeurope"}
    for path in listed:
        place(body, path, "planted-by-the-client")

    assert "planted-by-the-client" not in json.dumps(model.answer(known, case, body))
    assert plain["type"] == full


def place(body: dict[str, Any], path: str, value: Any) -> None:
    """Write a value at a dotted path, making objects on the way."""
    *way, last = path.split(".")
    for part in way:
        if not isinstance(body.get(part), dict):
            body[part] = {}
        body = body[part]
    body[last] = value


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


def test_what_has_no_effect_follows_from_something_else() -> None:
    """The body's own word counts only where the provider has none."""
    known = ResourceType(
        noEffect=["sku.tier"],
        lookups=[Lookup(by="sku.name", into="sku", values={"S1": {"tier": "Standard"}})],
    )
    case = case_of("A.B/c")

    assert model.answer(known, case, {"sku": {"name": "s1", "tier": "Free"}})["sku"] == {
        "name": "s1",
        "tier": "Standard",
    }
    assert (
        model.answer(known, case, {"sku": {"name": "X", "tier": "Free"}})["sku"]["tier"] == "Free"
    )


def test_lookups_read_defaults_and_words_and_take_any_value() -> None:
    """A default counts as said; `*` is any value; late normalisers let lookups see the original."""
    known = ResourceType(
        defaults={"sku": {"name": "Basic"}},
        lookups=[
            Lookup(by="sku.name", into="properties", values={"Basic": {"method": "Dynamic"}}),
            Lookup(by="{name}", into="properties", values={"name0": {"of": "{name}"}}),
            Lookup(
                by="properties.label", into="", values={"*": {"fqdn": "{body:properties.label}"}}
            ),
        ],
        normalise=[Normaliser(path="sku.name", how="map", values={"S2": "Standard"}, late=True)],
    )
    shown = model.answer(known, case_of("A.B/c"), {"properties": {"label": "x"}})

    assert shown["properties"] == {"label": "x", "method": "Dynamic", "of": "name0"}
    assert shown["fqdn"] == "x"
    assert (
        model.answer(known, case_of("A.B/c"), {"sku": {"name": "s2"}})["sku"]["name"] == "Standard"
    )


def test_elements_of_arrays_are_completed_at_any_depth() -> None:
    """Each gets its defaults, its id below the one around it, and what follows from its members."""
    known = ResourceType(
        elements={
            "properties.maps": Element(key="name", computed={"id": "{elementId}"}),
            "properties.maps[*].properties.rules": Element(
                key="name",
                defaults={"weight": 1},
                computed={"id": "{elementId}", "at": "{index}", "of": "{element}"},
                lookups=[Lookup(by="kind", values={"a": {"letter": "{element:kind}"}})],
            ),
        }
    )
    rules = [{"name": "r", "kind": "a"}, "no object", {"name": "s", "weight": 2}]
    shown = model.answer(
        known,
        case_of("A.B/c"),
        {"properties": {"maps": [{"name": "m", "properties": {"rules": rules}}]}},
    )
    (element,) = shown["properties"]["maps"]

    assert element["id"] == f"{shown['id']}/maps/m"
    assert element["properties"]["rules"] == [
        {
            "name": "r",
            "kind": "a",
            "letter": "a",
            "weight": 1,
            "id": f"{shown['id']}/maps/m/rules/r",
            "at": 0,
            "of": "r",
        },
        "no object",
        {"name": "s", "weight": 2, "id": f"{shown['id']}/maps/m/rules/s", "at": 2, "of": "s"},
    ]


NORMAL: list[tuple[dict[str, Any], Any, Any]] = [
    ({"how": "lower"}, "AbC", "abc"),
    ({"how": "upper"}, "AbC", "ABC"),
    ({"how": "lower"}, 7, 7),
    ({"how": "location"}, "West Europe", "westeurope"),
    ({"how": "displayLocation"}, "westeurope", "West Europe"),
    ({"how": "displayLocation"}, "atlantis", "atlantis"),
    ({"how": "integer"}, "60", 60),
    ({"how": "integer"}, "sixty", "sixty"),
    ({"how": "integer"}, 60.0, 60),
    ({"how": "number"}, "1.5", 1.5),
    ({"how": "number"}, -1.0, -1),
    ({"how": "string"}, 443, "443"),
    ({"how": "string"}, True, "true"),
    ({"how": "boolean"}, "True", True),
    ({"how": "map", "values": {"s2": "Standard"}}, "S2", "Standard"),
    ({"how": "casing", "among": ["Tcp", "*"]}, "TCP", "Tcp"),
    ({"how": "casing", "among": ["Tcp"]}, "Icmp", "Icmp"),
    ({"how": "sort"}, [3, "b", 1, "A"], [1, 3, "A", "b"]),
    ({"how": "sort", "by": "Name"}, [{"name": "b"}, {"name": "a"}], [{"name": "a"}, {"name": "b"}]),
    ({"how": "unique"}, ["Get", "list", "get"], ["Get", "list"]),
    ({"how": "cidr"}, "10.1.2.3/16", "10.1.0.0/16"),
    ({"how": "cidr"}, "10.0.0.4/32", "10.0.0.4"),
    ({"how": "cidr"}, "2001:DB8::1/64", "2001:db8::/64"),
    ({"how": "cidr"}, "VirtualNetwork", "VirtualNetwork"),
    ({"how": "cidr"}, "300.1.1.1/8", "300.1.1.1/8"),
    ({"how": "duration"}, "PT60M", "PT1H"),
    ({"how": "duration"}, "P1DT36H", "P2DT12H"),
    ({"how": "duration"}, "PT0.50S", "PT0.5S"),
    ({"how": "duration"}, "PT", "PT"),
    ({"how": "slash"}, "https://a.b", "https://a.b/"),
    ({"how": "kindOrder"}, "linux,functionapp", "functionapp,linux"),
    (
        {"how": "roleDefinition"},
        "/providers/Microsoft.Authorization/roleDefinitions/x",
        "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/x",
    ),
    (
        {"how": "canonicalId"},
        "/subscriptions/s/resourcegroups/g/providers/microsoft.network/VIRTUALNETWORKS/V",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/V",
    ),
    ({"how": "canonicalId"}, "no id", "no id"),
    ({"how": "absent", "among": [False]}, False, normal.GONE),
    ({"how": "absent", "among": [False]}, 0, 0),
]


@pytest.mark.parametrize(("rule", "given", "wanted"), NORMAL)
def test_normalisers_rewrite_what_is_theirs(rule: dict[str, Any], given: Any, wanted: Any) -> None:
    """Values of another kind stay; what comes out stays as it is, too."""
    change = normal.normaliser(msgspec.convert({"path": "p", **rule}, Normaliser), KNOWN.spell)
    facts = Facts(case_of("A.B/c").rid, "", "", "", {})
    found = change(given, facts)

    assert found == wanted
    assert type(found) is type(wanted)
    if found is not normal.GONE:
        assert change(found, facts) == found


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"normalise": [{"path": "a", "how": "sideways"}]}, ["a/b", "normalise, a", "sideways"]),
        ({"defaults": {"properties": {"a": "{unheard}"}}}, ["a/b", "{unheard}"]),
        ({"elements": {"p": {"computed": {"a": "{elementid}"}}}}, ["{elementid}"]),
        ({"drop": ["properties.a[0]"]}, ["drop", "properties.a[0]"]),
        ({"immutable": ["properties..a"]}, ["immutable", "properties..a"]),
        ({"withVersion": [{"before": "2020-01-01", "drop": [""]}]}, ["withVersion"]),
        ({"write": "someday"}, ["someday"]),
        ({"color": 1}, ["color"]),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(known: dict[str, Any], said: list[str]) -> None:
    """Which file, which type, where in it, and what is wrong."""
    file = json.dumps({"namespace": "N", "types": {"a/b": known}}).encode()
    with pytest.raises(KnowledgeError) as caught:
        knowledge.read(file, "n.json")

    assert all(part in str(caught.value) for part in ["n.json", *said])


def test_a_new_type_is_data() -> None:
    """Defaults, a normaliser, a secret, keyed elements and hidden members, and no code."""
    provider = knowledge.read(
        json.dumps(
            {
                "namespace": "Contoso.Shop",
                "types": {
                    "shelves": {
                        "defaults": {"properties": {"depth": 3}},
                        "normalise": [
                            {"path": "properties.wood", "how": "casing", "among": ["Oak"]}
                        ],
                        "secrets": ["properties.code"],
                        "elements": {
                            "properties.books": {"key": "title", "computed": {"id": "{elementId}"}}
                        },
                        "readOnly": ["properties.sold"],
                    }
                },
            }
        ).encode(),
        "contoso.json",
    )
    known = knowledge.Knowledge([provider]).type("contoso.shop/SHELVES")
    body = {"wood": "OAK", "code": "1234", "sold": 9, "books": [{"title": "Emma"}]}
    shown = model.answer(known, case_of("Contoso.Shop/shelves"), {"properties": body})

    assert shown["properties"] == {
        "wood": "Oak",
        "books": [{"title": "Emma", "id": f"{shown['id']}/books/Emma"}],
        "depth": 3,
    }


def test_read_only_paths_name_what_a_provider_decides() -> None:
    """Listed ones, computed leaves and those of elements: what what-if takes out."""
    known = ResourceType(
        readOnly=["properties.state"],
        computed={"properties": {"a": {"b": 1}}},
        volatile={"properties": {"c": 1}},
        elements={"properties.x": Element(key="name", computed={"id": "{elementId}"}, etag=True)},
        withVersion=[VersionRule(before="2020-01-01", drop=["properties.a"])],
    )

    assert model.read_only(known) == [
        "properties.state",
        "properties.a.b",
        "properties.c",
        "properties.x[*].id",
        "properties.x[*].etag",
    ]


def test_paths_find_keys_in_any_case_and_every_element() -> None:
    """What is not there is no error."""
    body = {"Properties": {"rules": [{"Name": "a"}, {"name": "b"}, 3], "NUL": None}}

    assert paths.values(body, paths.steps("properties.rules[*].name")) == ["a", "b"]
    assert paths.values(body, paths.steps("properties.nothing[*].name")) == []
    assert paths.places(body, paths.steps("properties.nul")) == [(body["Properties"], "NUL")]


def test_spelling_is_the_providers_where_it_is_known() -> None:
    """Types and namespaces in any case come out in the provider's own; unknown ones as given."""
    assert KNOWN.spell("microsoft.network/VIRTUALNETWORKS/subNets") == (
        "Microsoft.Network/virtualNetworks/subnets"
    )
    assert KNOWN.spell("microsoft.network/newThings") == "Microsoft.Network/newThings"
    assert KNOWN.spell("contoso.shop/Shelves") == "contoso.shop/Shelves"
    assert KNOWN.type("contoso.shop/Shelves") is UNKNOWN


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.json")), ids=lambda file: file.stem)
def test_a_body_looks_as_a_person_has_checked_it(file: Path) -> None:
    """The GET body that follows from a PUT, whole, at a fixed time."""
    golden = json.loads(file.read_text())
    full = golden["type"]
    shown = model.answer(KNOWN.type(full), case_of(full, *golden["names"]), golden["put"])

    assert shown == golden["get"]


def test_times_are_written_with_seven_digits(azure: Azure) -> None:
    """As ARM writes them, whole seconds too."""
    azure.group()
    shown = azure.deploy("d", []).result().properties.timestamp

    assert stamp(shown).endswith("0Z")
    assert len(stamp(shown.replace(microsecond=0))) == len("2026-10-07T08:00:00.1234567Z")
