"""How an ARM answer that is not success reads: refused, unknown, or one of the general kinds."""

from shared.core.errors import PlumblineError
from shared.core.problem import Problem


class Refused(PlumblineError):
    """ARM refused the PUT outright: nothing was changed, and the same request is refused again."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code, problem.message, hint=problem.hint)
        self.problem = problem


class Active(PlumblineError):
    """A deployment of that name is still active (409 DeploymentActive): ARM is the mutex."""


class Unregistered(PlumblineError):
    """The subscription is not registered for ``namespace``: register it, then put again."""

    def __init__(self, message: str, *, namespace: str) -> None:
        super().__init__("MissingSubscriptionRegistration", message)
        self.namespace = namespace


class Unknown(PlumblineError):
    """Nobody knows whether ARM took the PUT (time-out, reply lost, 5xx): settle it by GET."""
