"""What the operator lets a manifest ask for, held against what it asks (docs/architecture.md part 4). Pure."""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.core.configuration import Ceilings
from shared.core.errors import Stalled
from shared.core.problem import Problem
from shared.core.source.faults import Place

if TYPE_CHECKING:  # a worker that only checks a group need not know the manifest's shape
    from shared.core.source.spec import StackSpec

CODE = "CeilingExceeded"


def capped(spec: "StackSpec", ceilings: Ceilings) -> "tuple[StackSpec, tuple[Problem, ...]]":
    """Return what a stack may have of what it asks for, and a warning where that is less.

    A stack that asks for too much is deployed all the same: a ceiling that is lowered holds at once
    and stops nobody's releases.
    """
    warnings = []
    if spec.create_resource_group is not None and not ceilings.create_resource_groups:
        warnings.append(
            _place(spec, "createResourceGroup").problem(
                CODE,
                "The operator does not let resource groups be created by createResourceGroup.",
                "Take it out and have a missing group made, or ask the operator.",
            )
        )
        spec = msgspec.structs.replace(spec, create_resource_group=None)
    most = None if ceilings.timeout_minutes is None else timedelta(minutes=ceilings.timeout_minutes)
    if most is not None and (spec.timeout is None or spec.timeout > most):
        if spec.timeout is not None:
            warnings.append(
                _place(spec, "timeout").problem(
                    CODE,
                    f"The operator lets a release run for {ceilings.timeout_minutes}m at most.",
                    f"Write {ceilings.timeout_minutes}m or less, or leave timeout out.",
                )
            )
        spec = msgspec.structs.replace(spec, timeout=most)
    return spec, tuple(warnings)


def _place(spec: "StackSpec", field: str) -> Place:
    """Return where the manifest says a field: on the stack, or under defaults."""
    own = spec.place(field)
    return own if own.line is not None else Place(own.file, f"defaults.{field}")


def check_group(ceilings: Ceilings) -> None:
    """Raise Stalled when no group may be created: the ceiling may be newer than what sync compiled."""
    if not ceilings.create_resource_groups:
        raise Stalled(
            CODE,
            "The resource group is missing, and the operator lets nobody create it.",
            hint="Have the group made, or ask the operator to allow it.",
        )
