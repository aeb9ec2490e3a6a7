"""What a stack takes from others and gives to them: parameters from outputs, and a template's outputs."""

from typing import Any

from shared.core.source.arm_json import Json, fold, member
from shared.core.source.declarations import declared
from shared.core.source.spec import StackSpec
from shared.core.source.template import Template
from shared.core.taken import Taken


def taken_parameters(template: Template, spec: StackSpec) -> dict[str, Taken]:
    """Return what the stack takes, by the parameter's name as the template spells it. Pure."""
    known = declared(template.content)
    found = {}
    for name, taking in spec.values_from.items():
        parameter = known.get(fold(name))
        if parameter is not None:
            found[parameter.name] = Taken(
                stack=taking.stack, output=taking.output, type=parameter.type
            )
    return found


def output_types(template: Json) -> dict[str, str]:
    """Return the template's outputs with their types in lower case, "" where none is said. Pure."""
    outputs = member(template, "outputs")
    return {
        name: _type(declaration)
        for name, declaration in (outputs.items() if isinstance(outputs, dict) else ())
    }


def _type(declaration: Any) -> str:
    kind = member(declaration, "type") if isinstance(declaration, dict) else None
    return fold(kind) if isinstance(kind, str) else ""
