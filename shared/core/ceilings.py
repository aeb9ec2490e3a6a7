"""What the operator lets a manifest ask for, held against what it asks (docs/architecture.md part 4). Pure."""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.core.configuration import Ceilings
from shared.core.errors import Stalled
from shared.core.problem import Problem

if TYPE_CHECKING:  # a worker that only checks a group need not know the manifest's shape
    from shared.core.source.spec import StackSpec

CODE = "CeilingExceeded"


def exceeded(spec: "StackSpec", ceilings: Ceilings) -> tuple[Problem, ...]:
    """Return a problem for each thing that a stack asks for and may not have, where it says so."""
    problems = []
    if spec.create_resource_group is not None and not ceilings.create_resource_groups:
        problems.append(
            spec.place("createResourceGroup").problem(
                CODE,
                "The operator does not let this repository create resource groups.",
                "Take createResourceGroup out and have the group made, or ask the operator.",
            )
        )
    most = _longest(ceilings)
    if most is not None and spec.timeout is not None and spec.timeout > most:
        problems.append(
            spec.place("timeout").problem(
                CODE,
                f"The operator lets a release of this repository run for {ceilings.timeout_minutes}m"
                " at most.",
                f"Write {ceilings.timeout_minutes}m or less, or leave timeout out.",
            )
        )
    return tuple(problems)


def timeout_s(spec: "StackSpec", ceilings: Ceilings) -> int | None:
    """Return how many seconds a stack's release may run: what it asks for, else the ceiling."""
    allowed = spec.timeout or _longest(ceilings)
    return None if allowed is None else int(allowed.total_seconds())


def check_group(ceilings: Ceilings) -> None:
    """Raise Stalled when no group may be created: the ceiling may be newer than what sync compiled."""
    if not ceilings.create_resource_groups:
        raise Stalled(
            CODE,
            "The resource group is missing, and the operator lets nobody create it.",
            hint="Have the group made, or ask the operator to allow it.",
        )


def _longest(ceilings: Ceilings) -> timedelta | None:
    minutes = ceilings.timeout_minutes
    return None if minutes is None else timedelta(minutes=minutes)
