"""All routes in the order in which they are tried: the special before the general."""

from __future__ import annotations

from local.arm.routes import (
    deployments,
    metadata,
    operations,
    providers,
    resource_groups,
    resources,
    subscriptions,
    tags,
)
from local.arm.routes.table import Route

PUBLIC = frozenset({"metadata"})
"""Routes that answer without a token."""

ROUTES: tuple[Route, ...] = (
    *metadata.ROUTES,
    *operations.ROUTES,
    *deployments.ROUTES,
    *tags.ROUTES,
    *resource_groups.ROUTES,
    *subscriptions.ROUTES,
    *providers.ROUTES,
    *resources.ROUTES,
)
