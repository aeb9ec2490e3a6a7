"""The ARM simulator seen from the launcher: its knobs and its resource groups."""

import json
import ssl
import urllib.request
from collections.abc import Mapping
from typing import Any

from local import parts
from local.laptop import Laptop

LOCATION = "westeurope"
RESOURCE_GROUPS = ("rg-laptop", "rg-laptop-2", "rg-laptop-3")
"""Groups that exist from the start; the example creates those that it names itself."""
_GROUPS_API = "2024-03-01"


def turn_knobs(laptop: Laptop) -> None:
    """Turn the simulator's knobs as the options ask; those that they do not name stay."""
    url = f"{parts.arm_facts(laptop)['control']}/knobs"
    _call(laptop, "PATCH", url, parts.tuning_of(laptop).arm_knobs)


def make_resource_groups(laptop: Laptop) -> None:
    """Make the groups that are there for whoever has not made any."""
    endpoint = parts.arm_facts(laptop)["endpoint"]
    for name in RESOURCE_GROUPS:
        path = f"/subscriptions/{laptop.subscription_id}/resourcegroups/{name}"
        url = f"{endpoint}{path}?api-version={_GROUPS_API}"
        _call(laptop, "PUT", url, {"location": LOCATION})


def _call(laptop: Laptop, method: str, url: str, body: Mapping[str, Any]) -> None:
    facts = parts.arm_facts(laptop)
    request = urllib.request.Request(  # noqa: S310 - our own simulator
        url,
        method=method,
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {facts['token']}",
            "Content-Type": "application/json",
        },
    )
    context = ssl.create_default_context(cafile=facts["ca_file"])
    with urllib.request.urlopen(request, timeout=parts.REQUEST_LIMIT_S, context=context):  # noqa: S310
        pass
