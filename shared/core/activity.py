"""Who changed what, as Azure's Activity Log tells it. Pure data."""

from datetime import datetime

import msgspec


class Write(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finished change of a resource, whoever made it.

    ``id`` is the event's own; ``at`` is when it happened, ``seen_at`` when the log had it.
    ``operation`` is ARM's (``Microsoft.Network/virtualNetworks/write``); ``caller`` is a name or an
    object id, ``client`` the application's id, where the log tells them.
    """

    id: str
    resource_id: str
    operation: str
    at: datetime
    seen_at: datetime
    correlation_id: str | None = None
    caller: str | None = None
    client: str | None = None

    @property
    def is_deletion(self) -> bool:
        """Whether the resource was deleted."""
        return self.operation.lower().endswith("/delete")
