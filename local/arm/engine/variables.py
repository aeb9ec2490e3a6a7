"""The variables of a template: evaluated on first use, copies included."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from local.arm.engine.errors import EXPRESSIONS_HELP, ExpressionError, validation_failed
from local.arm.engine.expansion import expand, expand_copy, is_property_copy
from local.arm.engine.frame import Frame, Stage
from local.arm.engine.names import Lazy, missing_variable
from local.arm.engine.places import join_path
from local.arm.engine.sources import Source
from local.arm.engine.values import get, weigh


def declare_variables(section: Mapping[str, Any]) -> Lazy:
    """Return the variables; each is evaluated in the frame that first asks for it."""
    compute: dict[str, Callable[[Frame], Any]] = {}
    for name, value in section.items():
        if name.lower() == "copy" and is_property_copy(value):
            for loop in value:
                compute[str(get(loop, "name")).lower()] = _looped(loop)
        else:
            compute[name.lower()] = _plain(value)
    return Lazy(compute, missing_variable, "variable")


def evaluate_variables(
    section: Mapping[str, Any], variables: Lazy, frame: Frame, source: Source
) -> None:
    """Evaluate all variables, used or not, as ARM does. Raises TemplateError for one that fails."""
    for name, path in _declared(section):
        try:
            variables.get(name, frame)
        except ExpressionError as error:
            raise validation_failed(
                f"The template variable '{name}' is not valid: {error.message}. {EXPRESSIONS_HELP}",
                source.place(path),
            ) from error


def _declared(section: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (name, path) of every variable."""
    for name, value in section.items():
        path = join_path("variables", name)
        if name.lower() == "copy" and is_property_copy(value):
            yield from (
                (str(get(loop, "name")), join_path(path, at)) for at, loop in enumerate(value)
            )
        else:
            yield name, path


def _plain(value: Any) -> Callable[[Frame], Any]:
    return lambda frame: _evaluated(lambda inside: expand(value, inside), frame)


def _looped(loop: Mapping[str, Any]) -> Callable[[Frame], Any]:
    return lambda frame: _evaluated(
        lambda inside: expand_copy(loop, inside, current=True)[1], frame
    )


def _evaluated(compute: Callable[[Frame], Any], frame: Frame) -> Any:
    inside = replace(frame, stage=Stage.VARIABLE, loops={}, locals={}, targets=None, used=None)
    try:
        value = compute(inside)
        frame.meter.charge(weigh(value) // 16)
    except ExpressionError as error:
        error.trail.clear()
        raise
    return value
