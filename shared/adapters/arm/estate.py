"""What is in Azure beside deployments: groups, providers, and resources by listing and by id."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azure.core.exceptions import AzureError

from shared.adapters.arm import addresses, listing, reading
from shared.adapters.arm.connection import Connection, accepted, body_of, object_of
from shared.adapters.arm.failures import is_missing
from shared.core.arm_model import SightingsPage
from shared.core.errors import Transient

PAGE_SIZE = 1000
"""Resources on a page of a listing; ARM gives no more."""

_TIMES = "createdTime,changedTime"


class Estate(Connection):
    """The part of the Arm port about what is there."""

    def has_group(self, scope: str) -> bool:
        """Tell whether the resource group exists."""
        subscription, name = reading.group_name(scope)
        groups = self._clients.of(subscription).resources.resource_groups
        with self._attempt("group.head"):
            return bool(groups.check_existence(name))

    def create_group(self, scope: str, location: str, tags: Mapping[str, str]) -> None:
        """Create the resource group; a PUT on an existing one would replace its tags."""
        subscription, name = reading.group_name(scope)
        groups = self._clients.of(subscription).resources.resource_groups
        with self._attempt("group.put"):
            groups.create_or_update(name, {"location": location, "tags": dict(tags)}, cls=body_of)

    def register_provider(self, subscription_id: str, namespace: str) -> str:
        """Ask for registration; returns the state that ARM answers."""
        providers = self._clients.of(subscription_id).resources.providers
        with self._attempt("provider.register"):
            body = object_of(providers.register(namespace, cls=body_of))
        return str(body.get("registrationState") or "Registering")

    def resource(self, resource_id: str, api_version: str) -> Mapping[str, Any] | None:
        """Return the resource's body, or None when there is none."""
        resources = self._clients.of(reading.subscription_of(resource_id)).resources.resources
        with self._attempt("resource.get") as exchange:
            try:
                body = resources.get_by_id(
                    reading.quoted_id(resource_id), api_version=api_version, cls=body_of
                )
            except AzureError as error:
                if is_missing(error, exchange):
                    return None
                raise
            return object_of(body)

    def sightings(self, scope: str, after: str | None = None) -> SightingsPage:
        """Return one page of the resources in a subscription or group; see ports.Arm.

        Raises Transient (``ListingGone``) when what ``after`` asks for is not there any more:
        what was on the pages before is no whole listing then.
        """
        at = reading.container(scope)
        client = self._clients.of(at.subscription).resources.resources
        token = None
        if after is not None:
            token = self._endpoint.url.rstrip("/") + addresses.listing(after, at)
        with self._attempt("resources.list") as exchange, _read_with_care():
            if at.group:
                found = client.list_by_resource_group(at.group, expand=_TIMES, top=PAGE_SIZE)
            else:
                found = client.list(expand=_TIMES, top=PAGE_SIZE)
            try:
                next(found.by_page(token))
            except AzureError as error:
                if not is_missing(error, exchange):
                    raise
                if after is None:
                    return SightingsPage(())
                raise Transient("ListingGone", f"the listing of {scope} came to no end") from error
            body = object_of(exchange.response.json())
            return listing.read_sightings(body, at, after)

    def api_version(self, subscription_id: str, resource_type: str) -> str | None:
        """Return the newest stable api-version of a type; ARM is asked once per provider."""
        namespace, _, kind = resource_type.lower().partition("/")
        if not kind or not listing.is_namespace(namespace):
            return None
        with self._lock:
            known = self._versions.get((subscription_id.lower(), namespace))
        if known is None:
            known = self._provider_versions(subscription_id, namespace)
            with self._lock:
                self._versions[subscription_id.lower(), namespace] = known
        return known.get(kind)

    def delete_resource(self, resource_id: str, api_version: str) -> None:
        """Ask for a resource to be deleted; one that is not there is no error. See ports.Arm."""
        resources = self._clients.of(reading.subscription_of(resource_id)).resources.resources
        with self._attempt("resource.delete", effect="deletes") as exchange:
            try:
                with accepted(exchange):
                    resources.begin_delete_by_id(
                        reading.quoted_id(resource_id), api_version=api_version, polling=False
                    )
            except AzureError as error:
                if not is_missing(error, exchange):
                    raise

    def _provider_versions(self, subscription_id: str, namespace: str) -> Mapping[str, str]:
        providers = self._clients.of(subscription_id).resources.providers
        with self._attempt("provider.get") as exchange:
            try:
                body = providers.get(namespace, cls=body_of)
            except AzureError as error:
                if is_missing(error, exchange):
                    return {}
                raise
            return listing.read_versions(object_of(body))


@contextmanager
def _read_with_care() -> Iterator[None]:
    """Let what the SDK's pager says of an answer of another shape be one that may pass."""
    try:
        yield
    except (AttributeError, TypeError) as error:
        raise ValueError("the listing has another shape") from error
