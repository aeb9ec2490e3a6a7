"""Resources: copies, conditions, children, scopes, dependencies."""

from typing import Any

import pytest

from local.arm.engine import Scope, TemplateError, parse_template, plan
from tests.engine.world import (
    PREFIX,
    SUBSCRIPTION,
    Answers,
    context,
    planned,
    resource,
    template,
    thing_id,
)


def _names(ids: tuple[str, ...]) -> list[str]:
    return [item.rpartition("/")[2] for item in ids]


def test_a_copy_loop_makes_its_resources_in_order() -> None:
    """Every turn has its own name, index and body."""
    plan_ = planned(
        resources=[
            resource(
                "[format('t{0}', copyIndex('loop', 1))]",
                copy={"name": "loop", "count": 3},
                location="[resourceGroup().location]",
                properties={"index": "[copyIndex()]", "copy": "a property"},
            )
        ]
    )

    assert [item.id for item in plan_.resources] == [thing_id(f"t{n}") for n in (1, 2, 3)]
    assert [item.body(Answers()) for item in plan_.resources] == [
        {"location": "westeurope", "properties": {"index": n, "copy": "a property"}}
        for n in range(3)
    ]
    assert [
        (c.loop, c.index, c.count, c.batch_size) for item in plan_.resources if (c := item.copy)
    ] == [("loop", n, 3, None) for n in range(3)]


@pytest.mark.parametrize(
    ("copy", "waits"),
    [
        ({}, [[], [], [], [], []]),
        ({"mode": "Parallel", "batchSize": 2}, [[], [], [], [], []]),
        ({"mode": "serial"}, [[], ["t0"], ["t1"], ["t2"], ["t3"]]),
        (
            {"mode": "Serial", "batchSize": 2},
            [[], [], ["t0", "t1"], ["t0", "t1"], ["t2", "t3"]],
        ),
    ],
)
def test_serial_loops_wait_for_the_batch_before(
    copy: dict[str, Any], waits: list[list[str]]
) -> None:
    """Batches run one after the other, parallel loops all at once."""
    plan_ = planned(
        resources=[resource("[concat('t', copyIndex())]", copy={"name": "l", "count": 5, **copy})]
    )

    assert [_names(item.depends_on) for item in plan_.resources] == waits


def test_depends_on_takes_names_ids_short_ids_and_loops() -> None:
    """All ways to name a resource of the template mean the same; each is waited for once."""
    plan_ = planned(
        resources=[
            resource("[concat('t', copyIndex())]", copy={"name": "loop", "count": 2}),
            resource("a"),
            resource("off", condition="[equals(1, 2)]"),
            resource("[concat('none', copyIndex())]", copy={"name": "empty", "count": 0}),
            resource(
                "z",
                dependsOn=[
                    "LOOP",
                    "a",
                    "[resourceId('Microsoft.Rp/things', 'a')]",
                    "Microsoft.Rp/things/A",
                    "off",
                    "empty",
                ],
            ),
        ]
    )

    assert [item.name for item in plan_.resources] == ["t0", "t1", "a", "z"]
    assert _names(plan_.resources[-1].depends_on) == ["t0", "t1", "a"]


def test_references_and_lists_make_dependencies() -> None:
    """reference() and list*() to resources of the template are waited for; the rest is not."""
    plan_ = planned(
        resources=[
            resource("a"),
            resource("b"),
            resource("c"),
            resource(
                "z",
                properties={
                    "by_name": "[reference('a').x]",
                    "by_id": "[listKeys(resourceId('Microsoft.Rp/things', 'b'), '2020-01-01').k]",
                    "not_chosen": "[if(true(), 'x', reference('c').x)]",
                    "outside": "[reference(resourceId('Microsoft.Rp/things', 'other'), '2020-01-01').x]",
                },
            ),
        ]
    )
    answers = Answers(
        properties={thing_id("a"): {"x": 1}, thing_id("other"): {"x": 2}},
        lists={f"{thing_id('b')}/listKeys": {"k": 3}},
    )

    assert _names(plan_.resources[-1].depends_on) == ["a", "b"]
    assert plan_.resources[-1].body(answers)["properties"] == {
        "by_name": 1,
        "by_id": 3,
        "not_chosen": "x",
        "outside": 2,
    }
    assert answers.asked == [
        (thing_id("a"), "2024-01-01", False),
        (thing_id("other"), "2020-01-01", False),
    ]


def test_children_take_type_and_name_of_their_parent() -> None:
    """Children inside a parent, at any depth, are resources of their own."""
    plan_ = planned(
        resources=[
            resource(
                "[concat('p', copyIndex())]",
                copy={"name": "l", "count": 2},
                resources=[
                    {
                        "type": "kids",
                        "name": "[concat('k', copyIndex())]",
                        "apiVersion": "1",
                        "dependsOn": ["[concat('p', copyIndex())]"],
                        "resources": [{"type": "toys", "name": "t", "apiVersion": "1"}],
                    }
                ],
            )
        ]
    )

    assert [item.id.removeprefix(PREFIX) for item in plan_.resources] == [
        f"/providers/Microsoft.Rp/things/p{n}{rest}"
        for n in (0, 1)
        for rest in ("", f"/kids/k{n}", f"/kids/k{n}/toys/t")
    ]
    assert plan_.resources[4].type == "Microsoft.Rp/things/kids"
    assert plan_.resources[4].name == "p1/k1"
    assert _names(plan_.resources[4].depends_on) == ["p1"]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (
            {
                "type": "Microsoft.Authorization/locks",
                "name": "l",
                "scope": "Microsoft.Rp/things/a",
            },
            f"{thing_id('a')}/providers/Microsoft.Authorization/locks/l",
        ),
        (
            {
                "type": "Microsoft.Authorization/locks",
                "name": "l",
                "scope": "[resourceId('Microsoft.Rp/things', 'a')]",
            },
            f"{thing_id('a')}/providers/Microsoft.Authorization/locks/l",
        ),
        (
            {"type": "Microsoft.Rp/things/providers/locks", "name": "a/Microsoft.Authorization/l"},
            f"{thing_id('a')}/providers/Microsoft.Authorization/locks/l",
        ),
        (
            {"type": "Microsoft.Management/managementGroups", "name": "mg", "scope": "/"},
            "/providers/Microsoft.Management/managementGroups/mg",
        ),
    ],
)
def test_extensions_are_found_below_what_they_extend(
    members: dict[str, Any], expected: str
) -> None:
    """`scope` and the old name form lead to the same id."""
    plan_ = planned(resources=[{"apiVersion": "1", **members}])

    assert plan_.resources[0].id == expected


def test_resource_groups_are_made_at_subscription_scope() -> None:
    """A resource group has its own id, whichever way a dependency writes it."""
    scope = Scope("subscription", subscription_id=SUBSCRIPTION)
    group = {"type": "Microsoft.Resources/resourceGroups", "name": "g", "apiVersion": "1"}
    other = {
        "type": "Microsoft.Authorization/roleAssignments",
        "name": "r",
        "apiVersion": "1",
        "dependsOn": ["[subscriptionResourceId('Microsoft.Resources/resourceGroups', 'g')]"],
        "properties": {
            "at": "[deployment().location]",
            "id": "[resourceId('Microsoft.Rp/x', 'y')]",
        },
    }
    plan_ = plan(template(resources=[group, other]), {}, context(scope, "northeurope"))

    assert plan_.resources[0].id == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g"
    assert plan_.resources[1].depends_on == (plan_.resources[0].id,)
    assert plan_.resources[1].body(Answers())["properties"] == {
        "at": "northeurope",
        "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Rp/x/y",
    }


_SYMBOLIC: dict[str, Any] = {
    "languageVersion": "2.0",
    "resources": {
        "vault": {"existing": True, **resource("v"), "resourceGroup": "shared"},
        "many": resource("[concat('m', copyIndex())]", copy={"name": "manyLoop", "count": 2}),
        "one": resource(
            "o",
            dependsOn=["vault", "many[1]"],
            properties={
                "url": "[reference('vault').url]",
                "first": "[reference(format('many[{0}]', 0)).x]",
                "all": "[map(references('many'), lambda('m', lambdaVariables('m').x))]",
                "id": "[resourceInfo('one').id]",
                "place": "[reference('vault', '2020-01-01', 'full').location]",
            },
        ),
    },
}


def test_symbolic_names_existing_resources_and_collections() -> None:
    """Version 2.0: names for dependencies, references and loop members; existing ones are read."""
    plan_ = planned(**_SYMBOLIC)
    vault = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shared/providers/Microsoft.Rp/things/v"
    answers = Answers(
        properties={vault: {"url": "u"}, thing_id("m0"): {"x": 0}, thing_id("m1"): {"x": 1}}
    )

    assert [(item.symbolic_name, item.existing) for item in plan_.resources] == [
        ("vault", True),
        ("many", False),
        ("many", False),
        ("one", False),
    ]
    assert _names(plan_.resources[-1].depends_on) == ["v", "m1", "m0"]
    assert plan_.resources[-1].body(answers)["properties"] == {
        "url": "u",
        "first": 0,
        "all": [0, 1],
        "id": thing_id("o"),
        "place": "westeurope",
    }


_WRONG: list[tuple[list[Any], str]] = [
    (
        [resource("a", dependsOn=["b"]), resource("b", dependsOn=["a"])],
        "Circular dependency detected",
    ),
    (
        [resource("a", properties={"x": "[reference('b').x]"}), resource("b", dependsOn=["a"])],
        "Circular",
    ),
    ([resource("a", dependsOn=["nobody"])], "The resource 'nobody' is not defined in the template"),
    ([resource("a"), resource("A")], "is defined multiple times in a template"),
    ([resource("a/b")], "has incorrect segment lengths"),
    (
        [resource("[reference('b').x]"), resource("b")],
        "'reference' is not expected at this location",
    ),
    (
        [resource("a", condition="[reference('b').x]")],
        "'reference' is not expected at this location",
    ),
    ([resource("a", copy={"name": "l", "count": 801})], "must be from 0 to '800'"),
    ([resource("a", copy={"count": 1})], "must have a 'name'"),
    (
        [resource("a", copy={"name": "l", "count": 1, "mode": "x"})],
        "must be 'Serial' or 'Parallel'",
    ),
    ([resource("a", copy={"name": "l", "count": 2})], "is defined multiple times"),
    ([resource("a", condition="maybe")], "must be a boolean"),
    ([{"type": "Microsoft.Rp/things", "name": "a"}], "required property 'apiVersion'"),
    ([resource("", properties={})], "must be a non-empty string"),
    (["x"], "A resource must be a JSON object"),
    ([resource("a", properties={"x": "[nope()]"})], "The template function 'nope' is not valid"),
    ([resource("a", properties={"x": "[if(false(), nope(), 1)]"})], "'nope' is not valid"),
    (
        [resource("a", properties={"x": "[parameters('p')]"})],
        "The template parameter 'p' is not found",
    ),
    ([resource("a", properties={"x": "[reference('q').y]"})], "could not find template resource"),
    ([resource("a", properties={"x": "[reference('/q/r').y]"})], "an API version is required"),
    ([resource("a", properties={"x": "[copyIndex('l')]"})], "copy name 'l' doesn't exist"),
]


@pytest.mark.parametrize(("resources", "error"), _WRONG)
def test_wrong_resources_are_refused_before_anything_runs(resources: list[Any], error: str) -> None:
    """Planning refuses them in ARM's words, as InvalidTemplate."""
    with pytest.raises(TemplateError) as caught:
        planned(resources=resources)

    assert error in str(caught.value)
    assert caught.value.code == "InvalidTemplate"


def test_an_error_names_line_column_and_path_of_the_text() -> None:
    """The place is the end of the expression in the text as the user wrote it."""
    text = """{ "$schema": "https://schema.management.azure.com/x/deploymentTemplate.json#",
      "contentVersion": "1.0.0.0", // a comment
      "resources": [
        {"type": "Microsoft.Rp/things", "apiVersion": "1", "name": "a",
         "properties": {
           "list": [1, "[parameters('p')]"]
         }}
      ]
    }"""
    with pytest.raises(TemplateError) as caught:
        plan(parse_template(text), {}, context())

    error = caught.value
    assert (error.line, error.position, error.path) == (6, 42, "resources[0].properties.list[1]")
    assert "at line '6' and column '42'" in error.message
    assert error.body()["additionalInfo"] == [
        {
            "type": "TemplateViolation",
            "info": {
                "lineNumber": 6,
                "linePosition": 42,
                "path": "resources[0].properties.list[1]",
            },
        }
    ]


def test_a_place_inside_a_property_copy_leads_into_its_input() -> None:
    """The path goes through `copy` and `input`, where the user has to look."""
    copy = [{"name": "x", "count": 2, "input": {"y": "[parameters('p')]"}}]
    with pytest.raises(TemplateError) as caught:
        planned(resources=[resource("a", properties={"copy": copy})])

    assert caught.value.path == "resources[0].properties.copy[0].input.y"


@pytest.mark.parametrize("name", ["$schema", "contentVersion", "resources"])
def test_a_template_needs_its_three_required_properties(name: str) -> None:
    """What is missing is named, as ARM names it."""
    whole = template()
    del whole[name]
    with pytest.raises(TemplateError) as caught:
        plan(whole, {}, context())

    assert str(caught.value) == (
        f"Deployment template parse failed: 'Required property '{name}' not found in JSON. Path "
        "'', line 1, position 1.'."
    )


def test_an_unknown_dependency_is_refused_in_arms_own_sentence() -> None:
    """The sentence is the service's, letter by letter; the place comes beside it."""
    with pytest.raises(TemplateError) as caught:
        planned(resources=[resource("a", dependsOn=["Microsoft.Rp/things/b"])])

    assert str(caught.value) == (
        "Deployment template validation failed: 'The resource 'Microsoft.Rp/things/b' is not "
        "defined in the template. Please see https://aka.ms/arm-syntax for usage details.'."
    )
    assert caught.value.path == "resources[0]"


def test_what_fails_at_run_time_names_the_resource() -> None:
    """An answer without the property that the template wants is ARM's run-time sentence."""
    plan_ = planned(
        resources=[resource("a"), resource("z", properties={"x": "[reference('a').missing]"})]
    )
    with pytest.raises(TemplateError) as caught:
        plan_.resources[1].body(Answers(properties={thing_id("a"): {"other": 1}}))

    assert str(caught.value).startswith(
        f"Unable to process template language expressions for resource '{thing_id('z')}' at line '1'"
    )
    assert "doesn't exist, available properties are 'other'" in str(caught.value)
