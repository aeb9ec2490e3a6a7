"""Deleted resources that providers keep: listed, shown and purged at the subscription."""

from __future__ import annotations

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.filters import page
from local.arm.knowledge.schema import SoftDelete
from local.arm.messages import Answer, Request
from local.arm.providers import graves
from local.arm.routes.table import Words, route


def _kind(cloud: Cloud, request: Request, words: Words) -> tuple[str, SoftDelete]:
    """Return the type whose deleted resources a path is about; raises NotFound."""
    head = f"{words['namespace']}/".lower()
    for kind, rule in cloud.knowledge.buried.items():
        if kind.startswith(head) and rule.collection.lower() == words["collection"].lower():
            return kind, rule
    raise errors.route_not_found(request.method, request.path)


async def list_deleted(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the deleted resources of one kind."""
    cloud.check_subscription(words["sub"])
    kind, rule = _kind(cloud, request, words)
    group = (words.get("group") or "").lower()
    found = [
        grave
        for grave in graves.kept(cloud, kind)
        if not group or f"/resourcegroups/{group}/" in grave.resource.id.lower()
    ]
    return Answer(200, page(request, [graves.body(rule, grave) for grave in found]))


async def get_deleted(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Show a deleted resource."""
    cloud.check_subscription(words["sub"])
    kind, rule = _kind(cloud, request, words)
    grave = graves.find(cloud, kind, words["location"], words["name"], words.get("group"))
    return Answer(200, graves.body(rule, grave))


async def purge_deleted(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Forget a deleted resource for good."""
    cloud.check_subscription(words["sub"])
    kind, _ = _kind(cloud, request, words)
    grave = graves.find(cloud, kind, words["location"], words["name"], words.get("group"))
    graves.purge(cloud, grave)
    return Answer(200)


_NAMESPACE = "/subscriptions/{sub}(?:/resourcegroups/{group})?/providers/{namespace}"
_KEPT = "(?P<collection>deleted[a-z]+)"
_ONE = (
    "/subscriptions/{sub}/providers/{namespace}/locations/{location}"
    f"(?:/resourcegroups/{{group}})?/{_KEPT}/{{name}}"
)
ROUTES = (
    route("deleted-resources", f"{_NAMESPACE}/{_KEPT}", {"GET": list_deleted}),
    route("deleted-resource", _ONE, {"GET": get_deleted, "DELETE": purge_deleted}),
    route("deleted-resource-purge", f"{_ONE}/purge", {"POST": purge_deleted}),
)
