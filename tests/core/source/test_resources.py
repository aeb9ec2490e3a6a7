"""The types that a template deploys, to register providers and to read resources back."""

from shared.core.source.resources import api_versions, namespaces
from tests.core.source.trees import deployment, template

INNER = template(
    variables={"version": "2021-01-01"},
    resources=[{"type": "C.C/x", "apiVersion": "[variables('version')]", "name": "n"}],
)
MAIN = template(
    variables={"version": "2022-01-01", "kind": "F.F/y"},
    resources=[
        {"type": "A.A/x", "apiVersion": "2020-01-01", "name": "n"},
        {"type": "a.a/X", "apiVersion": "2023-01-01-preview", "name": "m"},
        {
            "type": "A.A/x",
            "apiVersion": "2019-01-01",
            "name": "p",
            "resources": [
                {"type": "child", "apiVersion": "[variables('version')]", "name": "c"},
                {"type": "B.B/ext", "apiVersion": "2022-02-02", "name": "c"},
            ],
        },
        {"type": "[variables('kind')]", "apiVersion": "[parameters('unknown')]", "name": "n"},
        {"type": "[parameters('unknown')]", "apiVersion": "2020-01-01", "name": "n"},
        {"type": "D.D/x", "name": "no version"},
        {
            "type": "A.A/x/providers/roleAssignments",
            "apiVersion": "2022-04-01",
            "name": "[concat('n', '/Microsoft.Authorization/', guid('x'))]",
        },
        {"type": "A.A/x/providers/other", "apiVersion": "2022-04-01", "name": "[guid('x')]"},
        deployment(template=INNER, expressionEvaluationOptions={"scope": "inner"}),
        deployment(template=INNER),
        deployment(template="[json('{}')]"),
    ],
)


def test_api_versions_by_type() -> None:
    """The newest for each, children and nested templates included, evaluated where they can be."""
    assert api_versions(MAIN) == {
        "a.a/x": "2023-01-01-preview",
        "a.a/x/child": "2022-01-01",
        "b.b/ext": "2022-02-02",
        "c.c/x": "2022-01-01",
        "microsoft.authorization/roleassignments": "2022-04-01",
        "microsoft.resources/deployments": "2024-03-01",
    }


def test_namespaces_to_register() -> None:
    """Each once, as it is spelled first."""
    assert namespaces(MAIN) == {
        "A.A",
        "B.B",
        "C.C",
        "D.D",
        "F.F",
        "Microsoft.Authorization",
        "Microsoft.Resources",
    }


def test_existing_resources_are_not_deployed() -> None:
    """They are somebody else's."""
    main = template(
        languageVersion="2.0",
        resources={
            "a": {"type": "A.A/x", "apiVersion": "2020-01-01", "existing": True, "name": "n"},
            "b": {"type": "B.B/x", "apiVersion": "2020-01-01", "name": "n"},
        },
    )

    assert namespaces(main) == {"B.B"}
    assert set(api_versions(main)) == {"b.b/x"}


def test_a_template_that_deploys_nothing() -> None:
    """There is nothing to register."""
    assert namespaces(template()) == frozenset()
    assert api_versions(template(resources=5)) == {}
