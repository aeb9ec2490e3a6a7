"""The scope that a resource of a template is in, as the resource itself says it."""

import re
from collections.abc import Mapping
from typing import Any

from local.arm.engine.context import Scope
from local.arm.engine.errors import ExpressionError
from local.arm.engine.expansion import settle
from local.arm.engine.frame import Frame
from local.arm.engine.ids import id_of_short_form
from local.arm.engine.values import get

_ABSOLUTE = re.compile(r"/(subscriptions|providers)/", re.IGNORECASE)


def declared_scope(item: Mapping[str, Any], kind: str, frame: Frame, target: Scope) -> str:
    """Return the id of the scope that a resource names, else of the deployment's target.

    Raises ExpressionError for a scope that is none.
    """
    scope = settle(get(item, "scope"), frame)
    if scope is not None:
        if not isinstance(scope, str):
            raise ExpressionError("The 'scope' of a resource must be a string.")
        return _explicit_scope(scope, target)
    # An empty text is nothing: the public modules write `resourceGroup: ''` for their own.
    subscription = settle(get(item, "subscriptionId"), frame) or None
    group = settle(get(item, "resourceGroup"), frame) or None
    if subscription is None and group is None:
        return target.id
    if subscription is None:
        subscription = target.subscription_id or frame.context.scope.subscription_id
    if not isinstance(subscription, str) or not isinstance(group, str | None):
        raise ExpressionError(
            f"The 'subscriptionId' and 'resourceGroup' of '{kind}' must be strings, and there "
            "must be a subscription."
        )
    return Scope(
        "resourceGroup" if group else "subscription",
        subscription_id=subscription,
        resource_group=group,
    ).id


def _explicit_scope(scope: str, target: Scope) -> str:
    if scope == "/":
        return ""
    if _ABSOLUTE.match(scope):
        return scope.rstrip("/")
    if scope.lower().startswith("microsoft.management/managementgroups/"):
        return f"/providers/{scope}"
    short = id_of_short_form(target.id, scope)
    if short is None:
        raise ExpressionError(f"The scope '{scope}' is not the id of a scope or resource.")
    return short
