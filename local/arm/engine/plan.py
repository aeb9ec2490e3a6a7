"""What a template comes to: the values, resources and dependencies that a deployment carries out.

A plan is computed before anything runs. What needs the answers of Azure (bodies, outputs, the
plans of nested deployments) is a method that takes the `Runtime`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from local.arm.engine.context import Runtime, Scope

Doubt = Literal["", "identity", "condition"]
"""What cannot be told of a resource before the deployment runs: which it is, or whether it is."""


@dataclass(frozen=True)
class ParameterValue:
    """A parameter as the deployment shows it; `type` is as declared, in ARM's casing."""

    type: str
    value: Any
    secure: bool


@dataclass(frozen=True)
class CopyMember:
    """Which turn of which copy loop a resource is.

    `batch_size` None means all at once; 1 is mode serial. The order between batches is already in
    `depends_on`, so a scheduler that honours that needs nothing else.
    """

    loop: str
    index: int
    count: int
    batch_size: int | None


class Bodies(Protocol):
    """How a planned resource comes by its request body."""

    def place(self) -> tuple[int | None, int | None]:
        """Return line and column of the declaration."""
        ...

    def body(self, runtime: Runtime) -> dict[str, Any]:
        """Return the request body."""
        ...

    def preview(self, runtime: Runtime | None = None) -> dict[str, Any]:
        """Return the request body as far as it is known; the rest is expression text."""
        ...

    def secrets(self) -> frozenset[str]:
        """Return the texts in secure parameters that the body may hold."""
        ...


class NestedDeployment(Protocol):
    """The inside of a Microsoft.Resources/deployments resource."""

    @property
    def name(self) -> str:
        """Return the deployment's name."""
        ...

    @property
    def scope(self) -> Scope:
        """Return where the nested deployment runs (its resourceGroup, subscriptionId or scope)."""
        ...

    @property
    def template(self) -> Mapping[str, Any]:
        """Return the nested template as written."""
        ...

    @property
    def mode(self) -> str:
        """Return Incremental or Complete."""
        ...

    def parameters(self, runtime: Runtime) -> dict[str, Any]:
        """Return {name: {"value": ...}} (or a Key Vault reference) for the nested template."""
        ...

    def plan(self, runtime: Runtime, parameters: Mapping[str, Any] | None = None) -> "Plan":
        """Return the inner plan; `parameters` replaces the evaluated ones (resolved secrets)."""
        ...

    def preview(self) -> "Plan":
        """Return the inner plan without a runtime.

        Raises NeedsRuntime when its resources cannot be named before the deployment runs.
        """
        ...

    def foresee(self, runtime: Runtime | None = None) -> "Plan":
        """Return the inner plan before anything runs, resources that are in doubt included.

        A `runtime` answers what it knows and raises NeedsRuntime for what it does not. Raises
        NeedsRuntime when the template cannot be taken apart at all.
        """
        ...

    @property
    def outer_scope(self) -> bool:
        """Tell whether the template sees its parent's names."""
        ...

    @property
    def has_unknown_parameters(self) -> bool:
        """Tell whether a parameter is only known when the deployment runs."""
        ...


@dataclass(frozen=True)
class PlannedResource:
    """One resource to PUT (or, when `existing`, to GET); conditions are already decided."""

    id: str
    type: str
    name: str
    api_version: str
    symbolic_name: str | None
    existing: bool
    scope: Scope
    depends_on: tuple[str, ...]
    copy: CopyMember | None
    nested: NestedDeployment | None
    path: str
    """Where it is declared: the JSON path in the template."""
    bodies: Bodies
    doubt: Doubt = ""
    """Only in a plan that was foreseen; with "identity" the id is the text of an expression."""

    @property
    def place(self) -> tuple[int | None, int | None]:
        """Line and column of the declaration; looked up on each call."""
        return self.bodies.place()

    def body(self, runtime: Runtime) -> dict[str, Any]:
        """Return the request body with every expression evaluated; raises TemplateError."""
        return self.bodies.body(runtime)

    def preview(self, runtime: Runtime | None = None) -> dict[str, Any]:
        """Return the body as it is known without a runtime: the rest is text, `[reference(...)]`.

        A `runtime` fills in what it knows and raises NeedsRuntime for what it does not.
        """
        return self.bodies.preview(runtime)

    def secrets(self) -> frozenset[str]:
        """Return the texts in secure parameters that the body may hold."""
        return self.bodies.secrets()


class Outputs(Protocol):
    """How a plan comes by its outputs."""

    def outputs(self, runtime: Runtime, *, secure: bool = False) -> dict[str, dict[str, Any]]:
        """Return the outputs."""
        ...

    def preview(self, runtime: Runtime | None = None) -> dict[str, dict[str, Any]]:
        """Return the outputs as far as they are known."""
        ...

    def settled(self, runtime: Runtime | None) -> dict[str, dict[str, Any]]:
        """Return the outputs whose values are known; the others have no value."""
        ...


@dataclass(frozen=True)
class Plan:
    """A whole template, decided: `resources` in declaration order, copies expanded."""

    parameters: Mapping[str, ParameterValue]
    resources: tuple[PlannedResource, ...]
    closing: Outputs
    asserts: Mapping[str, bool] = field(default_factory=dict)
    """The template's assertions, by name (experimental language versions only)."""

    def outputs(self, runtime: Runtime, *, secure: bool = False) -> dict[str, dict[str, Any]]:
        """Return {name: {"type", "value"}}; secure ones have a value only if `secure`.

        Raises TemplateError.
        """
        return self.closing.outputs(runtime, secure=secure)

    def preview(self, runtime: Runtime | None = None) -> dict[str, dict[str, Any]]:
        """Return the outputs as they are known without a runtime; the rest is expression text.

        A `runtime` fills in what it knows and raises NeedsRuntime for what it does not.
        """
        return self.closing.preview(runtime)

    def settled_outputs(self, runtime: Runtime | None = None) -> dict[str, dict[str, Any]]:
        """Return {name: {"type", "value"?}}: the values that are known before anything runs."""
        return self.closing.settled(runtime)
