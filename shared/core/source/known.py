"""What is known of a value before a deployment runs: all, a part of a text, or nothing."""

from dataclasses import dataclass
from typing import Final

HOLE: Final = "\0"
"""Stands in a text for a part that is not known; no text of ARM has this character."""


class Unknown:
    """A value that only ARM will know."""


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Scope:
    """A place that ARM writes to: the tenant, a management group, a subscription or a group.

    A part that is not known is None for "there is none", and holds HOLE for "somewhere".
    """

    subscription: str | None = None
    group: str | None = None
    management_group: str | None = None

    @property
    def id(self) -> str | None:
        """The canonical id; None when a part of it is not known."""
        parts = (self.subscription, self.group, self.management_group)
        if any(part is not None and HOLE in part for part in parts):
            return None
        if self.management_group is not None:
            return f"/providers/Microsoft.Management/managementGroups/{self.management_group}"
        if self.subscription is None:
            return "/"
        if self.group is None:
            return f"/subscriptions/{self.subscription}"
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
