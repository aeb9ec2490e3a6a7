"""The surroundings of a template: where it is deployed, who deploys it, what answers at run time.

The engine has no clock, no randomness and no network; all of that comes in through these types.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

ScopeKind = Literal["resourceGroup", "subscription", "managementGroup", "tenant"]


@dataclass(frozen=True)
class Scope:
    """Where a deployment or a resource lives. The fields that `kind` does not use are None."""

    kind: ScopeKind
    subscription_id: str | None = None
    resource_group: str | None = None
    management_group: str | None = None

    @property
    def id(self) -> str:
        """Return the canonical id; the tenant's is the empty string, so that ids can be joined."""
        match self.kind:
            case "resourceGroup":
                return f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            case "subscription":
                return f"/subscriptions/{self.subscription_id}"
            case "managementGroup":
                return f"/providers/Microsoft.Management/managementGroups/{self.management_group}"
            case "tenant":
                return ""


@dataclass(frozen=True)
class Context:
    """Everything that a template may ask about its surroundings."""

    scope: Scope
    deployment_name: str
    location: str | None
    subscription: Mapping[str, Any]
    tenant: Mapping[str, Any]
    environment: Mapping[str, Any]
    deployer: Mapping[str, Any]
    resource_group: Callable[[str, str], Mapping[str, Any]]
    """(subscription id, name) -> what resourceGroup() returns; may raise the caller's own error."""
    utc_now: datetime
    new_guid: Callable[[], str]
    provider: Callable[[str], Mapping[str, Any]] | None = None
    """Namespace -> {namespace, resourceTypes[{resourceType, locations, apiVersions}]}, for
    providers(); without it that function is refused."""
    external_inputs: Mapping[str, Any] = field(default_factory=dict)
    """{name: {"value": ...}} for externalInputs(), which parameters given as expressions use."""
    management_group: Callable[[str], Mapping[str, Any]] | None = None
    """Name -> what managementGroup() returns; without it, what follows from the name."""
    template_link: Mapping[str, Any] | None = None
    """Where the template came from, as deployment() shows it; None when it was sent inline."""


class Runtime(Protocol):
    """What answers reference() and list*() while a deployment runs; raises its own errors."""

    def reference(self, resource_id: str, api_version: str | None, full: bool) -> Any:  # noqa: FBT001
        """Return the resource's properties, or the whole body when `full`."""
        ...

    def list(self, resource_id: str, function: str, api_version: str, body: Any | None) -> Any:
        """Return what POST {resource_id}/{function} answers."""
        ...
