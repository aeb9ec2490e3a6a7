"""What POST {resource}/{action} answers: secrets and settings that GET does not show."""

from __future__ import annotations

from typing import Any

from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.knowledge.words import fill
from local.arm.providers import model
from local.arm.state.records import Resource


def act(cloud: Cloud, record: Resource, verb: str) -> Any:
    """Return the answer; the same resource always has the same keys. Raises `ArmError`."""
    known = cloud.knowledge.type(record.type)
    facts = model.facts(
        model.Circumstances(
            model.rid_of(record), cloud.identity.tenant, record.created, record.changed
        ),
        record.got,
    )
    for name, answer in known.actions.items():
        if name.lower() == verb.lower():
            return fill(answer, facts)
    if verb.lower() == "list":
        properties = model.find(record.put, "properties") or {}
        shown = {key: record.got[key] for key in ("id", "name", "type")}
        return {**shown, "properties": properties}
    if verb.lower() == "listkeys":
        return fill({"primaryKey": "{key:1}", "secondaryKey": "{key:2}"}, facts)
    if verb.lower().startswith("list"):
        return {"value": []}
    raise ArmError(
        404,
        "InvalidResourceType",
        f"The action '{verb}' is not known for the resource type '{record.type}'.",
        gateway=False,
    )
