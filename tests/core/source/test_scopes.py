"""Every scope that a template writes to is found, and what cannot be known is said to be so."""

from typing import Any

import pytest

from local.arm.engine import plan
from shared.core.source.evaluation import Scope
from shared.core.source.scopes import parse_scope, target_scopes
from tests.core.source.test_shop import engine_context
from tests.core.source.trees import SUBSCRIPTION, deployment, template

OWN = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
OTHER = "99999999-aaaa-bbbb-cccc-dddddddddddd"
SITE = {"type": "Microsoft.Web/sites", "apiVersion": "2024-04-01", "name": "s"}
EMPTY = template()
UNKNOWN = None


def source_of(main: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """Return a compiled source, as far as scopes look at it."""
    return {"scope": OWN, "template": main, "parameters": parameters}


def beyond(resource: dict[str, Any], main: dict[str, Any] | None = None, **given: Any) -> list[Any]:
    """Return the scopes beside the stack's own that a template with this resource writes to."""
    own, *others = target_scopes(
        source_of({**(main or template()), "resources": [resource]}, **given)
    )
    assert (own.scope, own.path, own.written) == (OWN, "scope", OWN)
    return [each.scope for each in others]


def nested(inner: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """Return a nested deployment with members beside its properties."""
    return {**deployment(template=inner or EMPTY), **members}


def group(name: str, subscription: str = SUBSCRIPTION) -> str:
    """Return the id of a resource group."""
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


NESTED: list[tuple[dict[str, Any], str | None]] = [
    ({"resourceGroup": "other"}, group("other")),
    ({"ResourceGroup": "other"}, group("other")),
    ({"resourceGroup": None}, "own"),
    ({"subscriptionId": OTHER.upper(), "resourceGroup": "other"}, group("other", OTHER)),
    ({"subscriptionId": OTHER, "location": "westeurope"}, f"/subscriptions/{OTHER}"),
    ({"scope": "/"}, "/"),
    ({"scope": f"/subscriptions/{OTHER}"}, f"/subscriptions/{OTHER}"),
    ({"scope": "[subscription().id]"}, f"/subscriptions/{SUBSCRIPTION}"),
    ({"scope": group("x", OTHER)}, group("x", OTHER)),
    ({"scope": "Microsoft.Management/managementGroups/mg"},
     "/providers/Microsoft.Management/managementGroups/mg"),
    ({"scope": "/providers/Microsoft.Management/managementGroups/mg"},
     "/providers/Microsoft.Management/managementGroups/mg"),
    ({"scope": "[tenantResourceId('Microsoft.Management/managementGroups', 'mg')]"},
     "/providers/Microsoft.Management/managementGroups/mg"),
    ({"scope": "[format('Microsoft.Management/managementGroups/{0}', deployment().name)]"},
     UNKNOWN),
    ({"resourceGroup": "[parameters('name')]"}, group("given")),
    ({"resourceGroup": "[PARAMETERS('NAME')]"}, group("given")),
    ({"resourceGroup": "[parameters('byDefault')]"}, group("rg-default")),
    ({"resourceGroup": "[variables('name')]"}, group("given-x")),
    ({"resourceGroup": "[variables('config').groups[1]]"}, group("two")),
    ({"resourceGroup": "[variables('config')['GROUPS'][0]]"}, group("given")),
    ({"resourceGroup": "[resourceGroup().name]"}, "own"),
    ({"resourceGroup": "[concat(resourceGroup().name, '-', 2)]"}, group("rg-2")),
    ({"resourceGroup": "[toUpper(format('{0}-{1}-{0}', 'a', parameters('name')))]"},
     group("A-GIVEN-A")),
    ({"resourceGroup": "[toLower('ABC')]"}, group("abc")),
    ({"subscriptionId": "[subscription().subscriptionId]", "resourceGroup": "o"}, group("o")),
    ({"resourceGroup": "[parameters('unknown')]"}, UNKNOWN),
    ({"resourceGroup": "[parameters('secret')]"}, UNKNOWN),
    ({"resourceGroup": "[variables('gone')]"}, UNKNOWN),
    ({"resourceGroup": "[variables('circle')]"}, UNKNOWN),
    ({"resourceGroup": "[variables('looped')]"}, UNKNOWN),
    ({"resourceGroup": "[variables(parameters('name'))]"}, UNKNOWN),
    ({"resourceGroup": "[variables(deployment().name)]"}, UNKNOWN),
    ({"resourceGroup": "[variables('config').groups[9]]"}, UNKNOWN),
    ({"resourceGroup": "[variables('config').none]"}, UNKNOWN),
    ({"resourceGroup": "[variables('config')]"}, UNKNOWN),
    ({"resourceGroup": "[uniqueString('x')]"}, UNKNOWN),
    ({"resourceGroup": "[ns.function('x')]"}, UNKNOWN),
    ({"resourceGroup": "[concat('rg-', copyIndex())]"}, UNKNOWN),
    ({"resourceGroup": "[concat(createArray('x'), variables('config').groups)]"}, UNKNOWN),
    ({"resourceGroup": "[concat(variables('config').groups)]"}, UNKNOWN),
    ({"resourceGroup": "[format('{0:N1}', 'a')]"}, UNKNOWN),
    ({"resourceGroup": "[format('{0}-{1}', 'a')]"}, UNKNOWN),
    ({"resourceGroup": "[format(variables('config'))]"}, UNKNOWN),
    ({"resourceGroup": "[format()]"}, UNKNOWN),
    ({"resourceGroup": "[toLower()]"}, UNKNOWN),
    ({"resourceGroup": "[resourceGroup('x').name]"}, UNKNOWN),
    ({"resourceGroup": "[not an expression]"}, UNKNOWN),
    ({"resourceGroup": 5}, UNKNOWN),
    ({"subscriptionId": "[parameters('unknown')]", "resourceGroup": "rg"}, UNKNOWN),
    ({"subscriptionId": "[subscription('x').subscriptionId]", "resourceGroup": "rg"}, UNKNOWN),
    ({"scope": "[parameters('unknown')]"}, UNKNOWN),
    ({"scope": ""}, UNKNOWN),
    ({"scope": "[concat(parameters('unknown'), '/x')]"}, UNKNOWN),
    ({"scope": "[concat('/', parameters('unknown'), '/x')]"}, UNKNOWN),
    ({"scope": f"[concat('/subscriptions/{OTHER}/', parameters('unknown'))]"}, UNKNOWN),
    ({"scope": f"[concat('/subscriptions/{OTHER}', parameters('unknown'))]"}, UNKNOWN),
    ({"scope": f"[concat('/subscriptions/{OTHER}/resourceGroups/a', uniqueString('b'))]"},
     UNKNOWN),
    ({"scope": f"/subscriptions/{OTHER}/resourceGroups/"}, UNKNOWN),
]  # fmt: skip
NESTED_MAIN = template(
    parameters={
        "name": {"type": "string"},
        "byDefault": {"type": "string", "defaultValue": "[concat('rg-', 'default')]"},
        "secret": {"type": "string"},
        "unknown": {"type": "string", "defaultValue": "[newGuid()]"},
    },
    variables={
        "name": "[concat(parameters('name'), '-x')]",
        "config": {"groups": ["[parameters('name')]", "two"]},
        "circle": "[variables('circle')]",
        "looped": {"copy": [{"name": "x", "count": 2, "input": "a"}]},
    },
)


@pytest.mark.parametrize(("members", "scope"), NESTED)
def test_where_a_nested_deployment_goes(members: dict[str, Any], scope: str | None) -> None:
    """Literals, known parameters and variables, and functions of the scope are resolved."""
    found = beyond(
        nested(**members), NESTED_MAIN, name={"value": "given"}, secret={"reference": {}}
    )

    assert found == ([] if scope == "own" else [scope])


@pytest.mark.parametrize(("members", "scope"), [each for each in NESTED if each[1] is not UNKNOWN])
def test_the_template_engine_goes_there_too(members: dict[str, Any], scope: str) -> None:
    """What is decided here without running is what an engine that runs decides."""
    variables = {key: each for key, each in NESTED_MAIN["variables"].items() if key != "circle"}
    main = {**NESTED_MAIN, "variables": variables, "resources": [nested(**members)]}
    parameters = {"name": {"value": "given"}, "secret": {"value": "x"}}
    (resource,) = plan(main, parameters, engine_context(OWN)).resources
    assert resource.nested is not None

    assert (resource.nested.scope.id or "/").lower() == (OWN if scope == "own" else scope).lower()


@pytest.mark.parametrize(
    ("written", "scope"),
    [
        ("[resourceId('Microsoft.Storage/storageAccounts', uniqueString('x'))]", "own"),
        ("[resourceId('other', 'Microsoft.Storage/storageAccounts', 'a')]", group("other")),
        (f"[resourceId('{OTHER}', 'o', 'Microsoft.Storage/storageAccounts/blobServices', 'a', 'b')]",
         group("o", OTHER)),
        ("[resourceId(parameters('p'), 'Microsoft.Storage/storageAccounts', 'a')]", UNKNOWN),
        ("[resourceId('a', 'b', 'c', 'Microsoft.Storage/storageAccounts', 'd')]", UNKNOWN),
        ("[resourceId(parameters('p'))]", UNKNOWN),
        ("[resourceId()]", UNKNOWN),
        ("[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'x')]",
         f"/subscriptions/{SUBSCRIPTION}"),
        (f"[subscriptionResourceId('{OTHER}', 'Microsoft.Authorization/roleDefinitions', 'x')]",
         f"/subscriptions/{OTHER}"),
        ("[subscriptionResourceId('a', 'b', 'Microsoft.Authorization/roleDefinitions')]", UNKNOWN),
        ("[tenantResourceId('Microsoft.Authorization/roleDefinitions', 'x')]", "/"),
        ("[tenantResourceId('x')]", UNKNOWN),
        ("[extensionResourceId(resourceGroup().id, 'Microsoft.Authorization/locks', 'x')]", "own"),
        ("[extensionResourceId(resourceGroup().id)]", UNKNOWN),
        ("[format('Microsoft.Storage/storageAccounts/{0}', uniqueString('x'))]", "own"),
        ("Microsoft.Storage/storageAccounts/x", "own"),
        (group("other") + "/providers/Microsoft.Web/sites/x", group("other")),
        ("[concat(resourceGroup().id, '/providers/Microsoft.Web/sites/', uniqueString('x'))]", "own"),
        ("/providers/Microsoft.Billing/x", "/"),
    ],
)  # fmt: skip
def test_where_an_extension_goes(written: str, scope: str | None) -> None:
    """A resource that is put on another one is written where that one lies."""
    lock = {"type": "Microsoft.Authorization/locks", "name": "l", "scope": written}

    assert beyond(lock) == ([] if scope == "own" else [scope])


def test_an_undecided_scope_says_where_and_what() -> None:
    """So that the choke point can show the place in its refusal."""
    main = template(resources=[nested(resourceGroup="[uniqueString('x')]")])
    _, found = target_scopes(source_of(main))

    assert not found.decided
    assert found.path == "template.resources[0]"
    assert found.written == "resourceGroup: [uniqueString('x')]"


def test_each_scope_is_named_once_and_each_undecided_place() -> None:
    """In whatever case it is written."""
    resources = [
        nested(resourceGroup="a"),
        nested(resourceGroup="A"),
        nested(resourceGroup="RG"),
        nested(resourceGroup="[uniqueString('x')]"),
        nested(resourceGroup="[uniqueString('x')]"),
    ]
    found = target_scopes(source_of(template(resources=resources)))

    assert [each.scope for each in found] == [OWN, group("a"), None, None]


def test_what_is_not_written_does_not_count() -> None:
    """Resources that are only read, or that a condition switches off; their children may be written."""
    child = {"type": "x", "scope": group("child")}
    off = {**nested(scope=group("off")), "condition": False, "resources": [child]}
    read = {**SITE, "existing": True, "scope": group("read")}
    main = template(languageVersion="2.0", resources={"off": off, "read": read})

    assert [each.scope for each in target_scopes(source_of(main))] == [OWN, group("child")]


def test_children_are_written_where_their_parent_is() -> None:
    """A relative scope below a resource with a scope of its own lies in that scope."""
    child = {"type": "Microsoft.Authorization/locks", "scope": "Microsoft.Web/sites/s"}

    assert beyond({**SITE, "scope": group("o"), "resources": [child]}) == [group("o")]


def test_inner_scopes_see_their_own_parameters_and_group() -> None:
    """What the parent passes, defaults, variables and resourceGroup() of the inner template."""
    inner = template(
        parameters={
            "to": {"type": "string"},
            "kept": {"type": "string", "defaultValue": "[concat(resourceGroup().name, '-kept')]"},
            "secret": {"type": "string"},
        },
        variables={"v": "[concat(parameters('to'), '-v')]"},
        resources=[
            nested(resourceGroup="[parameters('to')]"),
            nested(resourceGroup="[variables('v')]"),
            nested(resourceGroup="[parameters('kept')]"),
            nested(resourceGroup="[parameters('secret')]"),
        ],
    )
    resource = {
        **deployment(
            template=inner,
            expressionEvaluationOptions={"scope": "inner"},
            parameters={
                "to": {"value": "[concat(parameters('p'), '-in')]"},
                "secret": {"reference": {}},
            },
        ),
        "resourceGroup": "target",
    }
    main = template(parameters={"p": {"type": "string"}})

    assert beyond(resource, main, p={"value": "out"}) == [
        group("target"),
        group("out-in"),
        group("out-in-v"),
        group("target-kept"),
        None,
    ]


def test_outer_scopes_see_the_parent_but_deploy_to_their_own() -> None:
    """Expressions are the parent's; a deployment without a scope goes where its parent goes."""
    inner = template(
        parameters={"p": {"type": "string", "defaultValue": "wrong"}},
        resources=[
            nested(resourceGroup="[parameters('p')]"),
            nested(resourceGroup="[concat(resourceGroup().name, '-x')]"),
            {**SITE, "scope": "Microsoft.Web/sites/t"},
        ],
    )
    main = template(parameters={"p": {"type": "string"}})

    assert beyond(nested(inner, resourceGroup="target"), main, p={"value": "right"}) == [
        group("target"),
        group("right"),
        group("rg-x"),
    ]


def test_parameters_that_nobody_can_read_are_not_known() -> None:
    """An expression in place of the parameters leaves holes, not wrong answers."""
    inner = template(
        parameters={"p": {"type": "string"}}, resources=[nested(resourceGroup="[parameters('p')]")]
    )
    options = {"scope": "inner"}
    whole = deployment(
        template=inner, expressionEvaluationOptions=options, parameters="[variables('x')]"
    )
    entry = deployment(
        template=inner, expressionEvaluationOptions=options, parameters={"p": "[variables('x')]"}
    )

    assert beyond(whole) == [None]
    assert beyond(entry) == [None]


def test_subscription_scopes_make_subscription_ids() -> None:
    """Inside a nested deployment to a subscription there is no group to fall back to."""
    inner = template(
        resources=[
            {**SITE, "scope": "[resourceId('Microsoft.Web/sites', 'x')]"},
            nested(resourceGroup="made"),
            nested(resourceGroup="[resourceGroup().name]"),
        ]
    )
    resource = {
        **deployment(template=inner, expressionEvaluationOptions={"scope": "inner"}),
        "subscriptionId": OTHER,
        "location": "westeurope",
    }

    assert beyond(resource) == [f"/subscriptions/{OTHER}", group("made", OTHER), None]


def test_tenant_scopes_know_no_subscription() -> None:
    """There, only what is written out is known."""
    inner = template(
        resources=[
            nested(scope="[subscription().id]"),
            nested(scope="[subscriptionResourceId('A.B/c', 'x')]"),
            nested(scope="[resourceId('A.B/c', 'x')]"),
            nested(resourceGroup="x"),
        ]
    )
    resource = {
        **deployment(template=inner, expressionEvaluationOptions={"scope": "inner"}),
        "scope": "/",
    }

    assert beyond(resource) == ["/", None, None, None, None]


@pytest.mark.parametrize(
    ("resource", "scope"),
    [
        ({**nested(resourceGroup="o"), "type": "[variables('kind')]"}, group("o")),
        ({**nested(), "type": "[uniqueString('x')]"}, None),
        ({**SITE, "type": "[uniqueString('x')]"}, None),
        ({**SITE, "type": None}, None),
        ({**SITE, "properties": "[variables('kind')]"}, "own"),
        ({**deployment(), "properties": "[variables('kind')]"}, None),
        (deployment(template="[variables('kind')]"), None),
        ({**deployment(template=EMPTY, deploymentScope=group("managed")),
          "type": "Microsoft.Resources/deploymentStacks"}, group("managed")),
        ({**deployment(template=EMPTY), "type": "Microsoft.Resources/deploymentStacks"}, "own"),
    ],
)  # fmt: skip
def test_what_hides_a_deployment_is_undecided(resource: dict[str, Any], scope: str | None) -> None:
    """A type or a template that only ARM would know may write anywhere."""
    main = template(variables={"kind": "Microsoft.Resources/deployments"})

    assert beyond(resource, main) == ([] if scope == "own" else [scope])


def test_texts_that_double_are_bounded() -> None:
    """A variable that doubles the one before it five hundred times is given up on."""
    doubling = {
        f"v{n}": f"[concat(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 60)
    }
    main = template(variables={"v0": "x", **doubling})

    assert beyond(nested(resourceGroup="[variables('v59')]"), main) == [None]
    assert beyond(nested(resourceGroup="[variables('v2')]"), main) == [group("xxxx")]


def test_depth_is_bounded() -> None:
    """Chains of variables, of accesses and of values end undecided, not in an overflow."""
    chain = {f"v{n}": f"[variables('v{n - 1}')]" for n in range(1, 500)}
    deep: Any = "x"
    for _ in range(150):
        deep = [deep]
    main = template(variables={"v0": "x", **chain, "deep": deep})
    expressions = [
        "[variables('v499')]",
        f"[variables('deep'){'[0]' * 60}]",
        f"[variables('deep'){'[0]' * 70}]",
        f"[{'concat(' * 70}'x'{')' * 70}]",
        f"[concat('{'x' * 25_000}')]",
        f"[{'concat(a' * 30}]",
    ]
    for each in expressions:
        assert beyond(nested(resourceGroup=each), main) == [None]


def test_an_escaped_text_is_a_text() -> None:
    """`[[x]` means `[x]`; a hole in a given text is never taken for known."""
    main = template(parameters={"p": {"type": "string"}})

    assert beyond(nested(resourceGroup="[[x]")) == [group("[x]")]
    assert beyond(nested(resourceGroup="[parameters('p')]"), main, p={"value": "a\0"}) == [None]


def test_parse_scope_keeps_the_current_one_for_relative_ids() -> None:
    """A child's id is relative to where its template goes."""
    current = Scope(SUBSCRIPTION, "rg")

    assert parse_scope("Microsoft.Web/sites/x", current) is current
    assert parse_scope(f"/SUBSCRIPTIONS/{OTHER.upper()}/RESOURCEGROUPS/A", current) == Scope(
        OTHER, "A"
    )
