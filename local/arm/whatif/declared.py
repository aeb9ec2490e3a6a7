"""What the walk through a template brings home: the resources it declares, and what it could not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Fate = Literal["shown", "potential", "unsupported"]
"""How what-if speaks of a declared resource before any noise: surely, perhaps, or not at all."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared resource; with fate "unsupported" the id is what is left of its expression.

    `put` is the body as the deployment would send it, `source` as far as it is known before
    anything runs. `deployment` is the nested deployment that declares it, None at the top.
    `got` is its GET body when it is not deployed for certain: then it is not in the rehearsal.
    """

    id: str
    type: str
    api_version: str
    fate: Fate
    put: Mapping[str, Any]
    source: Mapping[str, Any]
    secrets: frozenset[str]
    deployment: str | None = None
    symbols: tuple[str, ...] = ()
    symbolic_name: str | None = None
    reason: str | None = None
    got: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Survey:
    """Everything that a walk found.

    `hidden` are the ids (as keys) that the deployment touches and what-if cannot speak of;
    `groups` those of the resource groups it goes to; `secrets` the texts in secure parameters, on
    any level: what is secure in one template may be handed to another that does not say so.
    """

    declared: list[Declared] = field(default_factory=list)
    diagnostics: list[dict[str, Any]] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    groups: dict[str, None] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)


def unsupported_reason(path: str, place: tuple[int | None, int | None]) -> str:
    """Return ARM's sentence for a resource that cannot be identified before the deployment runs."""
    line, column = place
    return (
        f"Changes to the resource declared at 'properties.template.{path}' on line {line or 0} and"
        f" column {column or 0} cannot be analyzed because its resource ID or API version cannot"
        " be calculated until the deployment is under way. Please see"
        " https://aka.ms/WhatIfUnidentifiableResource for more guidance."
    )


def short_circuited(target: str, *, outer: bool) -> dict[str, Any]:
    """Return ARM's warning that a nested template was not taken apart."""
    message = (
        "A nested deployment got short-circuited and all its resources got skipped from"
        " validation. This is due to a nested template having a parameter that was not fully"
        " evaluated (e.g. contains a reference() function)."
    )
    if outer:
        message = (
            f"The nested deployment '{target}' could not be expanded because it uses outer-mode"
            " evaluation and its template contains expressions that could not be evaluated."
        )
    return _warning(
        "NestedDeploymentShortCircuited",
        f"{message} Please see https://aka.ms/WhatIfEvalStopped for more guidance.",
        target,
    )


def skipped(target: str, limit: str) -> dict[str, Any]:
    """Return ARM's warning that a limit kept a nested template from being taken apart."""
    return _warning(
        "NestedDeploymentSkippedFromInternalExpansion",
        f"The nested deployment '{target}' was skipped from expansion: {limit}. None of its"
        " resources are part of the result.",
        target,
    )


def _warning(code: str, message: str, target: str) -> dict[str, Any]:
    return {"level": "Warning", "code": code, "message": message, "target": target}
