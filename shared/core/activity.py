"""Who changed what, as Azure's Activity Log tells it. Pure data, and what of the log counts."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

_NO_RESOURCE: Final = "microsoft.resources/deployments/"
"""A deployment's own entries: what it did is told by those of the resources."""

_ACTIONS: Final = frozenset(
    {
        *("moveresources", "slotsswap", "applyslotconfig", "resetslotconfig", "restoreslot"),
        *("regeneratekey", "regeneratekeys", "regenerateaccesskey", "regenerateadminkey"),
        *("regeneratecredential", "regeneratecredentials", "regenerateprimarykey"),
        *("regeneratesecondarykey", "regenerateapikey", "regenerateauthkey", "newpassword"),
        *("rotatekey", "rotatekeys", "resetservicecredentials", "resetserviceprincipalprofile"),
    }
)
"""The verbs after which a resource is another: moved, swapped, or with other keys.

Others (``restart``, ``listKeys``, ``validate``) leave what a template says as it was.
"""


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

    @property
    def deed(self) -> tuple[str, str, str]:
        """What the entries of one operation have in common; of one without a correlation its id."""
        return self.correlation_id or self.id, self.resource_id.lower(), self.operation.lower()


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What the log said when it was asked; ``writes`` by ``seen_at``, oldest first.

    ``lost_before``: there was too much, and what happened before that moment was not read.
    ``read_until``: there was too much, and what came into the log after that moment is to be asked for.
    """

    writes: tuple[Write, ...] = ()
    lost_before: datetime | None = None
    read_until: datetime | None = None


def changes(operation: str) -> bool:
    """Tell whether an operation, when it ended well, changed a resource. Pure."""
    lowered = operation.lower()
    kind, _, verb = lowered.rpartition("/")
    if lowered.startswith(_NO_RESOURCE):
        return False
    return verb in {"write", "delete"} or (verb == "action" and kind.rpartition("/")[2] in _ACTIONS)


def one_each(writes: Iterable[Write]) -> tuple[Write, ...]:
    """Return one write for each operation, the newest of its entries, by ``seen_at``. Pure."""
    newest: dict[tuple[str, str, str], Write] = {}
    for write in writes:
        known = newest.get(write.deed)
        if known is None or (known.at, known.id) < (write.at, write.id):
            newest[write.deed] = write
    return tuple(sorted(newest.values(), key=lambda one: (one.seen_at, one.at, one.id)))
