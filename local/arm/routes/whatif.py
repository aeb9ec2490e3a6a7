"""What-if at all four scopes, and the labels of its noise for the side channel."""

from __future__ import annotations

from local.arm import ids, lro
from local.arm.cloud import Cloud
from local.arm.deploy import history, scopes, submit
from local.arm.deploy.ask import Ask
from local.arm.messages import Answer, Request
from local.arm.routes.deployments import SCOPE
from local.arm.routes.table import Words, route
from local.arm.whatif import operation
from local.arm.whatif.operation import Clouds, Result, Wish


async def what_if(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Say what a deployment would change; the result is polled for.

    A template that is no template is refused at once; what goes wrong later is in a result whose
    status is Failed, with HTTP status 200.
    """
    scope = scopes.at(cloud, words["scope"])
    ask = await submit.asked(cloud, request, scope, words["name"])
    wish = operation.wish_of(request.json()["properties"])
    result = await foretold(cloud, ask, wish)
    cloud.whatifs.keep(ask.correlation_id, result.labels.shown())
    history.groom(cloud, scope.id)
    above = lro.scope_above(scope.id)
    seconds = cloud.knobs.whatif_seconds
    job = lro.start(cloud, seconds, 200, body=result.body, scope=above)
    return Answer(202, None, lro.location_headers(cloud, request, job))


async def foretold(cloud: Cloud, ask: Ask, wish: Wish) -> Result:
    """Return what a deployment would change; raises `ArmError` for what ARM refuses at once."""
    clouds = Clouds.of(cloud, cloud.whatifs.next_tick(), aside=ask.heavy)
    submission = submit.submission_of(cloud, ask)

    def work() -> Result:
        plan = submit.plan(clouds.then, ask, submission)
        return operation.foretell(clouds, ask, plan, wish)

    return await submit.aside(ask, work)


ROUTES = (
    route(
        "deployment-what-if",
        SCOPE + f"/providers/{ids.DEPLOYMENT_TYPE}/{{name}}/whatIf",
        {"POST": what_if},
    ),
)
