"""Parameters: who wins, what does not fit, and secrets that must not be in Git."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from shared.core.source.spec import Origin
from tests.core.source.trees import (
    PARAMETERS_SCHEMA,
    VAULT,
    compiled,
    deployment,
    link,
    parameters,
    problems_of,
    template,
    tree_of,
)

REFERENCE = {"keyVault": {"id": VAULT}, "secretName": "password"}
SECRET = "hunter2-hunter2"


def declaring(**types: Any) -> dict[str, Any]:
    """Return a template that declares parameters; a text is short for {"type": text}."""
    return template(
        parameters={
            name: {"type": each} if isinstance(each, str) else each for name, each in types.items()
        }
    )


def test_later_files_win_and_values_last() -> None:
    """Per parameter, whatever its case; the template's spelling goes to ARM."""
    tree = tree_of(
        main=declaring(Alpha="string", beta="int", gamma="object", delta="string"),
        a=parameters(alpha={"value": "a"}, beta={"value": 1}, gamma={"value": {"x": 1, "y": 2}}),
        b=parameters(BETA={"value": 2}, gamma={"value": {"x": 3}}, delta={"value": "b"}),
    )
    found = compiled(tree, parameters=("a.json", "b.json"), values={"Delta": "v"})

    assert found.source["parameters"] == {
        "Alpha": {"value": "a"},
        "beta": {"value": 2},
        "gamma": {"value": {"x": 3}},
        "delta": {"value": "v"},
    }


def test_references_to_a_key_vault_pass_through() -> None:
    """From files and from values, with or without a version; a value over a reference wins."""
    versioned = {**REFERENCE, "secretVersion": "abc"}
    tree = tree_of(
        main=declaring(a="secureString", b="SECUREOBJECT", c="string"),
        p=parameters(a={"reference": REFERENCE}, c={"reference": REFERENCE}),
    )
    found = compiled(
        tree, parameters=("p.json",), values={"b": {"reference": versioned}, "c": "plain"}
    )

    assert found.source["parameters"] == {
        "a": {"reference": REFERENCE},
        "b": {"reference": versioned},
        "c": {"value": "plain"},
    }
    assert found.warnings == ()


def test_a_secret_for_a_plain_parameter_is_a_warning() -> None:
    """ARM would show it to everybody who may read the deployment."""
    tree = tree_of(main=declaring(a="string"), p=parameters(a={"reference": REFERENCE}))
    (warning,) = compiled(tree, parameters=("p.json",)).warnings

    assert (warning.code, warning.file, warning.path, warning.line) == (
        "SecretNotSecure",
        "p.json",
        "parameters.a",
        1,
    )
    assert warning.hint


@pytest.mark.parametrize(
    ("content", "code", "path", "says"),
    [
        (b"[]", "InvalidParameters", None, "not a JSON object"),
        (b"{", "NotJson", None, "key"),
        (template(), "InvalidParameters", None, "template"),
        ({"$schema": "https://x/y.json", "parameters": {}}, "InvalidParameters", "$schema",
         "$schema"),
        ({"$schema": PARAMETERS_SCHEMA}, "InvalidParameters", None, "no object"),
        ({"parameters": []}, "InvalidParameters", "parameters", "no object"),
        (parameters(a=5), "InvalidParameters", "parameters.a", "not an object"),
        (parameters(a={}), "InvalidParameters", "parameters.a", "neither"),
        (parameters(a={"value": 1, "reference": REFERENCE}), "InvalidParameters", "parameters.a",
         "both"),
        (parameters(a={"expression": "[x()]"}), "InvalidParameters", "parameters.a", "expression"),
        (parameters(a={"reference": 5}), "BadReference", "parameters.a", "not an object"),
        (parameters(a={"reference": {}}), "BadReference", "parameters.a", "keyVault.id"),
        (parameters(a={"reference": {"keyVault": "x"}}), "BadReference", "parameters.a",
         "keyVault.id"),
        (parameters(a={"reference": {"keyVault": {"id": "kv"}, "secretName": "x"}}),
         "BadReference", "parameters.a", "keyVault.id"),
        (parameters(a={"reference": {"keyVault": {"id": VAULT}}}), "BadReference", "parameters.a",
         "secretName"),
        (parameters(a={"reference": {**REFERENCE, "secretName": ""}}), "BadReference",
         "parameters.a", "secretName"),
        (parameters(a={"reference": {**REFERENCE, "secretVersion": 1}}), "BadReference",
         "parameters.a", "secretVersion"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_file_says_why(
    content: Any, code: str, path: str | None, says: str
) -> None:
    """With the place in the file."""
    tree = tree_of(main=declaring(a="string"), p=content)
    (problem,) = problems_of(tree, parameters=("p.json",))

    assert (problem.code, problem.file, problem.path) == (code, "p.json", path)
    assert says in problem.message


def test_a_wrong_reference_among_the_values() -> None:
    """The place is the manifest's line."""
    (problem,) = problems_of(
        tree_of(main=declaring(a="securestring")),
        values={"a": {"reference": {"keyVault": {"id": "kv"}}}},
        origin=Origin("plumbline.yaml", "stacks.web", {"stacks.web.values.a": 7}),
    )

    assert (problem.code, problem.path, problem.line) == (
        "BadReference",
        "stacks.web.values.a",
        7,
    )


def test_unknown_parameters_get_a_guess() -> None:
    """Most of them are misspelled."""
    tree = tree_of(main=declaring(location="string"), p=parameters(locaton={"value": "x"}))
    unknown, missing = problems_of(tree, parameters=("p.json",))

    assert (unknown.code, unknown.file, unknown.path) == (
        "ParameterUnknown",
        "p.json",
        "parameters.locaton",
    )
    assert unknown.hint == "Did you mean 'location'?"
    assert (missing.code, missing.file, missing.path) == (
        "ParameterMissing",
        "main.json",
        "parameters.location",
    )


def test_long_lists_are_cut() -> None:
    """A hint names some of many parameters, and of many problems the first are told."""
    tree = tree_of(main=declaring(**{f"p{n:02}": "int" for n in range(80)}))
    found = problems_of(tree, values={"zzzzzz": 1})

    assert found[0].hint == f"Known here: {', '.join(f'p{n:02}' for n in range(12))} and 68 more."
    assert len(found) == 50


def test_a_template_without_parameters_says_so() -> None:
    """There is nothing to guess."""
    (problem,) = problems_of(tree_of(main=template()), values={"a": 1})

    assert problem.hint == "The template declares no parameters."


def test_defaults_and_nullable_need_no_value() -> None:
    """Only what has neither is missing."""
    tree = tree_of(
        main=declaring(
            a={"type": "string", "defaultValue": ""},
            b={"type": "string", "nullable": True},
            c={"$ref": "#/definitions/c"},
        )
        | {"definitions": {"c": {"type": "int", "nullable": True}}}
    )

    assert compiled(tree).source["parameters"] == {}
    assert compiled(tree, values={"b": None}).source["parameters"] == {"b": {"value": None}}


@pytest.mark.parametrize(
    ("kind", "fits", "others"),
    [
        ("string", ["", "5", "[x()]"], [5, True, None, [], {}, 1.5]),
        ("int", [0, -5], ["5", True, None, 1.5, 1.0, []]),
        ("Bool", [True, False], ["true", 1, 0, None]),
        ("ARRAY", [[], [1, "a"]], ["[]", {}, None, 1]),
        ("object", [{}, {"a": 1}], ["{}", [], None, 1]),
        ("unheard-of", [1, "a", []], [None]),
    ],
)
def test_types(kind: str, fits: list[Any], others: list[Any]) -> None:
    """A value of another type is told before ARM is asked, with both types and no value."""
    tree = tree_of(main=declaring(a=kind))
    for value in fits:
        assert compiled(tree, values={"a": value}).source["parameters"] == {"a": {"value": value}}
    for value in others:
        (problem,) = problems_of(tree, values={"a": value})
        assert (problem.code, problem.path) == ("ParameterType", "values.a")


def test_a_parameter_without_a_type() -> None:
    """ARM has its own word on it; a value is let through."""
    assert compiled(tree_of(main=declaring(a={})), values={"a": 1}).source["parameters"]
    assert compiled(tree_of(main=declaring(a=5)), values={"a": 1}).source["parameters"]


DEFINITIONS = {
    "secret": {"type": "securestring"},
    "login": {"type": "object", "properties": {"Name": {"type": "string"},
                                              "password": {"$ref": "#/definitions/secret"}}},
    "loop": {"$ref": "#/definitions/loop"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "value", "inside"),
    [
        ({"type": "securestring"}, SECRET, "a"),
        ({"type": "SecureString"}, SECRET, "a"),
        ({"type": "SECURESTRING"}, "[parameters('x')]", "a"),
        ({"type": "secureObject"}, {"password": SECRET}, "a"),
        ({"type": "secureobject"}, SECRET, "a"),
        ({"type": "securestring"}, 5, "a"),
        ({"$ref": "#/definitions/secret"}, SECRET, "a"),
        ({"$ref": "#/definitions/login"}, {"name": "x", "PASSWORD": SECRET}, "a.PASSWORD"),
        ({"type": "array", "items": {"$ref": "#/definitions/login"}}, [{}, {"password": SECRET}],
         "a[1].password"),
        ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "securestring"}]},
         ["x", SECRET], "a[1]"),
        ({"type": "object", "additionalProperties": {"type": "securestring"}}, {"k": SECRET}, "a.k"),
    ],
)  # fmt: skip
def test_a_secret_in_git_is_refused(shape: dict[str, Any], value: Any, inside: str) -> None:
    """From values, from a parameter file, and as a default; the secret itself is never told."""
    main = declaring(a=shape) | {"definitions": DEFINITIONS}
    by_value = problems_of(tree_of(main=main), values={"a": value})
    by_file = problems_of(
        tree_of(main=main, p=parameters(a={"value": value})), parameters=("p.json",)
    )

    for problem in (*by_value, *by_file):
        assert problem.code == "SecretInGit"
        assert repr(inside) in problem.message
        assert "Key Vault" in (problem.hint or "")
        assert SECRET not in repr(problem)


@pytest.mark.parametrize(
    ("default", "refused"),
    [
        (SECRET, True),
        ("[[escaped]", True),
        ({"password": SECRET}, True),
        ("", False),
        (None, False),
        ({}, False),
        ("[newGuid()]", False),
        ("[parameters('other')]", False),
        ({"password": "[parameters('other')]"}, False),
        ({"passwords": ["[parameters('other')]"]}, False),
    ],
)
@pytest.mark.parametrize("kind", ["secureString", "secureobject"])
def test_defaults_of_secure_parameters(kind: str, default: Any, refused: bool) -> None:  # noqa: FBT001
    """Empty and evaluated ones are fine; a literal is a secret in Git."""
    main = declaring(
        a={"type": kind, "defaultValue": default}, other={"type": "string", "defaultValue": ""}
    )
    if not refused:
        compiled(tree_of(main=main))
        return
    (problem,) = problems_of(tree_of(main=main))

    assert (problem.code, problem.path) == ("SecretInGit", "parameters.a.defaultValue")
    assert SECRET not in repr(problem)


DISGUISES: list[tuple[Any, bool]] = [
    (f"['{SECRET}']", True),
    ("[concat('hunter2', '-hunter2')]", True),
    ("[base64ToString('aHVudGVyMg==')]", True),
    ("[ns.hidden('x')]", True),
    ('[json(\'{"a": "b"}\').a]', True),
    ("[string(1234)]", True),
    ("[uniqueString('x')]", True),
    ("[variables('v')]", True),
    ("[variables('config').password]", True),
    ("[variables('config')['PASSWORD']]", True),
    ("[base64ToString(variables('v'))]", True),
    ("[parameters('plain')]", True),
    ("[concat(parameters('empty'), 'x')]", True),
    ("[variables('config').name]", False),
    ("[variables('none')]", False),
    ("[parameters('empty')]", False),
    ("[parameters('secure')]", False),
    ("[parameters('given')]", False),
    ("['']", False),
    ("[null()]", False),
    ("[json('null')]", False),
    ("[resourceGroup().name]", False),
    ("[uniqueString(resourceGroup().id)]", False),
    ("[concat('P1-', uniqueString(subscription().id), newGuid())]", False),
    ("[listKeys('x', '2024-01-01').keys[0].value]", False),
    ("[reference('x').secret]", False),
    ("[nonsense]", False),
]


def disguising(value: Any, kind: str = "securestring") -> dict[str, dict[str, Any]]:
    """Return templates that say a secret as a default or hand it to another template."""
    around: dict[str, Any] = {
        "variables": {
            "v": SECRET,
            "config": {"password": SECRET, "name": "[resourceGroup().name]"},
        },
        "parameters": {
            "plain": {"type": "string", "defaultValue": SECRET},
            "empty": {"type": "string", "defaultValue": ""},
            "secure": {"type": "securestring", "defaultValue": "[newGuid()]"},
            "given": {"type": "securestring"},
        },
    }
    declares = {"p": {"type": kind}}
    default = {"p": {"type": kind, "defaultValue": value}}
    inner = {"scope": "inner"}
    whole = {"parameters": {**around["parameters"], **default}}
    given = deployment(
        template=template(parameters=declares),
        expressionEvaluationOptions=inner,
        parameters={"p": {"value": value}},
    )
    linked = link("m.json", parameters={"p": {"value": value}})
    return {
        "default": template(**(around | whole)),
        "outer": template(**around, resources=[deployment(template=template(parameters=default))]),
        "inner": template(**around, resources=[given]),
        "linked": template(**around, resources=[linked]),
    }


@pytest.mark.parametrize("where", ["default", "outer", "inner", "linked"])
@pytest.mark.parametrize(("value", "refused"), DISGUISES)
def test_a_secret_is_one_in_any_disguise(where: str, value: str, refused: bool) -> None:  # noqa: FBT001
    """An expression that always gives the same is a literal; what Azure or a vault says is none."""
    tree = tree_of(main=disguising(value)[where], m=declaring(p="securestring"))
    values = {"given": {"reference": REFERENCE}}
    if not refused:
        compiled(tree, values=values)
        return
    (problem,) = problems_of(tree, values=values)

    assert problem.code == "SecretInGit"
    assert SECRET not in repr(problem)
    assert "aHVudGVyMg" not in repr(problem)


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ({"a": SECRET, "b": "[resourceGroup().name]"}, True),
        ({"a": [{"b": "[newGuid()]"}, "[concat('x')]"]}, True),
        ("[createObject('a', newGuid(), 'b', 'x')]", True),
        ("[variables('config')]", True),
        ({"copy": [{"name": "x", "count": 2, "input": SECRET}]}, True),
        ({"copy": [{"name": "x", "count": 2, "input": "[newGuid()]"}]}, False),
        ({"user": "[parameters('plain')]", "b": "[parameters('given')]"}, False),
        ({"a": "", "b": None, "c": [{}]}, False),
        ("[createObject('a', newGuid())]", False),
    ],
)
@pytest.mark.parametrize("where", ["default", "outer", "inner"])
def test_each_part_of_a_secret_object_counts(where: str, value: Any, refused: bool) -> None:  # noqa: FBT001
    """A text beside an expression is in Git; a plain parameter's is no secret by its declaration."""
    tree = tree_of(main=disguising(value, "secureObject")[where])
    values = {"given": {"reference": REFERENCE}}
    if not refused:
        compiled(tree, values=values)
        return

    assert [each.code for each in problems_of(tree, values=values)] == ["SecretInGit"]


def cpu_s(run: Callable[[], Any]) -> float:
    """Return the CPU seconds that a call takes."""
    started = time.process_time()
    run()
    return time.process_time() - started


def test_variables_that_multiply_are_given_up() -> None:
    """Sixty variables that each hold the one before twice are never looked at as a whole."""
    doubling: dict[str, Any] = {
        f"v{n}": {"a": f"[variables('v{n - 1}')]", "b": f"[variables('v{n - 1}')]"}
        for n in range(1, 40)
    }
    main = declaring(p={"type": "secureObject", "defaultValue": "[variables('v39')]"})
    main["variables"] = {"v0": "[newGuid()]", **doubling}
    found: list[Any] = []

    assert cpu_s(lambda: found.extend(problems_of(tree_of(main=main)))) < 5.0
    assert [each.code for each in found] == ["TooManyValues"]


def test_looking_up_many_names_costs_little() -> None:
    """Definitions that nobody wrote, beside many others; properties in another case."""
    many = {f"name{n}": {"type": "string"} for n in range(20_000)}
    shape = {"type": "object", "properties": many}
    value = {f"NAME{n}": "x" for n in range(20_000)}
    lost = {f"p{n}": {"$ref": "#/definitions/none", "defaultValue": 1} for n in range(10_000)}
    main = declaring(a=shape, **lost) | {"definitions": many}

    assert cpu_s(lambda: compiled(tree_of(main=main), values={"a": value})) < 10.0


def test_many_unknown_parameters_beside_many_known_ones_are_told_soon() -> None:
    """Looking for the nearest of 20,000 names, fifty times, would take a minute."""
    known = {
        f"parameterNumber{n:05d}abc": {"type": "int", "defaultValue": 1} for n in range(20_000)
    }
    given = {f"parameterNumbre{n:05d}abd": {"value": 1} for n in range(50)}
    tree = tree_of(main=template(parameters=known), p=parameters(**given))
    found: list[Any] = []

    assert cpu_s(lambda: found.extend(problems_of(tree, parameters=("p.json",)))) < 10.0
    assert {each.code for each in found} == {"ParameterUnknown"}


def test_empty_values_are_no_secrets() -> None:
    """Switching something off with an empty text is allowed."""
    tree = tree_of(main=declaring(a="securestring", b="secureObject"))

    assert compiled(tree, values={"a": "", "b": {}}).source["parameters"]


def test_definitions_in_circles_end() -> None:
    """A definition that refers to itself is nobody's secret."""
    main = declaring(a={"$ref": "#/definitions/loop"}) | {"definitions": DEFINITIONS}

    assert compiled(tree_of(main=main), values={"a": "x"}).source["parameters"]


def test_long_chains_of_definitions_are_followed() -> None:
    """From every beginning, whichever was looked at first."""
    chain = {f"d{n}": {"$ref": f"#/definitions/D{n + 1}"} for n in range(1500)}
    main = declaring(a={"$ref": "#/definitions/d0"}, b={"$ref": "#/definitions/d1400"})
    main["definitions"] = {**chain, "d1500": {"type": "securestring"}}

    found = problems_of(tree_of(main=main), values={"a": SECRET, "b": SECRET})
    assert [each.code for each in found] == ["SecretInGit", "SecretInGit"]


def test_secrets_in_linked_templates_are_found() -> None:
    """In what the link passes, in a linked parameter file, and in defaults, each in its own file."""
    linked = declaring(
        a="securestring", b={"type": "securestring", "defaultValue": SECRET}, c="secureObject"
    )
    nested = deployment(
        expressionEvaluationOptions={"scope": "Inner"},
        template=declaring(d={"type": "securestring", "defaultValue": SECRET}),
    )
    tree = tree_of(
        main=template(
            resources=[
                link("m.json", parameters={"A": {"value": SECRET}, "c": {"value": {"x": SECRET}}}),
                nested,
            ]
        ),
        m=linked,
    )
    found = problems_of(tree)

    assert [(each.code, each.file, each.path) for each in found] == [
        ("SecretInGit", "main.json", "resources[0].properties.parameters.a"),
        ("SecretInGit", "m.json", "parameters.b.defaultValue"),
        ("SecretInGit", "main.json", "resources[0].properties.parameters.c"),
        ("SecretInGit", "main.json", "resources[1].properties.template.parameters.d.defaultValue"),
    ]
    assert SECRET not in repr(found)


def test_secrets_that_linked_templates_get_evaluated_are_fine() -> None:
    """An expression hands a secret on without naming it; so does a reference."""
    tree = tree_of(
        main=template(
            parameters={
                "p": {"type": "securestring", "defaultValue": ""},
                "user": {"type": "string", "defaultValue": "x"},
            },
            resources=[
                link(
                    "m.json",
                    parameters={
                        "a": {"value": "[parameters('p')]"},
                        "b": {"reference": REFERENCE},
                        "c": {
                            "value": {
                                "user": "[parameters('user')]",
                                "password": "[parameters('p')]",
                            }
                        },
                        "d": "[variables('entry')]",
                    },
                ),
                link("m.json", parameters="[variables('all')]"),
            ],
        ),
        m=declaring(a="securestring", b="securestring", c="secureObject", d="securestring"),
    )

    assert compiled(tree).warnings == ()


@pytest.mark.parametrize(
    ("default", "calls"),
    [
        ("[utcNow()]", "utcNow()"),
        ("[UTCNOW('d')]", "utcNow()"),
        ("[concat('a', newGuid())]", "newGuid()"),
        ("[concat(utcNow(), newGuid())]", "newGuid() and utcNow()"),
        ({"deep": ["[guid(newGuid())]"]}, "newGuid()"),
        ("[concat('utcNow()')]", None),
        ("utcNow()", None),
        ("[[utcNow()]", None),
        ("[utcNow(]", None),
        (None, None),
    ],
)
def test_a_default_that_changes_by_itself_is_a_warning(default: Any, calls: str | None) -> None:
    """Such a stack is never quiet, unless the parameter is given."""
    tree = tree_of(main=declaring(a={"type": "object", "defaultValue": default}))
    warnings = compiled(tree).warnings

    assert compiled(tree, values={"A": {}}).warnings == ()
    assert [(each.code, each.path) for each in warnings] == (
        [("NeverQuiet", "parameters.a.defaultValue")] if calls else []
    )
    assert all(f"calls {calls}" in each.message and each.hint for each in warnings)


def test_restless_defaults_of_linked_templates_count() -> None:
    """Only where they are in use: not where given, not in an outer scope."""
    restless = declaring(t={"type": "string", "defaultValue": "[utcNow()]"})
    tree = tree_of(
        main=template(
            resources=[
                link("m.json"),
                link("m.json", parameters={"T": {"value": "x"}}),
                deployment(template=restless),
            ]
        ),
        m=restless,
    )

    assert [(each.file, each.path) for each in compiled(tree).warnings] == [
        ("m.json", "parameters.t.defaultValue")
    ]
