"""Templates: their shape, and links that are read, refused and inlined."""

from typing import Any

import pytest

from tests.core.source.test_shop import evaluated
from tests.core.source.trees import (
    PARAMETERS_SCHEMA,
    SCHEMA,
    MemoryTree,
    compiled,
    deployment,
    link,
    parameters,
    problems_of,
    template,
    tree_of,
)

SITE = {"type": "Microsoft.Web/sites", "apiVersion": "2024-04-01", "name": "s"}


@pytest.mark.parametrize(
    ("main", "code", "path", "says"),
    [
        (b"[]", "InvalidTemplate", None, "not a JSON object"),
        (b"{", "NotJson", None, "key in double quotes"),
        ({"resources": []}, "InvalidTemplate", None, "$schema"),
        ({"$schema": SCHEMA}, "InvalidTemplate", None, "resources"),
        ({"$schema": 5, "resources": []}, "InvalidTemplate", "$schema", "$schema"),
        ({"$schema": "https://x/y.json", "resources": []}, "InvalidTemplate", "$schema", "$schema"),
        ({"$schema": SCHEMA, "resources": 5}, "InvalidTemplate", "resources", "resources"),
        ({"$schema": SCHEMA, "resources": "[x()]"}, "InvalidTemplate", "resources", "resources"),
        (template(resources=["[x()]"]), "InvalidTemplate", "resources", "objects"),
        (template(resources=[{**SITE, "[concat('sc', 'ope')]": "/"}]), "InvalidTemplate",
         "resources", "plain names"),
        (template(resources={"a": 5}), "InvalidTemplate", "resources", "objects"),
        (template(resources=[{**SITE, "resources": "[x()]"}]), "InvalidTemplate",
         "resources[0].resources", "objects"),
        ({"$schema": PARAMETERS_SCHEMA, "parameters": {}}, "InvalidTemplate", "$schema",
         "parameter file"),
        ({"$schema": SCHEMA.replace("deploymentT", "subscriptionDeploymentT"), "resources": []},
         "TemplateScopeUnsupported", "$schema", "a subscription"),
        ({"$schema": SCHEMA.replace("deploymentT", "tenantDeploymentT"), "resources": []},
         "TemplateScopeUnsupported", "$schema", "the tenant"),
        (template(resources=[deployment()]), "DeploymentNotLiteral",
         "resources[0].properties", "missing"),
        (template(resources=[deployment(template="[variables('t')]")]), "DeploymentNotLiteral",
         "resources[0].properties.template", "expression"),
        (template(resources=[deployment(template={"resources": "[x()]"})]), "DeploymentNotLiteral",
         "resources[0].properties.template", "expression"),
        (template(resources=[{**deployment(), "properties": "[variables('p')]"}]),
         "DeploymentNotLiteral", "resources[0].properties", "expression"),
        (template(resources=[{"type": "Microsoft.Resources/deployments", "name": "x"}]),
         "DeploymentNotLiteral", "resources[0]", "missing"),
        (template(resources=[{"type": "[variables('t')]", "properties": "[variables('p')]"}]),
         "DeploymentNotLiteral", "resources[0].properties", "expression"),
        (template(resources=[deployment(**{"[concat('template', 'Link')]": {"uri": "https://x"}})]),
         "DeploymentNotLiteral", "resources[0].properties", "expression"),
        (template(resources=[{"type": "Microsoft.Resources/deploymentStacks", "properties": {}}]),
         "DeploymentNotLiteral", "resources[0].properties", "missing"),
    ],
)  # fmt: skip
def test_a_wrong_template_says_why(main: Any, code: str, path: str | None, says: str) -> None:
    """Before ARM is asked, with the place in the file."""
    (problem,) = problems_of(tree_of(main=main))

    assert (problem.code, problem.file, problem.path) == (code, "main.json", path)
    assert says in problem.message


LINKS = "TemplateLinkNotAllowed"


@pytest.mark.parametrize(
    ("properties", "code", "path"),
    [
        ({"templateLink": {"uri": "https://x/a.json"}}, LINKS, "templateLink.uri"),
        ({"TemplateLink": {"URI": "[variables('u')]"}}, LINKS, "TemplateLink.URI"),
        ({"templateLink": {"id": "/subscriptions/x"}}, LINKS, "templateLink.id"),
        ({"templateLink": {"relativePath": "a.json", "uri": "x"}}, LINKS, "templateLink.uri"),
        ({"templateLink": {"relativePath": "a.json", "queryString": "x"}}, LINKS,
         "templateLink.queryString"),
        ({"templateLink": {}}, LINKS, "templateLink"),
        ({"templateLink": "[variables('l')]"}, LINKS, "templateLink"),
        ({"templateLink": {"relativePath": 5}}, LINKS, "templateLink"),
        ({"templateLink": {"relativePath": "[concat('a', '.json')]"}}, LINKS, "templateLink"),
        ({"template": template(), "parametersLink": {"uri": "https://x"}}, LINKS,
         "parametersLink.uri"),
        ({"templateLink": {"relativePath": "../../a.json"}}, "BadPath", "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "/a.json"}}, "BadPath", "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "https://x/a.json"}}, "BadPath",
         "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "..\\a.json"}}, "BadPath", "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "gone.json"}}, "FileNotFound",
         "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "Good.json"}}, "FileNotFound",
         "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "../l/good.json"}}, "SymlinkRefused",
         "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "../m/good.json"}}, "SubmoduleRefused",
         "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "../s"}}, "NotAFile", "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "good.json"}, "template": template()}, "InvalidTemplate",
         ""),
        ({"templateLink": {"relativePath": "good.json"}, "parametersLink": {"relativePath": "p.json"},
          "parameters": {}}, "InvalidTemplate", ""),
        ({"templateLink": {"relativePath": "good.json", "contentVersion": "2.0.0.0"}},
         "ContentVersionMismatch", "templateLink.contentVersion"),
        ({"templateLink": {"relativePath": "good.json"},
          "expressionEvaluationOptions": {"scope": "outer"}}, "InvalidTemplate",
         "expressionEvaluationOptions"),
        ({"templateLink": {"relativePath": "good.json"}, "expressionEvaluationOptions": 5},
         "InvalidTemplate", "expressionEvaluationOptions"),
        ({"template": template(), "parametersLink": {"relativePath": "good.json"}},
         "InvalidParameters", None),
        ({"templateLink": {"relativePath": "big.json"}}, "FileTooLarge",
         "templateLink.relativePath"),
        ({"templateLink": {"relativePath": "main.json"}}, "LinkCycle", "templateLink.relativePath"),
    ],
)  # fmt: skip
def test_a_wrong_link_says_why(properties: dict[str, Any], code: str, path: str | None) -> None:
    """The place is the link; nothing outside of the revision is ever named to ARM."""
    tree = tree_of(
        s__main=template(resources=[{**SITE, "resources": [deployment(**properties)]}]),
        s__good=template(),
        s__p=parameters(),
        s__big=b" " * (4 * 1024 * 1024 + 1),
    )
    tree.special = {"l": "symlink", "m": "submodule"}
    (problem,) = problems_of(tree, template="s/main.json")

    assert problem.code == code
    if path is not None:
        assert problem.file == "s/main.json"
        at = "resources[0].resources[0].properties"
        assert problem.path == (f"{at}.{path}" if path else at)


def test_a_cycle_is_told_with_its_chain() -> None:
    """Who links to whom, in order, so that the right link is removed."""
    tree = tree_of(
        main=template(resources=[link("a/b.json")]),
        a__b=template(resources=[link("c.json")]),
        a__c=template(resources=[link("../a/b.json")]),
    )
    (problem,) = problems_of(tree)

    assert problem.code == "LinkCycle"
    assert "a/b.json -> a/c.json -> a/b.json" in problem.message
    assert problem.file == "a/c.json"


def test_links_are_inlined_where_they_were() -> None:
    """At any depth, each relative to its own file, evaluated in its own scope, all in `files`."""
    tree = tree_of(
        s__main=template(resources=[link("../m/a.json", parameters={"x": {"value": "[v()]"}})]),
        m__a=template(
            parameters={"x": {"type": "string"}},
            resources=[deployment(template=template(resources=[link("./d/b.json")]))],
        ),
        m__d__b=template(resources={"symbol": SITE}, languageVersion="2.0"),
    )
    found = compiled(tree, template="s/main.json")
    outer = found.source["template"]["resources"][0]["properties"]
    middle = outer["template"]["resources"][0]["properties"]
    inner = middle["template"]["resources"][0]["properties"]

    assert outer["expressionEvaluationOptions"] == {"scope": "inner"}
    assert outer["parameters"] == {"x": {"value": "[v()]"}}
    assert "templateLink" not in outer
    assert "expressionEvaluationOptions" not in middle
    assert inner["template"]["resources"] == {"symbol": SITE}
    assert set(found.files) == {"s/main.json", "m/a.json", "m/d/b.json"}


def test_inner_may_be_said_and_version_may_be_asked_for() -> None:
    """What means the same as the default is taken."""
    tree = tree_of(
        main=template(
            resources=[
                deployment(
                    templateLink={"relativePath": "a.json", "contentVersion": "1.0.0.0"},
                    ExpressionEvaluationOptions={"Scope": "Inner"},
                )
            ]
        ),
        a=template(),
    )
    properties = compiled(tree).source["template"]["resources"][0]["properties"]

    assert properties["expressionEvaluationOptions"] == {"scope": "inner"}
    assert "ExpressionEvaluationOptions" not in properties


def test_linked_parameter_files_are_data() -> None:
    """What looks like an expression in them reaches ARM as the text it was."""
    reference = {
        "keyVault": {
            "id": "/subscriptions/a/resourceGroups/b/providers/Microsoft.KeyVault/vaults/c"
        },
        "secretName": "s",
    }
    tree = tree_of(
        main=template(
            resources=[
                deployment(
                    templateLink={"relativePath": "a.json"},
                    parametersLink={"relativePath": "p.json"},
                )
            ]
        ),
        a=template(parameters={"t": {"type": "object"}, "s": {"type": "securestring"}}),
        p=parameters(
            t={"value": {"[k]": ["[x()]", "[[y]", "[z", "plain", 1]}}, s={"reference": reference}
        ),
    )
    found = compiled(tree)
    properties = found.source["template"]["resources"][0]["properties"]

    assert properties["parameters"] == {
        "t": {"value": {"[[k]": ["[[x()]", "[[[y]", "[z", "plain", 1]}},
        "s": {"reference": reference},
    }
    assert "parametersLink" not in properties
    assert "p.json" in found.files


def test_linked_parameters_reach_the_linked_template_as_written() -> None:
    """The template engine evaluates the nested deployment to what the parameter file holds."""
    texts = ["[x()]", "[[y]", "[z", "plain", "", "[]", "it's"]
    tree = tree_of(
        main=template(
            resources=[
                deployment(
                    templateLink={"relativePath": "a.json"},
                    parametersLink={"relativePath": "p.json"},
                )
            ]
        ),
        a=template(
            parameters={"t": {"type": "array"}},
            outputs={"t": {"type": "array", "value": "[parameters('t')]"}},
        ),
        p=parameters(t={"value": texts}),
    )
    (resource,) = evaluated(compiled(tree)).resources
    assert resource.nested is not None

    assert resource.nested.outputs["t"]["value"] == texts


def test_what_is_no_deployment_of_ours_is_left_alone() -> None:
    """`templateLink` elsewhere is data; an existing deployment is only read."""
    resources = [
        {**SITE, "properties": {"templateLink": {"uri": "https://x"}}},
        {"type": "[variables('t')]", "name": "x", "properties": {"a": 1}},
        {"type": "[variables('t')]", "name": "y"},
        {"type": "Microsoft.Resources/deployments", "existing": True, "name": "z"},
    ]
    found = compiled(tree_of(main=template(resources=resources)))

    assert found.source["template"]["resources"] == resources


def test_all_problems_of_all_files_are_told_at_once() -> None:
    """A problem in one linked file does not hide those in the next, and is told once."""
    tree = tree_of(
        main=template(resources=[link("a.json"), link("b.json"), link("b.json"), link("c.json")]),
        a=b"{",
        b={"$schema": SCHEMA},
        c=template(resources=[deployment(templateLink={"uri": "x"})]),
        p=b"[]",
    )
    found = problems_of(tree, parameters=("p.json", "q.json"))

    assert [(each.code, each.file) for each in found] == [
        ("NotJson", "a.json"),
        ("InvalidTemplate", "b.json"),
        ("TemplateLinkNotAllowed", "c.json"),
        ("InvalidParameters", "p.json"),
        ("FileNotFound", "plumbline.yaml"),
    ]


def test_links_that_multiply_are_bounded() -> None:
    """Twenty small files that each link twice to the next would be a million templates."""
    files = {f"f{n}": template(resources=[link(f"f{n + 1}.json")] * 2) for n in range(30)}
    tree = tree_of(main=template(resources=[link("f0.json")]), f30=template(), **files)
    codes = {each.code for each in problems_of(tree)}

    assert codes == {"TemplateTooLarge"}


def test_links_that_go_deep_are_bounded() -> None:
    """A chain that no nesting of JSON could hold ends with a problem."""
    files = {f"f{n}": template(resources=[link(f"f{n + 1}.json")]) for n in range(60)}
    tree = tree_of(main=template(resources=[link("f0.json")]), f60=template(), **files)
    (problem,) = problems_of(tree)

    assert problem.code == "TooDeep"


@pytest.mark.parametrize(("files", "levels"), [(5, 20), (40, 24), (2, 24), (3, 20)])
def test_nesting_that_adds_up_over_links_is_bounded(files: int, levels: int) -> None:
    """Each file is fair; together they are deeper than JSON for ARM may be."""

    def deep(innermost: dict[str, Any]) -> dict[str, Any]:
        nested = template(resources=[innermost])
        for _ in range(levels):
            nested = template(resources=[deployment(template=nested)])
        return nested

    chain = {f"f{n}": deep(link(f"f{n + 1}.json")) for n in range(files)}
    tree = tree_of(main=template(resources=[link("f0.json")]), **chain, **{f"f{files}": template()})

    assert {each.code for each in problems_of(tree)} == {"TooDeep"}


def test_children_that_nest_deep_are_bounded() -> None:
    """The limit counts over links; a child below a child below a child is no way around it."""

    def deep(innermost: dict[str, Any]) -> dict[str, Any]:
        for _ in range(45):
            innermost = {**SITE, "resources": [innermost]}
        return template(resources=[innermost])

    tree = tree_of(main=deep(link("a.json")), a=deep(link("b.json")), b=template())
    (problem,) = problems_of(tree)

    assert (problem.code, problem.file) == ("TooDeep", "a.json")


def test_too_many_files_are_refused() -> None:
    """A stack reads a bounded number of files."""
    files = {f"f{n}": template() for n in range(300)}
    tree = tree_of(main=template(resources=[link(f"f{n}.json") for n in range(300)]), **files)

    assert "TooManyFiles" in {each.code for each in problems_of(tree)}


def test_a_template_file_that_is_none() -> None:
    """The place is the manifest, which names it."""
    tree = MemoryTree({"d/x": b""}, {"l": "symlink"})
    cases = {
        "main.json": "FileNotFound",
        "d": "NotAFile",
        "l": "SymlinkRefused",
        "l/main.json": "SymlinkRefused",
    }
    for path, code in cases.items():
        (problem,) = problems_of(tree, template=path)
        assert (problem.code, problem.file, problem.path) == (code, "plumbline.yaml", "template")


def test_lines_are_those_of_the_file() -> None:
    """A problem inside a formatted file points at its line."""
    text = b"""{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  // a comment
  "resources": [
    {
      "type": "microsoft.resources/DEPLOYMENTS",
      "properties": {
        "templateLink": {
          "uri": "https://example.org/a.json"
        }
      }
    }
  ]
}
"""
    (problem,) = problems_of(tree_of(main=text))

    assert (problem.line, problem.path) == (9, "resources[0].properties.templateLink.uri")
