"""Plays the whole story, step by step, and returns the rows of the table at its end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local import waiting
from local.demo import screen as screens
from local.demo.api import UnexpectedAnswerError
from local.demo.clone import GitError
from local.demo.drift_stage import DriftStage
from local.demo.drift_story import ByHand, Quiet, broken_by_hand, broken_quiet
from local.demo.screen import Row, Screen
from local.demo.shop import Part
from local.demo.stage import Stage
from local.demo.story import Step, broken_promises

# What ends a story early: the rest is shown as not played.
_UNPLAYED = (waiting.WaitedTooLongError, UnexpectedAnswerError, GitError, OSError)


@dataclass(frozen=True)
class Player:
    """Everybody who acts in the story, and the screen that shows it."""

    stage: Stage
    drift_stage: DriftStage
    screen: Screen

    def play(self, story: Sequence[Part]) -> list[Row]:
        """Play the parts in order; one without an end leaves those after it unplayed."""
        rows: list[Row] = []
        for number, part in enumerate(story, start=1):
            self.screen.chapter(f"{number}. {part.title}")
            try:
                rows.append(self._played(part))
            except _UNPLAYED as error:
                self.screen.broken([str(error)])
                return rows + [Row(unplayed.title) for unplayed in story[number - 1 :]]
        return rows

    def _played(self, part: Part) -> Row:
        if isinstance(part, Step):
            return self._push(part)
        return self._wait(part) if isinstance(part, Quiet) else self._edit(part)

    def _push(self, step: Step) -> Row:
        outcome = self.stage.play(step)
        broken = broken_promises(step, outcome)
        self.screen.verdict(outcome, step, broken)
        return Row(
            title=step.title,
            functions=_count(outcome.functions),
            deployed=screens.azure(outcome.deployments),
            end=screens.words(outcome),
            took=_seconds(outcome.elapsed_s),
            held=not broken,
        )

    def _wait(self, step: Quiet) -> Row:
        outcome = self.drift_stage.wait(step)
        broken = broken_quiet(step, outcome)
        self.screen.drifts(outcome.drifts, outcome.coverage)
        self.screen.broken(broken)
        return Row(
            title=step.title,
            functions=_count(outcome.functions),
            deployed="nothing",
            end="as it was",
            took=_seconds(outcome.elapsed_s),
            held=not broken,
        )

    def _edit(self, step: ByHand) -> Row:
        outcome = self.drift_stage.edit(step)
        broken = broken_by_hand(step, outcome)
        self.screen.ended(step, outcome)
        self.screen.broken(broken)
        return Row(
            title=step.title,
            functions=_count(outcome.functions),
            deployed=step.stack if outcome.puts else "nothing",
            end=f"shown in {_seconds(outcome.shown_after_s)}",
            took=_seconds(outcome.elapsed_s),
            held=not broken,
        )


def _count(functions: Mapping[str, int]) -> str:
    return str(sum(functions.values()))


def _seconds(elapsed_s: float) -> str:
    return f"{elapsed_s:.1f} s"
