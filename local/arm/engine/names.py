"""What `parameters()`, `variables()` and `namespace.function()` mean at a place of a template."""

from collections.abc import Callable, Mapping
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.frame import Frame, Names, UserFunction


class FunctionNames:
    """Inside a user function: its own parameters, and the other functions of the template."""

    def __init__(self, name: str, values: Mapping[str, Any], outer: Names) -> None:
        self._name = name
        self._values = values
        self._outer = outer

    def parameter(self, name: str, frame: Frame) -> Any:  # noqa: ARG002 - the protocol's shape
        """Return an argument of the call."""
        if name.lower() not in self._values:
            raise missing_parameter(name)
        return self._values[name.lower()]

    def variable(self, name: str, frame: Frame) -> Any:
        """Return a variable: Bicep's functions use them, hand-written ones may not exist there."""
        return self._outer.variable(name, frame)

    def function(self, name: str) -> UserFunction | None:
        """Return another function of the template."""
        return self._outer.function(name)

    def secrets(self) -> frozenset[str]:
        """Return what the template keeps secret."""
        return self._outer.secrets()

    def deployment(self) -> Mapping[str, Any]:
        """Return the properties of the deployment."""
        return self._outer.deployment()


class TemplateNames:
    """The names that a template declares; values come on first use and are kept."""

    def __init__(
        self,
        parameters: "Lazy",
        variables: "Lazy",
        functions: Mapping[str, UserFunction],
        deployment: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._parameters = parameters
        self._variables = variables
        self._functions = functions
        self._compute = deployment
        self._secrets: frozenset[str] = frozenset()
        self._deployment: Mapping[str, Any] | None = None

    def parameter(self, name: str, frame: Frame) -> Any:
        """Return a parameter's value."""
        return self._parameters.get(name, frame)

    def variable(self, name: str, frame: Frame) -> Any:
        """Return a variable's value."""
        return self._variables.get(name, frame)

    def function(self, name: str) -> UserFunction | None:
        """Return a user function."""
        return self._functions.get(name.lower())

    def secrets(self) -> frozenset[str]:
        """Return the texts in secure parameters, as far as they are known."""
        return self._secrets

    def keep_secret(self, texts: frozenset[str]) -> None:
        """Add texts that must not appear in an error."""
        self._secrets |= texts

    def deployment(self) -> Mapping[str, Any]:
        """Return the properties of the deployment."""
        if self._deployment is None:
            self._deployment = self._compute()
        return self._deployment


class Lazy:
    """Values by name that are computed on first use and may use each other, without circles.

    Threads may ask at the same time: at worst a value is computed twice, to the same result.
    """

    def __init__(
        self,
        compute: Mapping[str, Callable[[Frame], Any]],
        missing: Callable[[str], ExpressionError],
        kind: str,
    ) -> None:
        self._compute = compute
        self._missing = missing
        self._kind = kind
        self._values: dict[str, Any] = {}

    def get(self, name: str, frame: Frame) -> Any:
        """Return a value; raises ExpressionError for unknown names and circles."""
        folded = name.lower()
        if folded in self._values:
            return self._values[folded]
        if folded not in self._compute:
            raise self._missing(name)
        busy = f"{self._kind} {name.lower()}"
        if busy in frame.busy:
            raise ExpressionError(
                f"The template {self._kind} '{name}' cannot be evaluated: circular reference "
                f"detected among '{', '.join(frame.busy)}'."
            )
        value = self._compute[folded](frame.deeper(busy=(*frame.busy, busy)))
        self._values[folded] = value
        return value


def missing_parameter(name: str) -> ExpressionError:
    """Return the error for a parameter that the template does not declare."""
    return ExpressionError(
        f"The template parameter '{name}' is not found. Please see "
        "https://aka.ms/arm-syntax-parameters for usage details."
    )


def missing_variable(name: str) -> ExpressionError:
    """Return the error for a variable that the template does not declare."""
    return ExpressionError(
        f"The template variable '{name}' is not found. Please see "
        "https://aka.ms/arm-syntax-variables for usage details."
    )
