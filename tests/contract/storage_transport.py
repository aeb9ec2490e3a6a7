"""A transport between the SDK and a real storage that loses requests or replies on command."""

from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport

Fate = Literal["pass", "refuse", "lose request", "lose reply"]


class LossyTransport(RequestsTransport):  # type: ignore[misc]  # untyped for mypy
    """Passes requests on, but for those that ``fates`` says; counts them by method in ``sent``."""

    def __init__(self) -> None:
        super().__init__()
        self.fates: deque[Fate] = deque()
        self.between: Callable[[], object] | None = None
        self.sent: list[str] = []

    def send(self, request: Any, **kwargs: Any) -> Any:
        """Send one request, or fail as the network does."""
        self.sent.append(request.method)
        fate = self.fates.popleft() if self.fates else "pass"
        if fate == "refuse":
            raise ServiceRequestError("connection refused")
        if fate == "lose request":
            raise ServiceResponseError("connection reset before the request arrived")
        response = super().send(request, **kwargs)
        if fate == "lose reply":
            response.close()
            if self.between is not None:
                between, self.between = self.between, None
                between()
            raise ServiceResponseError("connection reset while the reply was on its way")
        return response
