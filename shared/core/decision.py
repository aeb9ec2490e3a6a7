"""What to do with a stack now: one pure decision from its record and from what ARM says.

This is the heart of the loop (docs/architecture.md, rules 5, 6, 7 and 10). ``release`` carries the
step out; nothing here knows how.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from shared.core import names
from shared.core.arm_model import Deployment
from shared.core.problem import Problem
from shared.core.record import Attempt, Desired, Freeze, Record
from shared.core.waves import Inputs, Waits

TAG_INSTALLATION: Final = "plumbline-installation"
TAG_REPOSITORY: Final = "plumbline-repository"
TAG_STACK: Final = "plumbline-stack"
TAG_REVISION: Final = "plumbline-revision"
TAG_SOURCE: Final = "plumbline-source"
TAG_INPUTS: Final = "plumbline-inputs"
TAG_RELEASE: Final = "plumbline-release"


@dataclass(frozen=True)
class Rest:
    """Nothing is to do, and ``reason`` says why. ``applied``: Azure is at what Git wants.

    ``follows`` are then the releases of those that the stack depends on.
    """

    reason: str
    applied: bool
    follows: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Adopt:
    """The attempt under way runs in ARM: watch it."""


@dataclass(frozen=True)
class Conclude:
    """The attempt under way has ended in ARM: record its outcome."""

    deployment: Deployment


@dataclass(frozen=True)
class Wait:
    """Another release of this stack still runs in ARM: look again later."""

    release: str


@dataclass(frozen=True)
class Stall:
    """A person must act."""

    problem: Problem


@dataclass(frozen=True)
class Put:
    """Start a release; ``again`` is the attempt that never arrived and is sent once more."""

    reason: str
    inputs: Inputs
    again: Attempt | None = None


@dataclass(frozen=True)
class Withdraw:
    """The attempt was canceled before ARM took it."""


@dataclass(frozen=True)
class Hold:
    """Something is to do, and a freeze forbids it."""

    freeze: Freeze

    @property
    def reason(self) -> str:
        """Who froze the stack, for the log."""
        return f"frozen by {self.freeze.by} until {self.freeze.until:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Block:
    """Others come first: the stack stays as it is until they are done."""

    waits: Waits

    @property
    def reason(self) -> str:
        """What is waited for, for the log."""
        return f"it waits for {self.waits}"


Ask = Callable[[], Inputs | Waits]
"""Finds the values that a stack takes from others, or what it waits for."""

Step = Rest | Adopt | Conclude | Wait | Stall | Put | Block | Withdraw | Hold


def tags(installation: str, record: Record, attempt: Attempt) -> dict[str, str]:
    """Return the tags that a deployment of ``attempt`` carries (rule 5). Pure."""
    return {
        TAG_INSTALLATION: installation,
        TAG_REPOSITORY: record.repository,
        TAG_STACK: record.stack,
        TAG_REVISION: attempt.revision,
        TAG_SOURCE: attempt.digest,
        TAG_INPUTS: attempt.inputs,
        TAG_RELEASE: attempt.release,
    }


def is_ours(installation: str, record: Record, found: Mapping[str, str]) -> bool:
    """Tell whether a deployment with the tags ``found`` belongs to this stack. Pure.

    It may have been put under a name that the stack had before.
    """
    stacks = {record.stack, *(former.stack for former in record.formerly)}
    return (
        found.get(TAG_INSTALLATION) == installation
        and found.get(TAG_REPOSITORY) == record.repository
        and found.get(TAG_STACK) in stacks
    )


def tagged_generation(found: Mapping[str, str]) -> int:
    """Return the generation in a deployment's release tag, 0 when there is none. Pure."""
    generation = found.get(TAG_RELEASE, "").partition(".")[0]
    return int(generation) if generation.isascii() and generation.isdigit() else 0


def remembered(deployment: Deployment, at: datetime) -> Attempt | None:
    """Return the attempt that a deployment's tags tell of; None when they are not whole. Pure.

    ``at`` stands for when it began, where ARM does not say.
    """
    found = deployment.tags
    release, revision = found.get(TAG_RELEASE, ""), found.get(TAG_REVISION, "")
    source, inputs = found.get(TAG_SOURCE, ""), found.get(TAG_INPUTS, "")
    whole = names.is_release(release) and names.is_sha(revision)
    if not (whole and names.is_digest(source) and names.is_digest(inputs)):
        return None
    ended = deployment.timestamp or at
    return Attempt(
        release=release,
        generation=tagged_generation(found),
        revision=revision,
        digest=source,
        inputs=inputs,
        at=ended - timedelta(seconds=deployment.duration_s or 0.0),
    )


def carries(deployment: Deployment, attempt: Attempt) -> bool:
    """Tell whether ``deployment`` is the PUT of ``attempt``: id and both digests. Pure."""
    found = deployment.tags
    return (
        found.get(TAG_RELEASE) == attempt.release
        and found.get(TAG_SOURCE) == attempt.digest
        and found.get(TAG_INPUTS) == attempt.inputs
    )


def decide(
    record: Record,
    deployment: Deployment | None,
    *,
    installation: str,
    inputs: Ask,
    freeze: Freeze | None = None,
) -> Step:
    """Return the one step that brings the stack nearer to what is desired.

    ``deployment`` is what ARM says now, None when it has no deployment of the stack's name;
    ``inputs`` is asked for the values that the stack takes from others only when they matter: a
    release that has ended is recorded whatever became of them. ``freeze`` is the one in force. Pure
    but for ``inputs``.
    """
    foreign = deployment is not None and not is_ours(installation, record, deployment.tags)
    if deployment is not None and foreign and not _is_taken_over(record, deployment):
        return Stall(_foreign(deployment))
    if deployment is not None and foreign:
        # It was taken over, whatever its tags say of releases.
        deployment = replace(deployment, tags={})
    under_way = record.in_flight
    if under_way is not None and deployment is not None and carries(deployment, under_way):
        return Adopt() if deployment.state == "running" else Conclude(deployment)
    if deployment is not None and deployment.state == "running":
        return Wait(deployment.tags.get(TAG_RELEASE, ""))
    if under_way is not None and record.is_canceled(under_way):
        return Withdraw()
    step = _next(record, deployment, inputs)
    return Hold(freeze) if freeze is not None and isinstance(step, Put | Block) else step


def _is_taken_over(record: Record, deployment: Deployment) -> bool:
    taken = record.taken_over
    return taken is not None and deployment.correlation_id == taken.correlation_id


def _next(record: Record, deployment: Deployment | None, inputs: Ask) -> Step:
    """Return what comes next when nothing of the stack runs in ARM."""
    if record.desired is None:
        return Rest("nothing is desired: the stack could not be compiled yet", applied=False)
    if record.orphaned:
        return Rest("the stack left the manifest: it is kept as it is", applied=False)
    found = inputs()
    if isinstance(found, Waits):
        return Block(found)
    under_way = record.in_flight
    wanted = (record.desired.digest, found.digest)
    if under_way is not None and (under_way.digest, under_way.inputs) == wanted:
        return Put("the PUT of this release did not arrive", found, again=under_way)
    # An attempt that is still under way here never arrived, and something newer is desired.
    return _fresh(record, record.desired, deployment, found)


def _fresh(record: Record, desired: Desired, deployment: Deployment | None, inputs: Inputs) -> Step:
    applied, attempted = record.applied, record.attempted
    if record.wanted is not None:
        return Put(f"{record.wanted.by} asked for it ({record.wanted.kind})", inputs)
    wanted = (desired.digest, inputs.digest)
    equal = applied is not None and (applied.digest, applied.inputs) == wanted
    if equal and applied is not None and record.reached == applied.release:
        if deployment is None or _is_in_force(deployment, applied.release):
            reason = "what is applied is what is desired"
            return Rest(reason, applied=True, follows=inputs.follows)
        return Put("ARM holds another release than the record says", inputs)
    if attempted is not None and attempted.generation == record.generation:
        if attempted.inputs != inputs.digest:
            return Put("a value that the stack takes from another has changed", inputs)
        if attempted.transient:
            return Put("the last attempt failed for a passing reason", inputs)
        if attempted.outcome in {"refused", "failed", "canceled"}:
            return Rest("this generation failed: a new revision starts the next", applied=False)
    if equal:
        return Put("a later release reached ARM after the one that is desired again", inputs)
    if applied is not None and applied.digest == desired.digest:
        return Put("a value that the stack takes from another has changed", inputs)
    return Put("a new revision is desired", inputs)


def _is_in_force(deployment: Deployment, release: str) -> bool:
    """Tell whether ARM holds the release, and it ended well: a PUT that arrives twice may fail. Pure."""
    return deployment.tags.get(TAG_RELEASE) == release and deployment.state == "succeeded"


def _foreign(deployment: Deployment) -> Problem:
    owner = deployment.tags.get(TAG_INSTALLATION)
    whose = f"by the installation {owner!r}" if owner else "by nobody that Plumbline knows"
    return Problem(
        code="DeploymentForeign",
        message=f"A deployment of this stack's name exists already and was made {whose}.",
        hint="Delete that deployment from the scope's history, or take it over.",
        path=deployment.id,
        detail={"correlationId": deployment.correlation_id},
    )
