"""What a template can get wrong, in ARM's own words.

`TemplateError` is the only error that leaves this package on its own account; what a `Runtime`
raises passes through untouched.

    TemplateError          complete: code, sentence, place
    +- ExpressionError     the inner sentence alone; the caller that knows the place wraps it
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

INVALID_TEMPLATE = "InvalidTemplate"
EXPRESSIONS_HELP = "Please see https://aka.ms/arm-template-expressions for usage details."
RESOURCES_HELP = "Please see https://aka.ms/arm-syntax-resources for usage details."
SYNTAX_HELP = "Please see https://aka.ms/arm-syntax for usage details."
FUNCTIONS_HELP = "Please see https://aka.ms/arm-functions for usage details."
PARAMETERS_HELP = "Please see https://aka.ms/arm-parameter-file for usage details."


class TemplateError(Exception):
    """A template, its parameters or an expression that ARM refuses.

    `line` and `position` count from 1 in the text the template came from; without a text they
    count in its compact form, as ARM does for templates that arrive inside a request body.
    `path` is the JSON path from the root of the template (``resources[2].properties.x``).
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = INVALID_TEMPLATE,
        place: tuple[int | None, int | None, str | None] = (None, None, None),
        target: str | None = None,
        details: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line, self.position, self.path = place
        self.target = target
        self.details: tuple[Mapping[str, Any], ...] = tuple(details)

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Change every sentence of the error, those of its details included."""
        self.message = change(self.message)
        self.args = (self.message,)
        self.details = tuple(
            {
                key: change(item) if key == "message" and isinstance(item, str) else item
                for key, item in detail.items()
            }
            for detail in self.details
        )

    def body(self) -> dict[str, Any]:
        """Return the ARM error object: code, message, target?, details?, additionalInfo."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            body["target"] = self.target
        if self.details:
            body["details"] = [dict(detail) for detail in self.details]
        info = {
            "lineNumber": self.line or 0,
            "linePosition": self.position or 0,
            "path": self.path or "",
        }
        body["additionalInfo"] = [{"type": "TemplateViolation", "info": info}]
        return body


class ExpressionError(TemplateError):
    """One expression is wrong; the sentence says why, `trail` the way down to it so far.

    A `whole` sentence names its resource itself and is not put into one that does.
    """

    def __init__(self, message: str, *, whole: bool = False) -> None:
        super().__init__(message)
        self.whole = whole
        self.trail: list[str | int] = []


@contextmanager
def no_overflow() -> Iterator[None]:
    """Turn Python's own recursion limit, should the engine's limits not bite first, into an error.

    Raises TemplateError.
    """
    try:
        yield
    except RecursionError as error:
        raise validation_failed(
            "The expressions of the template nest too deeply to be evaluated"
        ) from error


def validation_failed(
    reason: str, place: tuple[int | None, int | None, str | None] = (None, None, None)
) -> TemplateError:
    """Return the error of a template that ARM refuses before anything runs."""
    return TemplateError(f"Deployment template validation failed: '{reason}'.", place=place)


def parse_failed(
    reason: str, place: tuple[int | None, int | None, str | None] = (None, None, None)
) -> TemplateError:
    """Return the error of a text that is no JSON template at all."""
    return TemplateError(f"Deployment template parse failed: '{reason}'.", place=place)
