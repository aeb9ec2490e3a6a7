"""What an expression can see while it is evaluated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from local.arm.engine.context import Context, Runtime
from local.arm.engine.errors import ExpressionError
from local.arm.engine.limits import MAX_CALL_DEPTH, MAX_STEPS
from local.arm.engine.syntax import Call, Node

_CALL_STEPS = 4


class Stage(Enum):
    """Where in a template an expression stands; some functions are for some places only."""

    PARAMETER_VALUE = "a parameter that is given as an expression"
    PARAMETER_DEFAULT = "a parameter's default value"
    VARIABLE = "a variable"
    DECLARATION = "a resource's condition, copy, name, type, apiVersion, scope or dependsOn"
    BODY = "a resource's body"
    OUTPUT = "an output"


RUNTIME_STAGES = frozenset({Stage.BODY, Stage.OUTPUT})


class NeedsRuntime(Exception):
    """The value is not known before the deployment runs.

    `call` is what asks for it, with the resource's id and api version filled in, when it was a
    function's own answer that is missing.
    """

    def __init__(self, call: Call | None = None) -> None:
        super().__init__()
        self.call = call


@dataclass(frozen=True, slots=True)
class Deferred:
    """A value that only the running deployment can know: the expression that is left of it."""

    node: Node


@dataclass(frozen=True, slots=True)
class Lambda:
    """A lambda() as a value; `invoke` takes one value per parameter."""

    parameters: tuple[str, ...]
    invoke: Callable[..., Any]


@dataclass(slots=True)
class Meter:
    """Bounds the work that one template can cause."""

    steps: int = 0

    def charge(self, steps: int = 1) -> None:
        """Count work done; raises ExpressionError when it is too much."""
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise ExpressionError(
                f"The template needs more than '{MAX_STEPS}' evaluation steps: it is too complex."
            )


@dataclass(frozen=True)
class UserFunction:
    """A member of `functions`; `output` evaluates it where its parameters are in sight."""

    name: str
    parameters: tuple[str, ...]
    output: "Callable[[Frame], Any]"


class Names(Protocol):
    """The parameters, variables and user functions in sight."""

    def parameter(self, name: str, frame: "Frame") -> Any:
        """Return a parameter's value; raises ExpressionError when there is none."""
        ...

    def variable(self, name: str, frame: "Frame") -> Any:
        """Return a variable's value; raises ExpressionError when there is none."""
        ...

    def function(self, name: str) -> UserFunction | None:
        """Return a user function by its full name."""
        ...

    def secrets(self) -> frozenset[str]:
        """Return the texts that must not appear in an error."""
        ...

    def deployment(self) -> Mapping[str, Any]:
        """Return what the template function of that name shows as `properties`."""
        ...


@dataclass(frozen=True)
class Target:
    """What a reference() or list*() points at."""

    id: str
    api_version: str | None
    in_template: bool
    symbolic: bool = False
    type: str = ""
    name: str = ""


class Targets(Protocol):
    """The resources that an expression can refer to."""

    def target(self, text: str, context: Context) -> Target:
        """Return what a name, symbolic name or id means; raises ExpressionError."""
        ...

    def members(self, symbolic_name: str) -> tuple[Target, ...]:
        """Return the members of a symbolic copy loop, in order; raises ExpressionError."""
        ...


@dataclass(frozen=True)
class Frame:
    """Everything in sight of one expression."""

    context: Context
    names: Names
    stage: Stage
    meter: Meter
    loops: Mapping[str, int] = field(default_factory=dict)
    """Folded loop name -> index; the key "" is the loop that a bare copyIndex() means."""
    locals: Mapping[str, Any] = field(default_factory=dict)
    """Folded lambda variable -> value."""
    runtime: Runtime | None = None
    targets: Targets | None = None
    used: set[str] | None = None
    """Folded ids of the template's resources that evaluation referred to, when someone asks."""
    depth: int = 0
    busy: tuple[str, ...] = ()
    """The parameters and variables whose values are just being computed, outermost first."""
    tolerant: bool = False
    """Whether what cannot be identified yet is kept, in doubt, and a runtime may answer with
    NeedsRuntime: what-if wants that."""

    @property
    def partial(self) -> bool:
        """Tell whether runtime values are left as expressions."""
        return self.runtime is None or self.tolerant

    def in_loop(self, name: str, index: int, *, current: bool) -> "Frame":
        """Return the sight of one turn of a copy loop."""
        loops = {**self.loops, name.lower(): index}
        if current:
            loops[""] = index
        return self._with(loops=loops)

    def deeper(self, **changes: Any) -> "Frame":
        """Return the sight from inside a call; raises ExpressionError when calls nest too far."""
        if self.depth >= MAX_CALL_DEPTH:
            raise ExpressionError(
                f"Calls, lambdas and variables nest deeper than '{MAX_CALL_DEPTH}' levels."
            )
        self.meter.charge(_CALL_STEPS)
        return self._with(depth=self.depth + 1, **changes)

    def _with(self, **changes: Any) -> "Frame":
        """Return a copy: what dataclasses.replace does, of which it would be most of the cost."""
        inside = object.__new__(Frame)
        inside.__dict__.update(self.__dict__, **changes)
        return inside
