"""Mode Complete: what the group holds and the template does not say is deleted."""

from __future__ import annotations

from local.arm import ids
from local.arm.cloud import Cloud
from local.arm.deploy.steps import Refusal
from local.arm.deploy.submit import Ask
from local.arm.engine import Plan
from local.arm.errors import ArmError
from local.arm.providers import reads, writes


async def clean_up(cloud: Cloud, ask: Ask, plan: Plan) -> list[Refusal]:
    """Delete the group's top-level resources that are not in the plan; return what refused."""
    named = {ids.key_of(resource.id) for resource in plan.resources}
    refusals = []
    for record in cloud.store.resources.below(ask.scope.id):
        rid = ids.parse(record.id)
        if rid is None or rid.parent is not None or not reads.is_listed(record):
            continue
        if rid.key in named:
            continue
        try:
            writes.delete(cloud, rid, ask.caller)
        except ArmError as error:
            refusals.append(Refusal({"target": record.id, **error.body()}))
    return refusals
