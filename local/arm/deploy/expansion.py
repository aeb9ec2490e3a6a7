"""A plan with its nested deployments opened, as far as they are known before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.arm import ids, management_groups
from local.arm.cloud import Cloud
from local.arm.deploy import scopes
from local.arm.deploy.refusals import refused
from local.arm.engine import NeedsRuntime, Plan, PlannedResource, Scope, TemplateError
from local.arm.errors import ArmError
from local.arm.providers.model import normal_location

_SCOPES = frozenset(one.lower() for one in (ids.GROUP_TYPE, management_groups.TYPE))


@dataclass(frozen=True, slots=True)
class Found:
    """A resource somewhere in a plan; `within` is the scope of the deployment that holds it.

    `body` is its preview. `depth` is 0 for what the deployment itself declares. `is_open` is false
    for a nested deployment that cannot be looked into yet.
    """

    resource: PlannedResource
    within: Scope
    body: dict[str, Any]
    depth: int
    is_open: bool = True


def expand(plan: Plan, scope: Scope, depth: int = 0) -> Iterator[Found]:
    """Yield every resource that a plan writes, each nested deployment before what is in it.

    Raises `ArmError` InvalidTemplate for a nested template that is refused.
    """
    for resource in plan.resources:
        if resource.existing:
            continue
        body = resource.preview()
        if resource.nested is None:
            yield Found(resource, scope, body, depth)
            continue
        try:
            inner = resource.nested.preview()
        except NeedsRuntime:
            yield Found(resource, scope, body, depth, is_open=False)
            continue
        except TemplateError as error:
            raise refused(error) from error
        yield Found(resource, scope, body, depth)
        yield from expand(inner, resource.nested.scope, depth + 1)


def locations(found: list[Found]) -> dict[str, str | None]:
    """Return where the resources that the deployment itself declares go, as far as known. Pure."""
    where: dict[str, str | None] = {}
    for one in found:
        location = one.body.get("location")
        if one.depth == 0 and isinstance(location, str) and not location.startswith("["):
            where[one.resource.id] = normal_location(location)
    return where


def scopes_made(found: list[Found]) -> frozenset[str]:
    """Return the ids, in lower case, of the scopes that a deployment makes itself. Pure."""
    return frozenset(
        ids.key_of(one.resource.id) for one in found if one.resource.type.lower() in _SCOPES
    )


def missing(cloud: Cloud, scope: Scope, made: frozenset[str]) -> ArmError | None:
    """Return why a scope cannot be deployed to: it is not there, and nothing makes it."""
    try:
        scopes.canonical(cloud, scope)
    except ArmError as error:
        return None if ids.key_of(scope.id) in made else error
    return None
