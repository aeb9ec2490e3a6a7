"""Whatever one value of a repository becomes, the compiler answers: compiled, or problems."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.core.source.codes import PROBLEM_CODES
from shared.core.source.compile import compile_stack
from shared.core.source.faults import SourceError
from shared.core.source.resources import api_versions, namespaces
from shared.core.source.scopes import target_scopes
from tests.core.source.trees import (
    SUBSCRIPTION,
    VAULT,
    MemoryTree,
    deployment,
    parameters,
    stack,
    template,
)

FILES: dict[str, Any] = {
    "main.json": template(
        languageVersion="2.0",
        definitions={"d": {"type": "object", "properties": {"p": {"type": "securestring"}}}},
        parameters={
            "a": {"type": "string", "defaultValue": "[utcNow()]"},
            "b": {"$ref": "#/definitions/d"},
            "c": {"type": "array", "items": {"type": "int"}, "defaultValue": [1]},
            "s": {"type": "securestring"},
        },
        variables={"v": "[parameters('a')]", "o": {"k": ["x"]}},
        resources={
            "site": {
                "type": "Microsoft.Web/sites",
                "apiVersion": "2024-04-01",
                "name": "n",
                "scope": "[variables('o').k[0]]",
                "resources": [{"type": "config", "name": "n/c"}],
            },
            "linked": {
                **deployment(
                    templateLink={"relativePath": "linked.json", "contentVersion": "1.0.0.0"},
                    parametersLink={"relativePath": "linked.parameters.json"},
                    expressionEvaluationOptions={"scope": "inner"},
                ),
                "resourceGroup": "[variables('v')]",
                "subscriptionId": "[subscription().subscriptionId]",
            },
            "nested": deployment(
                template=template(resources=[{"type": "A.B/c", "name": "n"}]),
                expressionEvaluationOptions={"scope": "inner"},
                parameters={"x": {"value": "y"}},
            ),
        },
    ),
    "linked.json": template(
        parameters={"x": {"type": "securestring", "defaultValue": "[newGuid()]"}}
    ),
    "linked.parameters.json": parameters(
        x={"reference": {"keyVault": {"id": VAULT}, "secretName": "s"}}
    ),
    "p.json": parameters(
        b={"value": {}}, s={"reference": {"keyVault": {"id": VAULT}, "secretName": "s"}}
    ),
}
REPLACEMENTS: tuple[Any, ...] = (None, 5, "[x()]", [{}], {"x": {}})


def mutations(value: Any) -> Iterator[Any]:
    """Yield the value with each node in it replaced, and each member left out, once."""
    yield from REPLACEMENTS
    if isinstance(value, dict):
        for key, each in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield {(f"[{k}]" if k == key else k): v for k, v in value.items()}
            yield from ({**value, key: other} for other in mutations(each))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from ([*value[:index], other, *value[index + 1 :]] for other in mutations(each))


def answered(files: dict[str, Any]) -> bool:
    """Compile, and look at what was compiled; tell whether it could be. Raises nothing else."""
    tree = MemoryTree({name: json.dumps(each).encode() for name, each in files.items()})
    try:
        found = compile_stack(
            tree, "web", stack(parameters=("p.json",)), default_subscription=SUBSCRIPTION
        )
    except SourceError as error:
        incomplete = [
            each
            for each in error.problems
            if not (each.hint and each.file and each.code in PROBLEM_CODES)
        ]
        if incomplete or not error.problems:
            raise AssertionError(incomplete) from error
        return False
    assert all(each.line for each in found.warnings)
    assert target_scopes(found.source)
    assert isinstance(namespaces(found.source["template"]), frozenset)
    return bool(isinstance(api_versions(found.source["template"]), dict))


@pytest.mark.parametrize("file", list(FILES))
def test_every_mutation_is_answered(file: str) -> None:
    """Each node of each file becomes something else, once: never another exception."""
    results = [answered({**FILES, file: other}) for other in mutations(FILES[file])]

    assert len(results) > len(REPLACEMENTS)


def test_what_is_mutated_compiles() -> None:
    """Otherwise the mutations would show nothing."""
    assert answered(FILES)
