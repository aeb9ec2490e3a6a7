"""Plays the steps without a push: waits as an operator, edits as somebody in the portal."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local import waiting
from local.demo.api import Api
from local.demo.azure import Azure
from local.demo.drift_story import (
    ByHand,
    Inspected,
    Quiet,
    Traced,
    is_healed,
    is_quiet,
    item_of,
)
from local.demo.lookout import LOOK_EVERY_S, TIMERS, Lookout, Seen
from local.demo.screen import Screen

PERSON = "dana@shop.example"
"""Who clicks in the portal."""
QUIET_LIMIT_S = 60.0
# Longer than a step may take to hold: what comes late is told as late.
ITEM_LIMIT_S = 40.0
HEALED_LIMIT_S = 60.0
STAYS_S = 6.0
"""How long an edit that is only shown is watched: a whole period of the demo's timer."""


@dataclass(kw_only=True)
class DriftStage:
    """A running laptop that an operator watches, and an Azure that somebody else may write to."""

    api: Api
    azure: Azure
    lookout: Lookout
    screen: Screen

    def wait(self, _step: Quiet) -> Inspected:
        """Wait until everything of every stack was looked at. Raises ``waiting.WaitedTooLongError``."""
        started, seen = time.monotonic(), Seen(hidden=TIMERS)

        def quiet() -> bool:
            self.lookout.look(seen)
            return is_quiet(self.api.stacks(), self._drifts())

        waiting.until(
            quiet, limit_s=QUIET_LIMIT_S, what="a look at every stack", pause_s=LOOK_EVERY_S
        )
        return Inspected(
            stacks=self.api.stacks(),
            drifts=self._drifts(),
            coverage=self.api.coverage(),
            functions=seen.functions,
            elapsed_s=time.monotonic() - started,
        )

    def edit(self, step: ByHand) -> Traced:
        """Change one value by hand; wait until it is shown, and healed if the manifest says so.

        Raises ``waiting.WaitedTooLongError`` if it is not.
        """
        puts, seen = self.azure.puts(), Seen(hidden=TIMERS)
        path = step.fact.path
        self.azure.change(step.fact, step.value, PERSON)
        started = time.monotonic()
        self.screen.line("portal", f"{PERSON} sets {path} to {step.value}", "bold")

        def shown() -> Mapping[str, Any] | None:
            self.lookout.look(seen)
            return item_of(self.api.drift(step.stack), path)

        item = waiting.until(
            shown, limit_s=ITEM_LIMIT_S, what=f"{path} of {step.stack}", pause_s=LOOK_EVERY_S
        )
        shown_after_s = time.monotonic() - started
        self.screen.item(step.stack, item, shown_after_s)
        self._see_end(step, seen)
        return Traced(
            person=PERSON,
            shown_after_s=shown_after_s,
            item=item,
            drift=self.api.drift(step.stack) or {},
            found=self.azure.found(step.fact),
            puts=self.azure.puts() - puts,
            functions=seen.functions,
            elapsed_s=time.monotonic() - started,
        )

    def _see_end(self, step: ByHand, seen: Seen) -> None:
        """Stay until the difference is healed; or a period longer, when it is only to be shown."""

        def healed() -> bool:
            self.lookout.look(seen)
            return is_healed(self.api.drift(step.stack), step.fact.path)

        # What does not come, or comes and should not, is the verdict's business.
        with contextlib.suppress(waiting.WaitedTooLongError):
            waiting.until(
                healed,
                limit_s=HEALED_LIMIT_S if step.heals else STAYS_S,
                what=f"the heal of {step.stack}",
                pause_s=LOOK_EVERY_S,
            )

    def _drifts(self) -> dict[str, Mapping[str, Any]]:
        found = {name: self.api.drift(name) for name in self.api.stacks()}
        return {name: drift for name, drift in found.items() if drift is not None}
