"""The case that a scripted error is about."""

from __future__ import annotations

from dataclasses import dataclass

from local.arm import ids
from local.arm.cloud import Cloud
from local.arm.rules import Call, Reply


@dataclass(frozen=True, slots=True)
class Case:
    """What a text speaks of: the call, what the rule says, and the cloud it happens in."""

    cloud: Cloud
    call: Call
    reply: Reply

    @property
    def name(self) -> str:
        """The last name in the path."""
        return self.call.path.rstrip("/").rpartition("/")[2]

    @property
    def type(self) -> str:
        """The resource type, as written in the path or as permissions spell it."""
        rid = ids.parse(self.call.path)
        return rid.type if rid else self.call.needed[0].rpartition("/")[0]

    @property
    def namespace(self) -> str:
        """The provider: the rule's, else the path's."""
        return self.reply.detail or self.type.partition("/")[0]

    @property
    def location(self) -> str:
        """Where the resource is."""
        record = self.cloud.resource(self.call.path)
        return str(record.got.get("location", "westeurope")) if record else "westeurope"
