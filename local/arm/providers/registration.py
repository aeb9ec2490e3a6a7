"""Which providers a subscription has registered."""

from __future__ import annotations

import time
from typing import Any

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.knowledge import Provider, ResourceType
from local.arm.providers.versions import LOCATIONS
from local.arm.state.records import Registration

REGISTERED, NOT_REGISTERED = "Registered", "NotRegistered"
_ALWAYS = {"microsoft.resources", "microsoft.authorization"}


def state(cloud: Cloud, subscription: str, namespace: str) -> str:
    """Return Registered, NotRegistered, Registering or Unregistering."""
    if namespace.lower() in _ALWAYS:
        return REGISTERED
    record = cloud.store.registrations.get(f"{subscription}/{namespace}")
    if record is not None:
        ended = record.then is not None and record.due_at <= time.time()
        return record.then or record.state if ended else record.state
    listed = cloud.knobs.registered
    if listed is None or namespace.lower() in {name.lower() for name in listed}:
        return REGISTERED
    return NOT_REGISTERED


def change(cloud: Cloud, subscription: str, namespace: str, *, register: bool) -> None:
    """Start registering or unregistering; idempotent."""
    goal = REGISTERED if register else NOT_REGISTERED
    current = state(cloud, subscription, namespace)
    if current in (goal, "Registering" if register else "Unregistering"):
        return
    seconds = cloud.knobs.registration_seconds
    cloud.store.registrations.put(
        f"{subscription}/{namespace}",
        Registration(
            namespace=namespace,
            state=("Registering" if register else "Unregistering"),
            then=goal,
            due_at=time.time() + seconds,
        ),
    )


def check(cloud: Cloud, subscription: str, namespace: str) -> None:
    """Raise MissingSubscriptionRegistration unless the provider can be used."""
    if state(cloud, subscription, namespace) not in (REGISTERED, "Registering"):
        raise errors.not_registered(cloud.knowledge.spell_namespace(namespace))


def _type_body(name: str, known: ResourceType) -> dict[str, Any]:
    return {
        "resourceType": name,
        "locations": list(LOCATIONS) if known.tracked else [],
        "apiVersions": known.versions,
        "defaultApiVersion": next(
            (one for one in known.versions if "preview" not in one), known.versions[0]
        ),
        "capabilities": "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove,"
        " SupportsTags, SupportsLocation"
        if known.tracked
        else "None",
    }


def body(cloud: Cloud, subscription: str | None, provider: Provider) -> dict[str, Any]:
    """Return a provider as ARM shows it; without a subscription it has no registration state."""
    prefix = f"/subscriptions/{subscription}" if subscription else ""
    shown: dict[str, Any] = {
        "id": f"{prefix}/providers/{provider.namespace}",
        "namespace": provider.namespace,
        "resourceTypes": [_type_body(name, known) for name, known in provider.types.items()],
    }
    if subscription:
        shown["registrationState"] = state(cloud, subscription, provider.namespace)
        shown["registrationPolicy"] = (
            "RegistrationFree" if provider.namespace.lower() in _ALWAYS else "RegistrationRequired"
        )
    return shown
