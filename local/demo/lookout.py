"""Watches a running laptop: which functions ran, what Azure deploys; shows and notes what is new."""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from local.demo.azure import Azure, Deployment
from local.demo.runs import RunLog
from local.demo.screen import Screen

LOOK_EVERY_S = 0.2
SNAPSHOT, SETTLE, WATCH, INSPECT = "snapshot", "settle", "watch", "inspect"
# Timers run whether or not anybody pushes, and status is this demo asking: no part of a step.
TIMERS = frozenset({"sweep", "poison", "scan_drift", "status"})
HIDDEN = TIMERS | {INSPECT}
"""What is no part of a push: inspections come when a scan wants them."""


@dataclass
class Seen:
    """What one step has seen: how often each function ran, and deployments by correlation id."""

    hidden: AbstractSet[str] = HIDDEN
    functions: Counter[str] = field(default_factory=Counter)
    deployments: dict[str, Deployment] = field(default_factory=dict)


@dataclass(kw_only=True)
class Lookout:
    """The watch on one laptop."""

    azure: Azure
    runs: RunLog
    screen: Screen
    _known: dict[str, Deployment] = field(default_factory=dict, init=False)

    def look(self, seen: Seen) -> None:
        """Show what is new since the last look, and note it."""
        self.see_runs(seen)
        self.see_deployments(seen)

    def see_runs(self, seen: Seen) -> None:
        """Show and count the functions that ran; hidden ones only if they failed."""
        for run in self.runs.fresh():
            if run.function not in seen.hidden or not run.succeeded:
                seen.functions[run.function] += 1
                self.screen.ran(run)

    def see_deployments(self, seen: Seen) -> None:
        """Show and note the deployments that began or ended."""
        for stack, deployment in self.azure.deployments().items():
            known = self._known.get(stack)
            is_new = known is None or known.correlation_id != deployment.correlation_id
            if is_new:
                self.screen.accepted(deployment)
            if deployment.is_over and (is_new or (known is not None and not known.is_over)):
                self.screen.finished(deployment, self.azure.resources(deployment))
            if deployment != known:
                seen.deployments[deployment.correlation_id] = deployment
            self._known[stack] = deployment

    def runs_now(self, stack: str) -> bool:
        """Whether Azure worked on a stack's deployment at the last look."""
        return stack in self._known and not self._known[stack].is_over
