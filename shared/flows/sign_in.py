"""Let operators in, and nobody else: the first step of every order over HTTP."""

from dataclasses import dataclass
from typing import Final

from shared import events
from shared.core.operation import OperationRefusedError
from shared.core.view import Complaint
from shared.flows.lookup import Answered
from shared.ports import Caller, Callers, Log

MAX_BODY_BYTES: Final = 16 * 1024


@dataclass(frozen=True)
class Credentials:
    """What a request brings to say who sends it: a bearer token, or the laptop's operator key."""

    bearer: str | None
    key: str | None


@dataclass(frozen=True)
class SignIn:
    """The step."""

    callers: Callers
    log: Log

    def __call__(self, operation: str, body: bytes, credentials: Credentials) -> Caller:
        """Return the operator who orders. Raises OperationRefusedError for anybody else."""
        caller = self.callers.identify(credentials.bearer, credentials.key)
        if caller is None or not caller.is_operator:
            who = caller.name if caller is not None else None
            self.log(events.OPERATION_REFUSED, operation=operation[:40], by=who)
        if caller is None:
            raise OperationRefusedError(
                401,
                "NotSignedIn",
                "This needs an operator's token.",
                "Send Authorization: Bearer with a token for Plumbline's application.",
            )
        if not caller.is_operator:
            raise OperationRefusedError(
                403,
                "NotAnOperator",
                f"{caller.name} has not the operator's role.",
                "Ask for the app role Plumbline.Operator.",
            )
        if len(body) > MAX_BODY_BYTES:
            raise OperationRefusedError(
                413, "BodyTooLarge", "An order is at most 16 KiB.", "Say why in fewer words."
            )
        return caller


def refused(error: OperationRefusedError) -> Answered:
    """Return the answer that says why an order is not carried out. Pure."""
    complaint = Complaint(error=error.reason, message=error.message, hint=error.hint)
    return Answered(error.status, complaint)
