"""Resource ids: taken apart, compared without regard to case, and written in ARM's own spelling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

PROVIDERS = "providers"
MOST_SEGMENTS = 250
"""More than any id has; the service's front door takes no more of them in a URL."""
GROUP_TYPE = "Microsoft.Resources/resourceGroups"
DEPLOYMENT_TYPE = "Microsoft.Resources/deployments"


def key_of(resource_id: str) -> str:
    """Return what two spellings of one id have in common. Pure."""
    return resource_id.rstrip("/").lower()


def group_id(subscription: str, group: str) -> str:
    """Return the canonical id of a resource group. Pure."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}"


@dataclass(frozen=True, slots=True)
class ResourceId:
    """An id in parts: the scope it hangs on, its namespace, and type and name segment by segment.

    `scope` is "" at the tenant, a subscription, a resource group, or (for an extension resource)
    another resource's id.
    """

    scope: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def id(self) -> str:
        """The id as text."""
        pairs = "".join(f"/{t}/{n}" for t, n in zip(self.types, self.names, strict=True))
        return f"{self.scope}/{PROVIDERS}/{self.namespace}{pairs}"

    @property
    def key(self) -> str:
        """What two spellings of this id have in common."""
        return key_of(self.id)

    @property
    def type(self) -> str:
        """The full type, as in `Microsoft.Network/virtualNetworks/subnets`."""
        return "/".join((self.namespace, *self.types))

    @property
    def name(self) -> str:
        """The full name, as in `vnet/subnet`."""
        return "/".join(self.names)

    @property
    def parent(self) -> ResourceId | None:
        """The resource this one is a child of; None at the top."""
        if len(self.types) == 1:
            return None
        return ResourceId(self.scope, self.namespace, self.types[:-1], self.names[:-1])

    @property
    def is_extension(self) -> bool:
        """True if the resource hangs on another resource."""
        return f"/{PROVIDERS}/" in self.scope.lower()

    @property
    def subscription(self) -> str | None:
        """The subscription in the id, as written."""
        parts = self.scope.split("/")
        return parts[2] if len(parts) > 2 and parts[1].lower() == "subscriptions" else None  # noqa: PLR2004 - "", word, value

    @property
    def group(self) -> str | None:
        """The resource group in the id, as written."""
        parts = self.scope.split("/")
        return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else None  # noqa: PLR2004 - two pairs


@lru_cache(maxsize=8192)
def parse(path: str) -> ResourceId | None:
    """Take an id apart; None if `path` is not the id of a provider's resource. Pure."""
    parts = path.strip("/").split("/")
    if len(parts) > MOST_SEGMENTS or not all(parts):
        return None
    # The last "providers" that leaves a namespace and whole pairs behind it: a resource may
    # itself be called "providers".
    for at in range(len(parts) - 1, -1, -1):
        count = len(parts) - at - 1
        if parts[at].lower() == PROVIDERS and count > 2 and count % 2 == 1:  # noqa: PLR2004 - namespace and a pair
            rest = parts[at + 1 :]
            scope = "".join(f"/{part}" for part in parts[:at])
            return ResourceId(scope, rest[0], tuple(rest[1::2]), tuple(rest[2::2]))
    return None


def type_in(path: str) -> str:
    """Return the type in an id as written, "" if it is not the id of a resource. Pure."""
    rid = parse(path)
    return rid.type if rid else ""


def group_of(path: str) -> tuple[str, str] | None:
    """Return (subscription, resource group) as written in an id; None if it has none. Pure."""
    parts = path.split("/")
    if (
        len(parts) > 4  # noqa: PLR2004 - "", then two pairs
        and parts[1].lower() == "subscriptions"
        and parts[3].lower() == "resourcegroups"
    ):
        return parts[2], parts[4]
    return None
