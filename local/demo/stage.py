"""Plays a step: pushes like a user, watches like an operator, until the revision is final."""

import contextlib
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from local import waiting
from local.demo.api import Api
from local.demo.azure import Azure, Deployment
from local.demo.clone import Clone
from local.demo.githost import GitHost, all_final
from local.demo.runs import RunLog
from local.demo.screen import Screen
from local.demo.story import Outcome, Step

STEP_LIMIT_S = 40.0
LOOK_EVERY_S = 0.2
# Timers run whether or not anybody pushes, and status is this demo asking: no part of a step.
HIDDEN = frozenset({"sweep", "poison", "status"})
SNAPSHOT = "snapshot"
SNAPSHOT_LIMIT_S = 5.0
STATUS_LIMIT_S = 10.0


class Stage:
    """A running laptop with a user in front of it."""

    def __init__(
        self,
        *,
        clone: Clone,
        api: Api,
        azure: Azure,
        host: GitHost,
        runs: RunLog,
        screen: Screen,
    ) -> None:
        self._clone = clone
        self._api = api
        self._azure = azure
        self._host = host
        self._runs = runs
        self._screen = screen
        self._known: dict[str, Deployment] = {}

    def play(self, step: Step) -> Outcome:
        """Push the step's edit and wait until Plumbline has said the last word about it.

        Raises ``waiting.WaitedTooLongError`` when it does not within 40 seconds.
        """
        puts = self._azure.puts()
        step.edit(self._clone)
        started = time.monotonic()
        pushed = self._clone.push(step.message)
        self._screen.pushed(pushed, step.message)
        functions: Counter[str] = Counter()
        deployments: dict[str, Deployment] = {}

        def final() -> Mapping[str, Any] | None:
            answer = self._api.final_revision(pushed.sha)  # first, so that nothing after it is lost
            self._look(functions, deployments)
            return answer

        revision = waiting.until(
            final,
            limit_s=STEP_LIMIT_S,
            what=f"the final status of {pushed.sha[:7]}",
            pause_s=LOOK_EVERY_S,
        )
        elapsed_s = time.monotonic() - started
        self._see_snapshots(len(step.deployed), functions, deployments)
        return Outcome(
            pushed=pushed,
            revision=revision,
            stacks=self._api.stacks(),
            deployments=list(deployments.values()),
            puts=self._azure.puts() - puts,
            functions=functions,
            elapsed_s=elapsed_s,
            told=self._see_statuses(pushed.sha),
        )

    def _see_statuses(self, sha: str) -> Mapping[str, list[str]]:
        """Stay until the Git host knows the end of the revision; what it knows then is told."""
        with contextlib.suppress(waiting.WaitedTooLongError):
            waiting.until(
                lambda: all_final(self._host.statuses(sha)),
                limit_s=STATUS_LIMIT_S,
                what="the commit statuses",
                pause_s=LOOK_EVERY_S,
            )
        told = self._host.statuses(sha)
        self._screen.told(told)
        return told

    def _see_snapshots(
        self, count: int, functions: Counter[str], deployments: dict[str, Deployment]
    ) -> None:
        """Stay until the snapshots of this step's deployments are taken: they follow its end."""

        def taken() -> bool:
            self._look(functions, deployments)
            return functions[SNAPSHOT] >= count

        with contextlib.suppress(waiting.WaitedTooLongError):  # late ones are shown in a later step
            waiting.until(
                taken, limit_s=SNAPSHOT_LIMIT_S, what="the snapshots", pause_s=LOOK_EVERY_S
            )

    def _look(self, functions: Counter[str], deployments: dict[str, Deployment]) -> None:
        """Show what is new since the last look, and note it."""
        for run in self._runs.fresh():
            if run.function not in HIDDEN or not run.succeeded:
                functions[run.function] += 1
                self._screen.ran(run)
        for stack, deployment in self._azure.deployments().items():
            known = self._known.get(stack)
            is_new = known is None or known.correlation_id != deployment.correlation_id
            if is_new:
                self._screen.accepted(deployment)
            if deployment.is_over and (is_new or (known is not None and not known.is_over)):
                self._screen.finished(deployment, self._azure.resources(deployment))
            if deployment != known:
                deployments[deployment.correlation_id] = deployment
            self._known[stack] = deployment
