"""All routes in the order in which they are tried: the special before the general."""

from __future__ import annotations

from local.arm.deploy.runner import Runner
from local.arm.routes import (
    activity,
    authorization,
    deleted,
    deployments,
    features,
    logs,
    management_groups,
    metadata,
    names,
    operations,
    providers,
    resource_groups,
    resources,
    subscriptions,
    tags,
    whatif,
)
from local.arm.routes.table import Route

PUBLIC = frozenset({"metadata"})
"""Routes that answer without a token."""


def all_routes(runner: Runner) -> tuple[Route, ...]:
    """Return all routes; the deployments among them are carried out by `runner`."""
    return (
        *metadata.ROUTES,
        *activity.ROUTES,
        *logs.ROUTES,
        *operations.ROUTES,
        *deleted.ROUTES,
        *whatif.ROUTES,
        *deployments.routes(runner),
        *features.ROUTES,
        *authorization.ROUTES,
        *management_groups.ROUTES,
        *names.ROUTES,
        *tags.ROUTES,
        *resource_groups.ROUTES,
        *subscriptions.ROUTES,
        *providers.ROUTES,
        *resources.ROUTES,
    )
