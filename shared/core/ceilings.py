"""What the operator lets a manifest ask for, held against what it asks (docs/architecture.md part 4). Pure."""

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from shared.core.configuration import Ceilings, Repository
from shared.core.errors import Stalled
from shared.core.policy import Policy
from shared.core.problem import Problem
from shared.core.source.faults import Place

if TYPE_CHECKING:  # a worker that only checks a group need not know the manifest's shape
    from shared.core.source.spec import Manifest, StackSpec

CODE = "CeilingExceeded"


def capped(spec: "StackSpec", ceilings: Ceilings) -> "tuple[StackSpec, tuple[Problem, ...]]":
    """Return what a stack may have of what it asks for, and a warning where that is less.

    A stack that asks for too much is deployed all the same: a ceiling that is lowered holds at once
    and stops nobody's releases.
    """
    spec, groups = _group(spec, ceilings)
    spec, timeouts = _timeout(spec, ceilings)
    spec, policies = _policy(spec, ceilings)
    return spec, groups + timeouts + policies


def _group(spec: "StackSpec", ceilings: Ceilings) -> "tuple[StackSpec, tuple[Problem, ...]]":
    if spec.create_resource_group is None or ceilings.create_resource_groups:
        return spec, ()
    warning = _place(spec, "createResourceGroup").problem(
        CODE,
        "The operator does not let resource groups be created by createResourceGroup.",
        "Take it out and have a missing group made, or ask the operator.",
    )
    return msgspec.structs.replace(spec, create_resource_group=None), (warning,)


def _timeout(spec: "StackSpec", ceilings: Ceilings) -> "tuple[StackSpec, tuple[Problem, ...]]":
    most = None if ceilings.timeout_minutes is None else timedelta(minutes=ceilings.timeout_minutes)
    if most is None or (spec.timeout is not None and spec.timeout <= most):
        return spec, ()
    capped_spec = msgspec.structs.replace(spec, timeout=most)
    if spec.timeout is None:
        return capped_spec, ()
    warning = _place(spec, "timeout").problem(
        CODE,
        f"The operator lets a release run for {ceilings.timeout_minutes}m at most.",
        f"Write {ceilings.timeout_minutes}m or less, or leave timeout out.",
    )
    return capped_spec, (warning,)


def _policy(spec: "StackSpec", ceilings: Ceilings) -> "tuple[StackSpec, tuple[Problem, ...]]":
    """Cap what is done about drift and what left; the delete budget is the operator's alone."""
    policy, warnings = spec.policy, []
    if policy.drift == "heal" and not ceilings.heal:
        warnings.append(
            _place(spec, "drift", "mode").problem(
                CODE,
                "The operator does not let drift be healed: it is reported.",
                "Write drift: report, or ask the operator.",
            )
        )
        policy = msgspec.structs.replace(policy, drift="report")
    if policy.prune and not ceilings.prune:
        warnings.append(
            _place(spec, "prune").problem(
                CODE,
                "The operator does not let resources be deleted: what left the template is shown.",
                "Write prune: false, or ask the operator.",
            )
        )
        policy = msgspec.structs.replace(policy, prune=False)
    policy = budgeted(policy, ceilings)
    return msgspec.structs.replace(spec, policy=policy), tuple(warnings)


def removable(
    manifest: "Manifest", repository: Repository
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    """Return the stacks under ``removed`` that may be deleted, and a warning where none may."""
    if repository.ceilings.prune or not manifest.removed:
        return manifest.removed, ()
    warning = Place(repository.manifest, "removed").problem(
        CODE,
        "The operator does not let resources be deleted: what is under removed is kept.",
        "Take removed out, or ask the operator.",
    )
    return (), (warning,)


def _place(spec: "StackSpec", field: str, member: str = "") -> Place:
    """Return where the manifest says a field: on the stack, or under defaults.

    ``member`` is where a field that may be written in short says it when it is not.
    """
    inner = spec.place(f"{field}.{member}") if member else None
    if inner is not None and inner.line is not None:
        return inner
    own = spec.place(field)
    # A mapping that does not say the member itself has it from the defaults.
    has_it = own.line is not None and (not member or not spec.says_below(field))
    return own if has_it else Place(own.file, f"defaults.{field}")


def check_group(ceilings: Ceilings) -> None:
    """Raise Stalled when no group may be created: the ceiling may be newer than what sync compiled."""
    if not ceilings.create_resource_groups:
        raise Stalled(
            CODE,
            "The resource group is missing, and the operator lets nobody create it.",
            hint="Have the group made, or ask the operator to allow it.",
        )


def check_prune(ceilings: Ceilings) -> None:
    """Raise Stalled when nothing may be deleted: the ceiling may be newer than what sync copied."""
    if not ceilings.prune:
        raise Stalled(
            CODE,
            "The operator does not let resources be deleted: what left is kept.",
            hint="Write prune: false, or take removed out; or ask the operator.",
        )


def budgeted(policy: Policy, ceilings: Ceilings) -> Policy:
    """Return a policy with the delete budget as it is now; a stack that left keeps its old one."""
    return msgspec.structs.replace(
        policy, delete_most=ceilings.delete_resources, delete_percent=ceilings.delete_percent
    )
