"""A plan with its nested deployments opened, as far as they are known before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from local.arm import ids, management_groups
from local.arm.cloud import Cloud
from local.arm.deploy import scopes
from local.arm.deploy.refusals import refused
from local.arm.engine import NeedsRuntime, Plan, PlannedResource, Scope, TemplateError
from local.arm.errors import ArmError

_SCOPES = frozenset(one.lower() for one in (ids.GROUP_TYPE, management_groups.TYPE))


@dataclass(frozen=True, slots=True)
class Found:
    """A resource somewhere in a plan; `within` is the scope of the deployment that holds it.

    `is_open` is false for a nested deployment that cannot be looked into yet.
    """

    resource: PlannedResource
    within: Scope
    is_open: bool = True


def expand(plan: Plan, scope: Scope) -> Iterator[Found]:
    """Yield every resource that a plan writes, each nested deployment before what is in it.

    Raises `ArmError` InvalidTemplate for a nested template that is refused.
    """
    for resource in plan.resources:
        if resource.existing:
            continue
        if resource.nested is None:
            yield Found(resource, scope)
            continue
        try:
            inner = resource.nested.preview()
        except NeedsRuntime:
            yield Found(resource, scope, is_open=False)
            continue
        except TemplateError as error:
            raise refused(error) from error
        yield Found(resource, scope)
        yield from expand(inner, resource.nested.scope)


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
