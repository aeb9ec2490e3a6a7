"""Every scope that a template writes to is found, and what cannot be known is said to be so."""

import time
from typing import Any

import pytest

from local.arm.engine import plan
from shared.core import scopes
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
    ({"resourceGroup": "[take('rg-long', 5)]"}, group("rg-lo")),
    ({"resourceGroup": "[take(concat('rg-', uniqueString('x')), 3)]"}, group("rg-")),
    ({"resourceGroup": "[take(concat('rg-', uniqueString('x')), 4)]"}, UNKNOWN),
    ({"resourceGroup": "[take('rg', -1)]"}, UNKNOWN),
    ({"resourceGroup": "[createObject('a', 'made').A]"}, group("made")),
    ({"resourceGroup": "[createArray('a', 'made')[1]]"}, group("made")),
    ({"resourceGroup": "[createObject('a').a]"}, UNKNOWN),
    ({"resourceGroup": "[json('null')]"}, UNKNOWN),
    ({"resourceGroup": "[null()]"}, UNKNOWN),
    ({"resourceGroup": "[toLower('\u212a')]"}, UNKNOWN),
    ({"resourceGroup": "[variables('\u00c4')]"}, UNKNOWN),
    ({"resourceGroup": "[variables('twice').key]"}, UNKNOWN),
    ({"resourceGroup": "[variables('filled')]"}, UNKNOWN),
    ({"resourceGroup": "[format(variables('braces'), variables('long'))]"}, UNKNOWN),
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
        "copy": [{"name": "FILLED", "count": 2, "input": "a"}],
        "filled": "not this",
        "twice": {"Key": "a", "kEY": "b"},
        "\u00e4": "known",
        "braces": "{0}" * 200,
        "long": "x" * 8000,
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
    refused = {"circle", "twice"}  # the engine refuses a template with these, used or not
    variables = {k: each for k, each in NESTED_MAIN["variables"].items() if k not in refused}
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


ODD = [
    {"scope": f"subscriptions/{OTHER}/resourceGroups/other"},
    {"scope": f" /subscriptions/{OTHER}/resourceGroups/other"},
    {"scope": f"%2Fsubscriptions%2F{OTHER}%2FresourceGroups%2Fother"},
    {"scope": f"\\subscriptions\\{OTHER}\\resourceGroups\\other"},
    {"scope": "providers/Microsoft.Management/managementGroups/mg"},
    {"scope": "../other"},
    {"scope": f"{OWN}/../other"},
    {"scope": f"{OWN}//providers/Microsoft.Web/sites/x"},
    {"scope": f"{OWN}/other"},
    {"scope": f"[concat('{OWN}/', uniqueString('x'))]"},
    {"scope": f"[concat('{OWN}/providers/', uniqueString('x'))]"},
    {"scope": f"{OWN}/providers/Microsoft.Resources/resourceGroups/other"},
    {"scope": f"/\u017fubscriptions/{SUBSCRIPTION}/resourceGroups/rg"},
    {"scope": "Microsoft.Web/sites/x"},
    {"scope": OWN, "subscriptionId": OTHER, "resourceGroup": "other"},
    {"scope": OWN, "resourceGroup": "rg"},
    {"subscriptionId": f"{SUBSCRIPTION}/resourceGroups/rg"},
    {"subscriptionId": "not-a-guid", "resourceGroup": "rg"},
]


@pytest.mark.parametrize("members", ODD)
def test_what_is_no_known_form_of_a_scope_is_refused(members: dict[str, Any]) -> None:
    """The choke point does not guess what ARM makes of it; only known ids are allowed."""
    (found,) = beyond(nested(**members))

    assert found is None or scopes.parse(found) is None


@pytest.mark.parametrize(
    "written",
    [
        "Microsoft.Resources/deployments/plumbline.a.b",
        "Microsoft.Resources/deploymentStacks/x",
        "Microsoft.Resources/resourceGroups/other",
        "Microsoft.Resources/subscriptions/other",
        "[concat('Microsoft.Resources/', uniqueString('x'), '/x')]",
        f"{OWN}/providers/Microsoft.Resources/deployments/plumbline.a.b",
        "sites/x",
        "Microsoft.Web/sites",
        "Microsoft.Web/sites/../x",
    ],
)
def test_an_extension_goes_on_no_deployment_and_no_other_scope(written: str) -> None:
    """A tag on a deployment would be read as a stack's memory."""
    assert beyond({"type": "Microsoft.Resources/tags", "name": "default", "scope": written}) == [
        None
    ]


def test_existing_is_a_word_of_language_version_2_alone() -> None:
    """Elsewhere ARM ignores it, and deploys."""
    other = {"other": nested(resourceGroup="other", existing=True)}
    old = template(resources=list(other.values()), languageVersion="2.0")
    cases = [(template(resources=other), 1), (old, 1)]
    cases.append((template(resources=other, languageVersion="2.0"), 0))

    for main, count in cases:
        assert len(target_scopes(source_of(main))) == 1 + count
    inner = deployment(template=template(resources=list(other.values())))
    main = template(resources={"inner": inner}, languageVersion="2.0")
    assert len(target_scopes(source_of(main))) == 2


def refused(resource: dict[str, Any], **members: Any) -> list[tuple[str, str]]:
    """Return what is refused without a scope, as (code, path), also when it is nested."""
    main = template(resources=[resource], **members)
    inner = deployment(template=main, expressionEvaluationOptions={"scope": "inner"})
    outer = template(resources=[inner])
    once, twice = (
        [(each.code, each.path) for each in target_scopes(source_of(one)) if not each.decided]
        for one in (main, outer)
    )
    start = "template.resources[0].properties."
    assert [(code, f"{start}{path}") for code, path in once] == twice
    return once


@pytest.mark.parametrize("member", ["imports", "extensions", "Extensions"])
def test_a_template_brings_no_extensions(member: str) -> None:
    """Microsoft Graph's extension writes to the tenant's directory."""
    graph = {"graph": {"provider": "MicrosoftGraph", "version": "1.0.0"}}

    assert refused(SITE, **{member: graph}) == [
        ("ExtensionNotAllowed", f"template.{member.lower()}")
    ]
    assert refused(SITE, **{member: {}}) == []


@pytest.mark.parametrize(
    ("members", "at"),
    [
        ({"import": "graph", "type": "A.B/c"}, "import"),
        ({"extension": "graph", "type": "A.B/c"}, "extension"),
        ({"type": "Microsoft.Graph/applications@v1.0"}, "type"),
        ({"type": "[concat('Microsoft.Graph/applications', toLower('@V1.0'))]"}, "type"),
    ],
)
def test_a_resource_is_deployed_by_no_extension(members: dict[str, Any], at: str) -> None:
    """Where that writes no scope says."""
    path = f"template.resources[0].{at}"

    assert refused({"name": "x", "properties": {}, **members}) == [("ExtensionNotAllowed", path)]


@pytest.mark.parametrize(
    "kind", ["Microsoft.Resources/deployments", "microsoft.resources/deploymentStacks"]
)
@pytest.mark.parametrize(
    ("name", "is_refused"),
    [
        ("plumbline.example.web", True),
        ("PlumbLine.x", True),
        (" plumbline.x", True),
        ("plumbline", False),
        ("plumbline-x", False),
        ("web", False),
        ("[concat('plumb', 'line.', 'a.b')]", True),
        ("[concat('plumb', parameters('open'))]", True),
        ("[concat('web-', parameters('open'))]", False),
        ("[parameters('open')]", True),
        ("[parameters('known')]", False),
        ("[deployment().name]", True),
        ("[format('{0}-x', deployment().name)]", True),
        ("[format('x-{0}', deployment().name)]", False),
        ("[uniqueString('x')]", False),
        ("[format('{0}-x', uniqueString('x'))]", False),
        ("[toLower(concat(guid('x'), 'y'))]", False),
        ("[take(format('{0}-x', uniqueString(deployment().name)), 64)]", False),
        ("[concat(take(uniqueString('x'), 0), 'plumbline.a.b')]", True),
        ("[concat(take(uniqueString('x'), 9), '.a.b')]", True),
        ("[format('{0}{1}', '', uniqueString('x'))]", True),
        ("[format('{7}', uniqueString('x'))]", True),
        ("[format('{0}', copyIndex())]", False),
        ("[take(format('46d3xbcp.res.{0}', uniqueString('x')), 64)]", False),
        ("[nonsense]", True),
        (None, True),
    ],
)  # fmt: skip
def test_no_nested_deployment_passes_for_a_stacks_own(
    kind: str,
    name: Any,
    is_refused: bool,  # noqa: FBT001
) -> None:
    """Its name is the stack's mutex: a name that may begin with plumbline. is refused."""
    members = {
        "parameters": {
            "open": {"type": "string", "defaultValue": "[newGuid()]"},
            "known": {"type": "string", "defaultValue": "web"},
        }
    }
    found = refused({**nested(name=name), "type": kind}, **members)
    path = "template.resources[0].name"

    assert found == ([("DeploymentNameReserved", path)] if is_refused else [])


@pytest.mark.parametrize(
    ("tags", "is_refused"),
    [
        ({"team": "x"}, False),
        ({"Plumbline-Stack": "x"}, True),
        ({"plumbline-stack": None}, True),
        ({"[concat('plumbline', '-stack')]": "x"}, True),
        ("[createObject('team', uniqueString('x'))]", False),
        ("[createObject('plumbline-stack', 'x')]", True),
        ("[parameters('tags')]", True),
        ({f"tag{n}": "x" for n in range(51)}, True),
        ("[variables('tags')]", True),
    ],
)
def test_no_nested_deployment_has_a_stacks_tags(tags: Any, is_refused: bool) -> None:  # noqa: FBT001
    """Its tags are the stack's memory: tags that nobody knows are refused, too."""
    found = refused(nested(tags=tags), variables={"tags": {"plumbline-release": "1.1"}})

    expected = [("DeploymentNameReserved", "template.resources[0].tags")] if is_refused else []
    assert found == expected


def test_nothing_is_put_on_a_deployment_in_the_old_spelling() -> None:
    """A type in several parts names the resource that it extends."""
    old = {"type": "Microsoft.Resources/deployments/providers/tags", "name": "plumbline.a.b/x/y"}

    assert refused(old) == [("DeploymentNameReserved", "template.resources[0].type")]


def test_whose_own_parameters_an_expression_decides_nothing_is_known() -> None:
    """Whether a nested template sees its parent's or its own."""
    inner = template(
        parameters={"p": {"type": "string"}},
        resources=[nested(resourceGroup="[parameters('p')]")],
    )
    main = template(parameters={"p": {"type": "string", "defaultValue": "rg"}})
    for options in ({"scope": "[concat('inn', 'er')]"}, "[variables('o')]", {"scope": 5}):
        resource = deployment(
            template=inner,
            expressionEvaluationOptions=options,
            parameters={"p": {"value": "victim"}},
        )
        assert beyond(resource, main) == [None]


def test_groups_that_only_look_alike_are_two() -> None:
    """To ARM the Kelvin sign is no k, nor is the long s an s."""
    for name in ("rg-\u212a", "rg-\u017f"):
        found = target_scopes(
            {**source_of(template(resources=[nested(resourceGroup=name)])), "scope": group("rg-k")}
        )
        assert [each.scope for each in found] == [group("rg-k"), group(name)]


def test_members_that_nobody_finds_cost_little() -> None:
    """Three thousand times a name that an object of sixty thousand does not have."""
    big = {f"name{n}": n for n in range(60_000)}
    main = template(
        variables={"v": big},
        resources=[nested(resourceGroup="[variables('v').none]")] * 3000,
    )
    started = time.process_time()
    target_scopes(source_of(main))

    assert time.process_time() - started < 3.0


def test_an_undecided_scope_says_where_and_what() -> None:
    """So that the choke point can show the place in its refusal."""
    main = template(resources=[nested(resourceGroup="[uniqueString('x')]")])
    _, found = target_scopes(source_of(main))

    assert not found.decided
    assert found.path == "template.resources[0]"
    assert found.written == "resourceGroup: [uniqueString('x')]"


@pytest.mark.parametrize(
    "resource",
    [
        nested(scope=OWN, subscriptionId=OTHER),
        nested(tags=OWN),
        {**SITE, "type": f"{OWN}@x"},
        {**SITE, "type": OWN},
        {**SITE, "import": OWN},
    ],
)
def test_what_is_undecided_never_reads_like_a_scope(resource: dict[str, Any]) -> None:
    """Who compares what is written with what is allowed is not led astray."""
    _, *found = target_scopes(source_of(template(resources=[resource])))

    assert found
    for each in found:
        assert each.scope is None
        assert scopes.parse(each.written) is None


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
