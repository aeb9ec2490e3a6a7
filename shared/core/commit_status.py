"""What a Git host is told of a revision: one context for the repository, one for each stack. Pure.

States are GitHub's (docs: "Commit statuses"): ``pending``, ``success``, ``failure``, ``error``. As long
as the revision is not final everything is pending, so that each context gets one final state.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from shared.core.revision import Answer, StackStatus, Status

State = Literal["pending", "success", "failure", "error"]

MAX_DESCRIPTION: Final = 140
"""GitHub's limit."""

_STATES: Final[Mapping[Status | StackStatus, State]] = {
    "deployed": "success",
    "nothing": "success",
    "failed": "failure",
    "blocked": "failure",
    "superseded": "error",
    "pending": "pending",
}
_SAID: Final[Mapping[Status | StackStatus, str]] = {
    "deployed": "deployed",
    "nothing": "nothing to deploy",
    "failed": "failed",
    "blocked": "waits for a stack that failed",
    "superseded": "superseded by a newer revision",
    "pending": "at work",
}


class CommitStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One status: where it is shown, and what it says."""

    context: str
    state: State
    description: str


def statuses(repository: str, answer: Answer) -> list[CommitStatus]:
    """Return every status that a revision should have now. Pure."""
    whole = _status(f"plumbline/{repository}", answer.status, answer)
    stacks = [
        _status(f"plumbline/{repository}/{name}", found if answer.final else "pending", answer)
        for name, found in answer.stacks.items()
    ]
    return [whole, *stacks]


def _status(context: str, found: Status | StackStatus, answer: Answer) -> CommitStatus:
    said = _SAID[found]
    if found == "superseded" and answer.by:
        said = f"superseded by {answer.by[:12]}"
    elif context.count("/") == 1 and answer.stacks and answer.final:
        said = f"{said}: {', '.join(f'{name} {one}' for name, one in answer.stacks.items())}"
    if len(said) > MAX_DESCRIPTION:
        said = said[: MAX_DESCRIPTION - 1] + "…"
    return CommitStatus(context=context, state=_STATES[found], description=said)
