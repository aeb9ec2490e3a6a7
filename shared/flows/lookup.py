"""Find the stack that a path names: ``<repository>.<stack>``, or a bare name while it is unique."""

from dataclasses import dataclass
from typing import Any

from shared.core import names
from shared.core.view import Complaint
from shared.state.records import Records


@dataclass(frozen=True)
class Answered:
    """An HTTP status and the value that is its JSON body."""

    status: int
    body: Any


def missing(message: str, hint: str | None = None) -> Answered:
    """Return the answer for what is not there. Pure."""
    return Answered(404, Complaint(error="NotFound", message=message, hint=hint))


def find_stack(records: Records, name: str) -> tuple[str, str] | Answered:
    """Return (repository, stack), or the answer that says why there is not one."""
    found = [
        identity
        for listed in records.listed()
        if (identity := names.identity_of_record(listed.name)) is not None
        and name in {identity[1], names.identity(*identity)}
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        return missing("There is no such stack.", "GET /api/stacks lists them all.")
    complaint = Complaint(
        error="Ambiguous",
        message=f"Several repositories have a stack of this name: {name}.",
        hint="Ask for <repository>.<stack>.",
        candidates=tuple(sorted(names.identity(*identity) for identity in found)),
    )
    return Answered(409, complaint)
