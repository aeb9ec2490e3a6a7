"""The parameters of a template: given values, defaults, types and limits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm.engine.definitions import SECURE, Definitions, check, shown_type, type_of
from local.arm.engine.errors import (
    PARAMETERS_HELP,
    ExpressionError,
    TemplateError,
    validation_failed,
)
from local.arm.engine.expansion import expand
from local.arm.engine.frame import Frame, Stage
from local.arm.engine.names import FunctionNames, Lazy, missing_parameter
from local.arm.engine.parser import is_expression
from local.arm.engine.places import join_path
from local.arm.engine.plan import ParameterValue
from local.arm.engine.sources import Source
from local.arm.engine.values import find_key, get, type_name, weigh


@dataclass(frozen=True)
class Declared:
    """One declared parameter."""

    name: str
    schema: Mapping[str, Any]
    type: str
    path: str

    @property
    def secure(self) -> bool:
        """Tell whether the value must not be shown."""
        return self.type in SECURE


@dataclass(frozen=True)
class Parameters:
    """The parameters of one deployment, ready to be asked for."""

    declared: tuple[Declared, ...]
    given: Mapping[str, Any]
    lazy: Lazy

    def given_secrets(self) -> list[Any]:
        """Return what was given for secure parameters."""
        secure = {item.name.lower() for item in self.declared if item.secure}
        return [entry for name, entry in self.given.items() if name.lower() in secure]

    def values(self, frame: Frame, source: Source) -> dict[str, ParameterValue]:
        """Evaluate and check all of them. Raises TemplateError."""
        result: dict[str, ParameterValue] = {}
        for item in self.declared:
            try:
                value = self.lazy.get(item.name, frame)
            except ExpressionError as error:
                raise _invalid(item, error, source) from error
            result[item.name] = ParameterValue(shown_type(item.type, value), value, item.secure)
        return result


def declare_parameters(
    section: Mapping[str, Any],
    given: Mapping[str, Any],
    definitions: Definitions,
    source: Source,
) -> Parameters:
    """Return the parameters; raises TemplateError for unknown, missing or ill-typed ones."""
    declared = tuple(
        _declared(name, schema, definitions, source) for name, schema in section.items()
    )
    _refuse_unknown(declared, given)
    compute = {
        item.name.lower(): _computation(item, given, definitions, source) for item in declared
    }
    return Parameters(declared, given, Lazy(compute, missing_parameter, "parameter"))


def _declared(name: str, schema: Any, definitions: Definitions, source: Source) -> Declared:
    path = join_path("parameters", name)
    try:
        resolved = definitions.resolve(schema)
        return Declared(name, resolved, type_of(resolved, definitions), path)
    except ExpressionError as error:
        line, position, _ = place = source.place(path)
        raise validation_failed(
            f"The template parameter '{name}' at line '{line}' and column '{position}' is not "
            f"valid. {error.message} {PARAMETERS_HELP}",
            place,
        ) from error


def _refuse_unknown(declared: tuple[Declared, ...], given: Mapping[str, Any]) -> None:
    known = {item.name.lower() for item in declared}
    unknown = [name for name in given if name.lower() not in known]
    if not unknown:
        return
    supported = ", ".join(item.name for item in declared)
    raise validation_failed(
        f"The template parameters '{', '.join(unknown)}' in the parameters file are not valid; "
        "they are not present in the original template and can therefore not be provided at "
        f"deployment time. The only supported parameters for this template are '{supported}'. "
        "Please see https://aka.ms/arm-pass-parameter-values for usage details."
    )


def _computation(
    item: Declared, given: Mapping[str, Any], definitions: Definitions, source: Source
) -> Callable[[Frame], Any]:
    name = find_key(given, item.name)
    if name is not None:
        text = _expression(item, given[name])
        if text is not None:
            return lambda frame: _checked(item, _computed(text, frame), definitions)
        value = _given(item, given[name])
        if value is not None or get(item.schema, "nullable") is True or _has_no_default(item):
            return lambda _frame: _checked(item, value, definitions)
    if find_key(item.schema, "defaultValue") is not None:
        default = get(item.schema, "defaultValue")
        return lambda frame: _checked(item, _default(default, frame), definitions)
    if get(item.schema, "nullable") is True:
        return lambda _frame: None
    line, position, _ = place = source.place(item.path)
    raise validation_failed(
        f"The value for the template parameter '{item.name}' at line '{line}' and column "
        f"'{position}' is not provided. {PARAMETERS_HELP}",
        place,
    )


def _has_no_default(item: Declared) -> bool:
    return find_key(item.schema, "defaultValue") is None


def _given(item: Declared, entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        raise validation_failed(
            f"The value of the template parameter '{item.name}' must be an object with a 'value': "
            f"it is of type '{type_name(entry)}'. {PARAMETERS_HELP}"
        )
    if find_key(entry, "value") is not None:
        return get(entry, "value")
    if find_key(entry, "reference") is not None:
        raise TemplateError(
            f"The Key Vault reference of the parameter '{item.name}' was not resolved.",
            code="KeyVaultParameterReferenceNotResolved",
        )
    raise validation_failed(
        f"The template parameter '{item.name}' in the parameters file has neither a 'value' nor a "
        f"'reference'. {PARAMETERS_HELP}"
    )


def _expression(item: Declared, entry: Any) -> str | None:
    """Return the expression that a parameter is given as; None when it is given otherwise."""
    if not isinstance(entry, Mapping) or find_key(entry, "expression") is None:
        return None
    text = get(entry, "expression")
    if isinstance(text, str) and is_expression(text):
        return text
    raise validation_failed(
        f"The 'expression' of the template parameter '{item.name}' must be a template language "
        f"expression in brackets. {PARAMETERS_HELP}"
    )


def _computed(text: str, frame: Frame) -> Any:
    """Return the value of an expression that sees external inputs, and no name of the template."""
    inside = replace(
        frame,
        stage=Stage.PARAMETER_VALUE,
        names=FunctionNames("", {}, frame.names),
        loops={},
        locals={},
        targets=None,
    )
    result = expand(text, inside)
    frame.meter.charge(weigh(result) // 16)
    return result


def _default(value: Any, frame: Frame) -> Any:
    inside = replace(frame, stage=Stage.PARAMETER_DEFAULT, loops={}, locals={}, targets=None)
    result = expand(value, inside)
    frame.meter.charge(weigh(result) // 16)
    return result


def _checked(item: Declared, value: Any, definitions: Definitions) -> Any:
    check(value, item.schema, definitions)
    return value


def _invalid(item: Declared, error: ExpressionError, source: Source) -> TemplateError:
    line, position, _ = place = source.place(item.path)
    return validation_failed(
        f"The provided value for the template parameter '{item.name}' at line '{line}' and "
        f"column '{position}' is not valid. {error.message} {PARAMETERS_HELP}",
        place,
    )
