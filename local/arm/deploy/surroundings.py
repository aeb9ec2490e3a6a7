"""What a template may ask about where it is deployed: subscription, tenant, cloud, deployer, time."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.arm import groups, ids, management_groups
from local.arm import subscription as subscriptions
from local.arm.clock import read_stamp
from local.arm.cloud import Cloud
from local.arm.engine import Context, Scope
from local.arm.engine.frame import Deferred
from local.arm.engine.syntax import Access, Call, Literal
from local.arm.errors import ArmError
from local.arm.messages import Caller
from local.arm.providers import registration
from local.arm.state.records import Submission


def context(
    cloud: Cloud,
    place: tuple[Scope, str, str | None],
    caller: Caller,
    submission: Submission,
    template_link: Mapping[str, Any] | None = None,
) -> Context:
    """Return the surroundings of a template; `place` is (scope, deployment name, location).

    The same submission gives the same surroundings, time and guids included. `template_link` is
    where the template came from, if it was linked.
    """
    scope, name, location = place
    identity = cloud.identity
    subscription_body = subscriptions.shown(identity)

    def resource_group(subscription: str, name: str) -> Mapping[str, Any]:
        subscription = cloud.check_subscription(subscription)
        group = cloud.store.groups.get(ids.group_id(subscription, name))
        return _to_come(subscription, name) if group is None else groups.shown(group)

    def provider(namespace: str) -> Mapping[str, Any]:
        known = cloud.knowledge.providers.get(namespace.lower())
        if known is not None:
            return registration.body(cloud, scope.subscription_id, known)
        message = f"The resource namespace '{namespace}' is invalid."
        raise ArmError(404, "InvalidResourceNamespace", message)

    return Context(
        scope=scope,
        deployment_name=name,
        location=location,
        subscription={
            key: subscription_body[key]
            for key in ("id", "subscriptionId", "tenantId", "displayName")
        },
        tenant={
            "tenantId": identity.tenant,
            "displayName": "Plumbline laptop",
            "countryCode": "NL",
        },
        environment=_environment(),
        deployer={
            "objectId": caller.oid,
            "tenantId": caller.tid,
            "userPrincipalName": "",
        },
        resource_group=resource_group,
        utc_now=read_stamp(submission.utc_now),
        new_guid=_guids(submission.seed),
        provider=provider,
        external_inputs=submission.inputs,
        management_group=lambda name: management_groups.shown(
            cloud, management_groups.find(cloud, name)
        ),
        template_link=template_link,
    )


def _to_come(subscription: str, name: str) -> dict[str, Any]:
    """Return what is known of a group that the deployment itself may yet make."""
    found: dict[str, Any] = {
        "id": ids.group_id(subscription, name),
        "name": name,
        "type": ids.GROUP_TYPE,
    }
    for member in ("location", "tags", "properties"):
        found[member] = Deferred(Access(Call("resourceGroup", ()), Literal(member)))
    return found


def _environment() -> dict[str, Any]:
    return {
        "name": "AzureCloud",
        "gallery": "https://gallery.azure.com/",
        "graph": "https://graph.windows.net/",
        "portal": "https://portal.azure.com",
        "graphAudience": "https://graph.windows.net/",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "batch": "https://batch.core.windows.net/",
        "media": "https://rest.media.azure.net",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "vmImageAliasDoc": "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/"
        "master/arm-compute/quickstart-templates/aliases.json",
        "resourceManager": "https://management.azure.com/",
        "authentication": {
            "loginEndpoint": "https://login.microsoftonline.com/",
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "suffixes": {
            "acrLoginServer": ".azurecr.io",
            "azureDatalakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "azureDatalakeStoreFileSystem": "azuredatalakestore.net",
            "azureFrontDoorEndpointSuffix": "azurefd.net",
            "keyvaultDns": ".vault.azure.net",
            "sqlServerHostname": ".database.windows.net",
            "storage": "core.windows.net",
        },
    }


def _guids(seed: str) -> Callable[[], str]:
    def made() -> Iterator[str]:
        count = 0
        while True:
            digest = hashlib.sha256(f"{seed}|{count}".encode()).digest()
            yield str(uuid.UUID(bytes=digest[:16], version=4))
            count += 1

    stream = made()
    return lambda: next(stream)
