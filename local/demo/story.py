"""The story: what the user pushes at each step, and what must come of it."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from local.demo.azure import Deployment, Fact
from local.demo.clone import Clone, Pushed
from local.demo.githost import PENDING
from local.laptop import REPOSITORY

LINKS: Mapping[str, AbstractSet[str]] = {
    "network": frozenset(),
    "logs": frozenset(),
    "storage": frozenset(),
    "web": frozenset({"network", "logs"}),
    "vault": frozenset({"network", "logs"}),
    "worker": frozenset({"storage", "web", "vault"}),
}
"""The stacks of the example, each with those that it takes values from."""

STACKS = frozenset(LINKS)


@dataclass(frozen=True)
class Overtaken:
    """A push that a force-push takes out of the history while Azure works on it."""

    edit: Callable[[Clone], None]
    message: str
    stack: str
    """The stack whose deployment must run when the force-push comes; what follows brings it back."""


@dataclass(frozen=True)
class Step:
    """One push: the edit, and what must come of it."""

    title: str
    edit: Callable[[Clone], None]
    message: str
    status: str
    """What the revision must end as."""
    deployed: AbstractSet[str] = frozenset()
    """Stacks that Azure must have deployed, and no others."""
    failed: AbstractSet[str] = frozenset()
    """Stacks that must show a problem; all others must be steady."""
    waiting: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Stacks that must wait, and for which ones."""
    overtaken: Overtaken | None = None
    """What is pushed first, and is not in the history that the step ends with."""
    returns: bool = False
    """Whether the branch goes back, by a force-push, to what was taken out before."""
    facts: Sequence[Fact] = ()
    """What Azure must have in the end."""
    words: str = ""
    """What the problem must say, in ARM's own words."""
    killed: str = ""
    """The stack in whose deployment every worker is killed."""


@dataclass(frozen=True)
class Outcome:
    """What came of a step."""

    pushed: Pushed
    revision: Mapping[str, Any]
    stacks: Mapping[str, Mapping[str, Any]]
    deployments: Sequence[Deployment]
    puts: int
    """How often Azure was asked to deploy, refused attempts included."""
    functions: Mapping[str, int]
    elapsed_s: float
    told: Mapping[str, Sequence[str]]
    """The states of each commit status, oldest first."""
    killed: int = 0
    """How many workers were killed."""
    overtaken: Mapping[str, Any] | None = None
    """What became of the revision that a force-push took out."""
    overtaken_told: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The states of each of its commit statuses, oldest first."""
    found: Mapping[Fact, Sequence[object]] = field(default_factory=dict)
    """What Azure has of the step's facts."""

    def problem(self, stack: str) -> str:
        """Return what the stack says is wrong; empty if nothing."""
        return problem_text(self.stacks.get(stack, {}).get("problem"))


def problem_text(problem: Any) -> str:
    """Return a stack's problem as one line. Pure."""
    if isinstance(problem, Mapping):
        return str(problem.get("message") or problem.get("reason") or dict(problem))
    return str(problem or "")


def broken_promises(step: Step, outcome: Outcome) -> list[str]:
    """Return what did not come as the step says; empty if it held. Pure."""
    return [
        *_revision_promises(step, outcome),
        *_azure_promises(step, outcome),
        *_stack_promises(step, outcome),
    ]


def _revision_promises(step: Step, outcome: Outcome) -> list[str]:
    status = outcome.revision["status"]
    if status != step.status:
        return [f"the revision ended as {status}, not {step.status}"]
    good = status in {"deployed", "nothing"}
    for context, states in [*outcome.told.items(), *outcome.overtaken_told.items()]:
        ends = [state for state in states if state != PENDING]
        if len(ends) != 1:
            return [f"the commit status {context} has the ends {ends}, and should have one"]
    if step.overtaken and (outcome.overtaken or {}).get("status") != "superseded":
        return [f"what the force-push took out ended as {outcome.overtaken}, not superseded"]
    whole = outcome.told.get(f"plumbline/{REPOSITORY}", ["none"])[-1]
    if (whole == "success") != good:
        return [f"the commit status is {whole}, and the revision is {status}"]
    return []


def _azure_promises(step: Step, outcome: Outcome) -> list[str]:
    wanted = [*step.deployed, *([step.overtaken.stack] if step.overtaken else [])]
    succeeded = [one for one in outcome.deployments if one.state == "Succeeded"]
    # By name: how often is counted below. The end of what was overtaken may pass between two looks.
    if {one.stack for one in succeeded} != step.deployed | set(wanted):
        return [f"Azure deployed {sorted(one.stack for one in succeeded)}, not {sorted(wanted)}"]
    early = [
        f"Azure began with {one.stack} before {other.stack} was there"
        for one in succeeded
        for other in succeeded
        if other.stack in LINKS[one.stack] and one.began < other.ended
    ]
    if early:
        return early
    if step.killed and not outcome.killed:
        return ["no worker was killed"]
    begun = [one.stack for one in outcome.deployments if one.stack in step.waiting]
    if begun:
        return [f"Azure was asked to deploy {begun}, which had to wait"]
    asked = len(wanted) + len(step.failed)
    if outcome.puts != asked:
        return [f"Azure was asked to deploy {outcome.puts} times, not {asked}"]
    return [
        f"{fact.path} of {fact.kind} is {outcome.found.get(fact)} in Azure, not {fact.value}"
        for fact in step.facts
        if list(outcome.found.get(fact, ())) != [fact.value]
    ]


def _stack_promises(step: Step, outcome: Outcome) -> list[str]:
    broken = []
    if outcome.stacks.keys() != STACKS:
        broken.append(f"the stacks are {sorted(outcome.stacks)}, not {sorted(STACKS)}")
    for name, stack in outcome.stacks.items():
        wanted = "failed" if name in step.failed else "steady"
        if name in step.waiting:
            wanted = "pending"
            chain = [one["stack"] for one in stack["waiting"]]
            if chain != list(step.waiting[name]):
                broken.append(f"{name} waits for {chain}, not {step.waiting[name]}")
        if stack["phase"] != wanted:
            said = outcome.problem(name)
            broken.append(f"{name} is {stack['phase']} ({said or 'no problem'}), not {wanted}")
        own = name in outcome.revision["stacks"]  # the others follow a value that they take
        if own and name in step.deployed and stack["applied"]["revision"] != outcome.pushed.sha:
            broken.append(f"{name} has {stack['applied']['revision']} applied, not this push")
        if name in step.failed and step.words not in outcome.problem(name):
            broken.append(f"{name} says {outcome.problem(name)!r}, which lacks {step.words!r}")
    return broken
