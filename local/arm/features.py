"""Preview features of a subscription: registered or not, at once and for good."""

from __future__ import annotations

from typing import Any

from local.arm.cloud import Cloud
from local.arm.state.records import Registration

TYPE = "Microsoft.Features/providers/features"
_PREFIX = "features"


def _key(subscription: str, namespace: str, name: str) -> str:
    return f"{_PREFIX}/{subscription}/{namespace}/{name}"


def is_registered(cloud: Cloud, subscription: str, namespace: str, name: str) -> bool:
    """Return whether a subscription has opted into a feature."""
    record = cloud.store.registrations.get(_key(subscription, namespace, name))
    return record is not None and record.state == "Registered"


def change(cloud: Cloud, feature: tuple[str, str, str], *, register: bool) -> None:
    """Register or unregister (subscription, namespace, name); idempotent."""
    subscription, namespace, name = feature
    state = "Registered" if register else "Unregistered"
    record = Registration(namespace=f"{namespace}/{name}", state=state)
    cloud.store.registrations.put(_key(subscription, namespace, name), record)


def shown(cloud: Cloud, subscription: str, namespace: str, name: str) -> dict[str, Any]:
    """Return a feature's body; one that nobody asked for is not registered."""
    record = cloud.store.registrations.get(_key(subscription, namespace, name))
    state = record.state if record else "NotRegistered"
    path = f"/subscriptions/{subscription}/providers/Microsoft.Features/providers/{namespace}"
    return {
        "id": f"{path}/features/{name}",
        "name": f"{namespace}/{name}",
        "type": TYPE,
        "properties": {"state": state},
    }


def known(cloud: Cloud, subscription: str, namespace: str | None = None) -> list[dict[str, Any]]:
    """Return the bodies of all features that somebody asked for, of one namespace or of all."""
    prefix = f"{_PREFIX}/{subscription}" + (f"/{namespace}" if namespace else "")
    bodies = []
    for record in cloud.store.registrations.below(prefix):
        of, _, name = record.namespace.rpartition("/")
        bodies.append(shown(cloud, subscription, of, name))
    return bodies
