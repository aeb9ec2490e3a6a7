"""A template of language version 1.0 and its twin with symbolic names are one plan."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local.arm.engine import Plan, evaluate, plan
from tests.engine.twins import twin
from tests.engine.world import PREFIX, context, template

_KINDS = ("plain", "loop", "family", "inner", "outer")
_VALUES = st.sampled_from([
    1,
    "text",
    "[[escaped]",
    "[parameters('text')]",
    "[variables('list')[1]]",
    "[concat(parameters('text'), '-', string(variables('list')))]",
    "[if(parameters('yes'), 'a', reference('nowhere', '2024-01-01').b)]",
    {"copy": [{"name": "items", "count": 2, "input": {"i": "[copyIndex('items')]"}}]},
    {"[parameters('text')]": [None, True, "[deployment().name]"]},
])  # fmt: skip
_RESOURCES = st.lists(
    st.fixed_dictionaries({
        "kind": st.sampled_from(_KINDS),
        "condition": st.sampled_from([None, True, "[parameters('yes')]", "[not(parameters('yes'))]"]),
        "waits": st.sets(st.integers(0, 5), max_size=3),
        "by": st.sampled_from(["name", "id"]),
        "value": _VALUES,
        "count": st.integers(0, 3),
        "batch": st.sampled_from([None, 1, 2]),
        "asks": st.booleans(),
    }),
    min_size=1,
    max_size=6,
)  # fmt: skip
_PARAMETERS = {
    "yes": {"type": "bool", "defaultValue": True},
    "text": {"type": "string", "defaultValue": "t"},
}


class _Everything:
    """A runtime in which every resource exists and knows its own id."""

    def reference(self, resource_id: str, api_version: str | None, full: bool) -> Any:  # noqa: FBT001
        """Return properties that name the resource and how it was asked for."""
        return {"id": resource_id, "asked": [api_version, full]}

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:
        """Return what was asked."""
        return [resource_id, function, api_version, body]


@settings(max_examples=80, deadline=None)
@given(_RESOURCES)
def test_a_template_and_its_twin_with_symbolic_names_are_one_plan(
    described: list[dict[str, Any]],
) -> None:
    """Ids, types, bodies, dependencies, nested plans and outputs are the same."""
    first = _template(described)
    second = twin(first)

    assert _shown(plan(first, {}, context())) == _shown(plan(second, {}, context()))
    one, other = evaluate(first, {}, context()), evaluate(second, {}, context())
    assert one.outputs == other.outputs
    assert [item.id for item in one.resources] == [item.id for item in other.resources]


def _template(described: list[dict[str, Any]]) -> dict[str, Any]:
    resources = [_resource(index, one, described) for index, one in enumerate(described)]
    single = [index for index, one in enumerate(described) if one["kind"] in ("plain", "family")]
    return template(
        parameters=_PARAMETERS,
        variables={"list": [1, "[parameters('text')]"]},
        resources=resources,
        outputs={
            f"o{index}": {
                "type": "string",
                "condition": described[index]["condition"] is None,
                "value": f"[reference('r{index}').id]",
            }
            for index in single
        },
    )


def _resource(index: int, one: dict[str, Any], described: list[dict[str, Any]]) -> dict[str, Any]:
    name = f"r{index}"
    made: dict[str, Any] = {
        "type": "Microsoft.Rp/things",
        "apiVersion": "2024-01-01",
        "name": name,
        "properties": {"value": one["value"]},
        "dependsOn": [_entry(at, described[at], one["by"]) for at in sorted(one["waits"]) if at < index],
    }  # fmt: skip
    if one["condition"] is not None:
        made["condition"] = one["condition"]
    asked = [at for at in sorted(one["waits"]) if at < index and described[at]["kind"] == "plain"]
    if one["asks"] and asked:
        made["properties"]["asked"] = f"[reference('r{asked[0]}').id]"
    match one["kind"]:
        case "loop":
            batch = {} if one["batch"] is None else {"mode": "serial", "batchSize": one["batch"]}
            made["copy"] = {"name": f"loop{index}", "count": one["count"], **batch}
            made["name"] = f"[format('{name}-{{0}}', copyIndex())]"
            made["tags"] = {"at": "[string(copyIndex(5))]"}
        case "family":
            made["resources"] = [_child(name)]
        case "inner" | "outer":
            made |= _deployment(one)
    return made


def _child(parent: str) -> dict[str, Any]:
    return {
        "type": "parts",
        "apiVersion": "2024-01-01",
        "name": "p",
        "dependsOn": [parent],
        "properties": {"of": "[parameters('text')]"},
    }


def _deployment(one: dict[str, Any]) -> dict[str, Any]:
    inner = template(
        resources=[
            {
                "type": "Microsoft.Rp/things",
                "apiVersion": "2024-01-01",
                "name": "n",
                "properties": {"value": "[parameters('text')]"},
            }
        ],
        outputs={"o": {"type": "string", "value": "[reference('n').id]"}},
    )
    properties: dict[str, Any] = {"mode": "Incremental", "template": inner}
    if one["kind"] == "inner":
        inner["parameters"] = {"text": {"type": "string"}}
        properties["expressionEvaluationOptions"] = {"scope": "inner"}
        properties["parameters"] = {"text": {"value": "[parameters('text')]"}}
    return {"type": "Microsoft.Resources/deployments", "properties": properties}


def _entry(index: int, one: dict[str, Any], by: str) -> str:
    """Return the dependsOn entry for a resource: a loop by its name, others by name or id."""
    if one["kind"] == "loop":
        return f"loop{index}"
    if by == "name":
        return f"r{index}"
    nested = one["kind"] in ("inner", "outer")
    kind = "Microsoft.Resources/deployments" if nested else "Microsoft.Rp/things"
    return f"[resourceId('{kind}', 'r{index}')]"


def _shown(planned: Plan) -> dict[str, Any]:
    runtime = _Everything()
    resources = {}
    for item in planned.resources:
        body = item.body(runtime)
        nested = None
        if item.nested is not None:
            nested = _shown(item.nested.plan(runtime))
            body["properties"].pop("template")
        resources[item.id] = (item.type, item.name, body, set(item.depends_on), nested)
    assert all(resource_id.startswith(PREFIX) for resource_id in resources)
    return {"resources": resources, "outputs": planned.outputs(runtime)}
