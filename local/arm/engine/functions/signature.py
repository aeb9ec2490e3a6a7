"""How a template function is declared: name, parameters, where it may stand, what it does."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.frame import Frame, Stage
from local.arm.engine.values import type_name

_SIGNATURE = re.compile(r"(?P<name>\w+)\((?P<parameters>[^)]*)\)")
_KINDS: Mapping[str, str] = {
    "string": "String",
    "int": "Integer",
    "bool": "Boolean",
    "array": "Array",
    "object": "Object",
    "float": "Float",
    "null": "Null",
    "lambda": "Lambda",
}
Apply = Callable[[Frame, Sequence[Any]], Any]


@dataclass(frozen=True)
class Function:
    """One template function.

    `lazy` functions get their arguments as callables. `kept` ones answer with what is there already,
    so that it costs nothing. `deep` ones walk their arguments, so these
    must be complete and of bounded weight. `stages` None means everywhere. `members` are those of
    the answer that can be told at less cost than all of it.
    """

    name: str
    kinds: tuple[frozenset[str], ...]
    minimum: int
    maximum: int | None
    apply: Apply
    lazy: bool = False
    kept: bool = False
    deep: bool = False
    stages: frozenset[Stage] | None = None
    members: Mapping[str, Callable[[Frame], Any]] = field(default_factory=dict)

    def check_count(self, count: int) -> None:
        """Raise ExpressionError unless the function takes that many arguments."""
        if count >= self.minimum and (self.maximum is None or count <= self.maximum):
            return
        if self.minimum == self.maximum:
            wanted = f"{self.minimum}"
        elif self.maximum is None:
            wanted = f"at least {self.minimum}"
        else:
            wanted = f"{self.minimum} to {self.maximum}"
        raise ExpressionError(
            f"Unable to evaluate template language function '{self.name}': function requires "
            f"{wanted} argument(s) while {count} were provided. {self.help}"
        )

    def check_kinds(self, arguments: Sequence[Any]) -> None:
        """Raise ExpressionError for an argument of a type that the function does not take."""
        for position, value in enumerate(arguments):
            kinds = self.kinds[min(position, len(self.kinds) - 1)]
            actual = type_name(value)
            if actual in kinds or "Any" in kinds:
                continue
            raise ExpressionError(
                f"The template language function '{self.name}' expects its parameter at position "
                f"'{position + 1}' to be of type '{', '.join(sorted(kinds))}'. The provided value "
                f"is of type '{actual}'. {self.help}"
            )

    @property
    def help(self) -> str:
        """Return ARM's pointer to the documentation."""
        return f"Please see https://aka.ms/arm-functions#{self.name.lower()} for usage details."


def function(signature: str, apply: Callable[..., Any], **options: Any) -> Function:
    """Declare a function of values alone: `apply` gets the arguments one by one.

    Signatures read `name(string, int?, any...)`: `|` joins types, `?` marks what may be left out,
    `...` what may repeat (`any...` none or more, `any, any...` one or more).
    """
    return framed(signature, lambda _frame, arguments: apply(*arguments), **options)


def framed(signature: str, apply: Apply, **options: Any) -> Function:
    """Declare a function that looks at its surroundings: `apply` gets the frame as well."""
    match = _SIGNATURE.fullmatch(signature)
    if match is None:
        raise ValueError(signature)
    kinds: list[frozenset[str]] = []
    minimum, maximum = 0, 0
    repeats = False
    for raw in filter(None, (part.strip() for part in match["parameters"].split(","))):
        repeats = raw.endswith("...")
        optional = raw.endswith("?")
        kinds.append(_kinds(raw.rstrip(".?")))
        maximum += 1
        minimum += not (optional or repeats)
    return Function(
        match["name"], tuple(kinds), minimum, None if repeats else maximum, apply, **options
    )


def table(*functions: Function) -> dict[str, Function]:
    """Return functions by folded name."""
    return {entry.name.lower(): entry for entry in functions}


def fail(name: str, reason: str) -> ExpressionError:
    """Return the error of a function whose arguments make no sense together."""
    return ExpressionError(
        f"Unable to evaluate template language function '{name}': {reason} "
        f"Please see https://aka.ms/arm-functions#{name.lower()} for usage details."
    )


def _kinds(text: str) -> frozenset[str]:
    if text == "any":
        return frozenset({"Any"})
    return frozenset(_KINDS[kind] for kind in text.split("|"))
