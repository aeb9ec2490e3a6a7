"""Plays a step: pushes like a user, watches like an operator, until the revision is final."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local import waiting
from local.demo.api import Api, UnexpectedAnswerError
from local.demo.azure import Azure
from local.demo.clone import Clone, Pushed
from local.demo.githost import GitHost, all_final, since
from local.demo.lookout import LOOK_EVERY_S, SETTLE, SNAPSHOT, WATCH, Lookout, Seen
from local.demo.screen import Screen
from local.demo.story import Outcome, Overtaken, Step
from local.demo.workers import Workers

STEP_LIMIT_S = 40.0
SLOW_S = 4.0
"""How long the simulator works on the resource in whose deployment the workers are killed."""
OVERTAKEN_SLOW_S = 8.0
"""The same for what a force-push is to overtake: longer than git takes for it on a slow machine."""
FOLLOWERS_LIMIT_S = 20.0
SNAPSHOT_LIMIT_S = 5.0
STATUS_LIMIT_S = 10.0


@dataclass(frozen=True)
class Lost:
    """A commit that a force-push took out, and all that was said of it by then."""

    sha: str
    revision: Mapping[str, Any]
    told: Mapping[str, list[str]]


@dataclass(kw_only=True)
class Stage:
    """A running laptop with a user in front of it."""

    clone: Clone
    api: Api
    azure: Azure
    host: GitHost
    lookout: Lookout
    workers: Workers
    screen: Screen
    _lost: Lost | None = field(default=None, init=False)
    """What a force-push took out, for the step in which the branch returns to it."""

    def play(self, step: Step) -> Outcome:
        """Push the step's edit and wait until Plumbline has said the last word about it.

        Raises ``waiting.WaitedTooLongError`` when it does not within 40 seconds.
        """
        puts = self.azure.puts()
        if step.killed:
            self.azure.take_time(step.killed, SLOW_S)
        started = time.monotonic()
        seen = Seen()
        lost = self._overtake(step.overtaken, seen) if step.overtaken else None
        earlier = self._lost if step.returns else None
        if earlier is not None:
            self.clone.pick_up(earlier.sha)
        step.edit(self.clone)
        force = lost is not None or earlier is not None
        pushed = self.clone.push(step.message, force=force)
        self.screen.pushed(pushed, step.message, force=force)

        killed = self._kill_workers(step.killed, seen) if step.killed else 0

        def final(sha: str) -> Mapping[str, Any]:
            def answer() -> Mapping[str, Any] | None:
                found = self.api.final_revision(sha)  # first, so that nothing after it is lost
                self.lookout.look(seen)
                # What was said of the commit's earlier visit is not the answer to this push.
                return None if earlier is not None and found == earlier.revision else found

            what = f"the final status of {sha[:7]}"
            return waiting.until(answer, limit_s=STEP_LIMIT_S, what=what, pause_s=LOOK_EVERY_S)

        revision = final(pushed.sha)
        elapsed_s = time.monotonic() - started
        self._see_followers(step, seen)
        told = self._see_statuses(pushed.sha, earlier.told if earlier is not None else {})
        if lost is not None:
            self._lost = Lost(lost.sha, final(lost.sha), self._see_statuses(lost.sha, {}))
        taken_out = self._lost if lost is not None else None
        return Outcome(
            pushed=pushed,
            revision=revision,
            stacks=self.api.stacks(),
            deployments=list(seen.deployments.values()),
            puts=self.azure.puts() - puts,
            functions=seen.functions,
            elapsed_s=elapsed_s,
            told=told,
            killed=killed,
            overtaken=taken_out.revision if taken_out is not None else None,
            overtaken_told=taken_out.told if taken_out is not None else {},
            found={fact: self.azure.found(fact) for fact in step.facts},
        )

    def _overtake(self, overtaken: Overtaken, seen: Seen) -> Pushed:
        """Push what a force-push is to take out, and go back before it once Azure works on it."""
        self.azure.take_time(overtaken.stack, OVERTAKEN_SLOW_S)
        overtaken.edit(self.clone)
        lost = self.clone.push(overtaken.message)
        self.screen.pushed(lost, overtaken.message)

        def runs() -> bool:
            self.lookout.look(seen)
            return any(one.stack == overtaken.stack for one in seen.deployments.values())

        waiting.until(runs, limit_s=STEP_LIMIT_S, what=f"the deployment of {overtaken.stack}")
        self.clone.drop()
        return lost

    def _kill_workers(self, stack: str, seen: Seen) -> int:
        """Kill the workers in mid-deployment, right after a look at it; return how many.

        So none of the stack's messages dies with them: storage would give it back, but later than
        people want to watch. The settle function has told the Git host of the push by then, too.
        """

        def is_watched() -> bool:
            self.lookout.see_deployments(seen)  # first: what follows a look must be quick
            before = seen.functions[WATCH]
            self.lookout.see_runs(seen)
            is_watched = seen.functions[WATCH] > before and seen.functions[SETTLE] > 0
            return self.lookout.runs_now(stack) and is_watched

        def answers() -> bool:
            # The host has not noticed yet, or waits for the next worker on a slow machine.
            with contextlib.suppress(UnexpectedAnswerError, OSError):
                return bool(self.api.stacks())
            return False

        waiting.until(is_watched, limit_s=STEP_LIMIT_S, what=f"a look at the deployment of {stack}")
        killed = self.workers.kill()
        self.screen.killed(killed)
        waiting.until(answers, limit_s=STEP_LIMIT_S, what="the next worker")
        self.screen.replaced(self.workers.pids())
        return len(killed)

    def _see_statuses(self, sha: str, before: Mapping[str, list[str]]) -> Mapping[str, list[str]]:
        """Stay until the Git host knows the revision's end; show and return what it was told.

        ``before`` is what it was told at an earlier visit.
        """

        def told() -> dict[str, list[str]]:
            return since(before, self.host.statuses(sha))

        with contextlib.suppress(waiting.WaitedTooLongError):
            waiting.until(
                lambda: all_final(told()),
                limit_s=STATUS_LIMIT_S,
                what="the commit statuses",
                pause_s=LOOK_EVERY_S,
            )
        found = told()
        self.screen.told(sha, found)
        return found

    def _see_followers(self, step: Step, seen: Seen) -> None:
        """Stay until stacks that only take values have followed, and snapshots are taken.

        Both come after the revision's end, which is about the stacks that it changed itself.
        """

        def there() -> bool:
            self.lookout.look(seen)
            over = {one.stack for one in seen.deployments.values() if one.is_over}
            phases = {one["phase"] for one in self.api.stacks().values()}
            return over >= step.deployed and "releasing" not in phases

        def taken() -> bool:
            self.lookout.look(seen)
            return seen.functions[SNAPSHOT] >= len(step.deployed)

        for arrived, limit_s, what in (
            (there, FOLLOWERS_LIMIT_S, "the stacks that follow"),
            (taken, SNAPSHOT_LIMIT_S, "the snapshots"),
        ):
            # What does not come is the verdict's business, not that of who waits.
            with contextlib.suppress(waiting.WaitedTooLongError):
                waiting.until(arrived, limit_s=limit_s, what=what, pause_s=LOOK_EVERY_S)
