"""The story: what the user pushes at each step, and what must come of it."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from local.demo.azure import Deployment
from local.demo.clone import Clone, Pushed
from local.demo.githost import PENDING
from local.laptop import REPOSITORY

STACKS = frozenset({"network", "storage", "web"})


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
    waiting: Mapping[str, str] = field(default_factory=dict)
    """Stacks that must wait, and for which one."""
    order: Sequence[str] = ()
    """Stacks that must be deployed in this order."""
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
    for context, states in outcome.told.items():
        ends = [state for state in states if state != PENDING]
        if len(ends) != 1:
            return [f"the commit status {context} has the ends {ends}, and should have one"]
    whole = outcome.told.get(f"plumbline/{REPOSITORY}", ["none"])[-1]
    if (whole == "success") != good:
        return [f"the commit status is {whole}, and the revision is {status}"]
    return []


def _azure_promises(step: Step, outcome: Outcome) -> list[str]:
    succeeded = [one.stack for one in outcome.deployments if one.state == "Succeeded"]
    if sorted(succeeded) != sorted(step.deployed):
        return [f"Azure deployed {sorted(succeeded)}, not {sorted(step.deployed)}"]
    began = [one.stack for one in outcome.deployments if one.stack in step.order]
    if began != list(step.order):
        return [f"Azure deployed in the order {began}, not {list(step.order)}"]
    if step.killed and not outcome.killed:
        return ["no worker was killed"]
    if not step.failed and outcome.puts != len(step.deployed):
        return [f"Azure was asked to deploy {outcome.puts} times, not {len(step.deployed)}"]
    return []


def _stack_promises(step: Step, outcome: Outcome) -> list[str]:
    broken = []
    if outcome.stacks.keys() != STACKS:
        broken.append(f"the stacks are {sorted(outcome.stacks)}, not {sorted(STACKS)}")
    for name, stack in outcome.stacks.items():
        wanted = "failed" if name in step.failed else "steady"
        if name in step.waiting:
            wanted = "pending"
            chain = [one["stack"] for one in stack["waiting"]]
            if chain != [step.waiting[name]]:
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
