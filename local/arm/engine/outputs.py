"""The outputs of a template, evaluated when all its resources are there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.arm.engine.bodies import at_runtime
from local.arm.engine.context import Runtime
from local.arm.engine.definitions import SECURE, Definitions, check, shown_type, type_of
from local.arm.engine.errors import (
    EXPRESSIONS_HELP,
    ExpressionError,
    TemplateError,
    no_overflow,
    validation_failed,
)
from local.arm.engine.evaluator import has_deferred
from local.arm.engine.expansion import copy_count, expand_below, settle
from local.arm.engine.folding import show
from local.arm.engine.frame import Frame, NeedsRuntime, Stage
from local.arm.engine.places import join_path
from local.arm.engine.secrets import masked
from local.arm.engine.sources import Source, path_of
from local.arm.engine.values import get, weigh

_FAILED = "DeploymentOutputEvaluationFailed"


class TemplateOutputs:
    """The outputs of one plan."""

    def __init__(
        self,
        section: Mapping[str, Any],
        definitions: Definitions,
        frame: Frame,
        source: Source,
    ) -> None:
        self._section = section
        self._definitions = definitions
        self._frame = frame
        self._source = source

    def outputs(self, runtime: Runtime, *, secure: bool = False) -> dict[str, dict[str, Any]]:
        """Return {name: {type, value}}; raises TemplateError naming every output that fails.

        Secure outputs have a value only if `secure`.
        """
        with no_overflow(), masked(self._frame.names):
            frame = at_runtime(self._frame, runtime, Stage.OUTPUT)
            return self._outputs(frame, secure=secure)

    def _outputs(self, frame: Frame, *, secure: bool) -> dict[str, dict[str, Any]]:
        found, details = dict[str, dict[str, Any]](), list[dict[str, Any]]()
        for name, declared in self._section.items():
            try:
                value = self._evaluate(name, declared, frame, secure=secure)
            except ExpressionError as error:
                reason = f"The template output '{name}' is not valid: {error.message}"
                details.append({"code": _FAILED, "target": name, "message": reason})
            else:
                if value is not None:
                    found[name] = value
        if details:
            names = ",".join(detail["target"] for detail in details)
            path = join_path("outputs", details[0]["target"])
            raise TemplateError(
                f"Unable to evaluate template outputs: '{names}'. Please see error details and "
                "deployment operations. Please see https://aka.ms/arm-common-errors for usage "
                "details.",
                code=_FAILED,
                place=self._source.place(path),
                details=details,
            )
        return found

    def preview(self, runtime: Runtime | None = None) -> dict[str, dict[str, Any]]:
        """Return the outputs as they are known without a runtime; the rest is expression text."""
        frame = replace(at_runtime(self._frame, runtime, Stage.OUTPUT), tolerant=True)
        shown: dict[str, dict[str, Any]] = show(self.prepare(frame))
        return shown

    def settled(self, runtime: Runtime | None) -> dict[str, dict[str, Any]]:
        """Return the outputs; those that are not known yet, or secure, have no value."""
        frame = replace(at_runtime(self._frame, runtime, Stage.OUTPUT), tolerant=True)
        return {
            name: {"type": output["type"]} if has_deferred(output.get("value")) else output
            for name, output in self.prepare(frame).items()
        }

    def prepare(self, frame: Frame) -> dict[str, dict[str, Any]]:
        """Evaluate as far as is known before the deployment runs. Raises TemplateError."""
        found: dict[str, dict[str, Any]] = {}
        for name, declared in self._section.items():
            path = join_path("outputs", name)
            try:
                value = self._evaluate(name, declared, frame)
            except NeedsRuntime:
                continue
            except ExpressionError as error:
                line, position, _ = place = self._source.place(path_of(path, error))
                raise validation_failed(
                    f"The template output '{name}' at line '{line}' and column '{position}' is "
                    f"not valid: {error.message}. {EXPRESSIONS_HELP}",
                    place,
                ) from error
            if value is not None:
                found[name] = value
        return found

    def _evaluate(
        self, name: str, declared: Any, frame: Frame, *, secure: bool = False
    ) -> dict[str, Any] | None:
        schema = self._definitions.resolve(declared)
        kind = type_of(schema, self._definitions)
        if settle(get(schema, "condition", default=True), frame) is False:
            return None
        value = _value(name, schema, frame)
        frame.meter.charge(weigh(value) // 16)
        check(value, schema, self._definitions)
        if kind in SECURE and not secure:
            return {"type": shown_type(kind, None)}
        return {"type": shown_type(kind, value), "value": value}


def _value(name: str, schema: Mapping[str, Any], frame: Frame) -> Any:
    loop = get(schema, "copy")
    if not isinstance(loop, Mapping):
        return expand_below("value", get(schema, "value"), frame)
    count = copy_count(get(loop, "count"), frame, name)
    frame.meter.charge(count)
    return [
        expand_below("copy", get(loop, "input"), frame.in_loop(name, index, current=True))
        for index in range(count)
    ]
