"""The assertions of a template: an experiment of the language that Bicep's own tests use."""

from collections.abc import Mapping
from typing import Any

from local.arm.engine.errors import EXPRESSIONS_HELP, ExpressionError, validation_failed
from local.arm.engine.expansion import settle
from local.arm.engine.frame import Frame
from local.arm.engine.places import join_path
from local.arm.engine.sources import Source
from local.arm.engine.values import type_name


def evaluate_asserts(section: Mapping[str, Any], frame: Frame, source: Source) -> dict[str, bool]:
    """Return whether each assertion holds. Raises TemplateError for one that is no boolean."""
    found: dict[str, bool] = {}
    for name, written in section.items():
        try:
            found[name] = _truth(settle(written, frame))
        except ExpressionError as error:
            raise validation_failed(
                f"The template assertion '{name}' is not valid: {error.message}. "
                f"{EXPRESSIONS_HELP}",
                source.place(join_path("asserts", name)),
            ) from error
    return found


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ExpressionError(f"it is of type '{type_name(value)}', not 'Boolean'")


def refuse_failed(asserts: Mapping[str, bool], source: Source) -> None:
    """Raise TemplateError when an assertion does not hold."""
    failed = [name for name, holds in asserts.items() if not holds]
    if failed:
        raise validation_failed(
            f"The template assertion(s) '{', '.join(failed)}' failed",
            source.place(join_path("asserts", failed[0])),
        )
