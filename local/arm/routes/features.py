"""Preview features of a subscription: shown, registered, unregistered."""

from __future__ import annotations

from local.arm import features
from local.arm.cloud import Cloud
from local.arm.filters import page
from local.arm.messages import Answer, Request
from local.arm.routes.table import Words, route


async def list_features(cloud: Cloud, request: Request, words: Words) -> Answer:
    """List the features that somebody asked for, of one namespace or of all."""
    subscription = cloud.check_subscription(words["sub"])
    return Answer(200, page(request, features.known(cloud, subscription, words.get("namespace"))))


async def get_feature(cloud: Cloud, _: Request, words: Words) -> Answer:
    """Show a feature."""
    subscription = cloud.check_subscription(words["sub"])
    return Answer(200, features.shown(cloud, subscription, words["namespace"], words["name"]))


async def change_feature(cloud: Cloud, request: Request, words: Words) -> Answer:
    """Register a feature, or unregister it; answer with its state."""
    subscription = cloud.check_subscription(words["sub"])
    register = words["verb"].lower() == "register"
    feature = subscription, words["namespace"], words["name"]
    features.change(cloud, feature, register=register)
    return await get_feature(cloud, request, words)


_SPACE = "/subscriptions/{sub}/providers/Microsoft.Features"
_ALL = _SPACE + "/providers/{namespace}/features"
_ONE = _ALL + "/{name}"
ROUTES = (
    route("features", _SPACE + "/features", {"GET": list_features}),
    route("provider-features", _ALL, {"GET": list_features}),
    route("feature", _ONE, {"GET": get_feature}),
    route(
        "feature-registration", _ONE + "/(?P<verb>register|unregister)", {"POST": change_feature}
    ),
)
