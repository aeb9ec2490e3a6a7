"""The ARM template language: pure evaluation, no I/O, usable alone.

`plan` decides what a deployment will do; the plan's resources, nested deployments and outputs are
then evaluated against a `Runtime` as the deployment proceeds. `evaluate` does all of it in one
call. The language is described in the comments of the modules that own each part of it.

    python - main.json <<'END'
    import sys, uuid
    from datetime import UTC, datetime
    from local.arm.engine import Context, Scope, evaluate, parse_template

    group = Scope("resourceGroup", subscription_id=str(uuid.UUID(int=1)), resource_group="shop")
    context = Context(
        scope=group,
        deployment_name="try",
        location=None,  # of the deployment; only above resource groups
        subscription={"id": f"/subscriptions/{group.subscription_id}"},
        tenant={},
        environment={"suffixes": {"storage": "core.windows.net"}},
        deployer={},
        resource_group=lambda subscription, name: {"id": group.id, "location": "westeurope"},
        utc_now=datetime.now(UTC),
        new_guid=lambda: str(uuid.uuid4()),
    )
    template = parse_template(open(sys.argv[1], "rb").read())
    evaluated = evaluate(template, {"size": {"value": 3}}, context)
    for resource in evaluated.resources:
        print(resource.id, resource.body)
    print(evaluated.outputs)
    END

Without a runtime, values that only Azure can know stay as expressions, `[reference('...').x]`; with
one, `evaluate(template, parameters, context, runtime)` leaves none. Errors are `TemplateError`s,
whose `body()` is ARM's. Nothing is read, written, timed or drawn by chance in here.
"""

from local.arm.engine.context import Context, Runtime, Scope
from local.arm.engine.documents import NotJsonError, parse_request, parse_template
from local.arm.engine.errors import TemplateError
from local.arm.engine.evaluation import Evaluated, EvaluatedResource, evaluate
from local.arm.engine.foresight import Foresight
from local.arm.engine.frame import NeedsRuntime
from local.arm.engine.hashing import template_hash
from local.arm.engine.plan import (
    CopyMember,
    NestedDeployment,
    ParameterValue,
    Plan,
    PlannedResource,
)
from local.arm.engine.planning import plan

__all__ = [
    "Context",
    "CopyMember",
    "Evaluated",
    "EvaluatedResource",
    "Foresight",
    "NeedsRuntime",
    "NestedDeployment",
    "NotJsonError",
    "ParameterValue",
    "Plan",
    "PlannedResource",
    "Runtime",
    "Scope",
    "TemplateError",
    "evaluate",
    "parse_request",
    "parse_template",
    "plan",
    "template_hash",
]
