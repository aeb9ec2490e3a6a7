"""What ARM's listings read as: resources with their times, and api-versions. Pure.

Absence means something here: a resource that is not on any page was deleted. So what cannot be
read is never left out; it makes the whole answer unreadable (ValueError).
"""

import re
from collections.abc import Mapping
from typing import Any

from shared.adapters.arm import addresses, reading
from shared.adapters.arm.reading import Container
from shared.core.arm_model import Sighting, SightingsPage

_NAMESPACE = re.compile(r"[a-z0-9]+(?:\.[a-z0-9]+)*", re.IGNORECASE | re.ASCII)
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(?P<preview>-[\w.-]+)?", re.ASCII)


def is_namespace(text: str) -> bool:
    """Tell whether this can be the name of a resource provider. Pure."""
    return _NAMESPACE.fullmatch(text) is not None


def read_sightings(body: Mapping[str, Any], at: Container, asked: str | None) -> SightingsPage:
    """Read one page of the listing of ``at``; ``asked`` is the address that led here. Pure."""
    listed, following = body.get("value"), body.get("nextLink")
    if not isinstance(listed, list) or not isinstance(following, str | None):
        raise ValueError("the listing has another shape")  # noqa: TRY004 - an unreadable answer
    after = None
    if following:
        after = addresses.listing(addresses.without_host(following), at)
        if after == asked:
            raise ValueError("a page of the listing is followed by itself")
    return SightingsPage(tuple(_sighting(item) for item in listed), after)


def _sighting(item: Any) -> Sighting:
    found = reading.mapping(item)
    resource_id = reading.text(found.get("id"))
    if resource_id is None:
        raise ValueError("a resource without an id is listed")
    return Sighting(
        id=resource_id,
        type=reading.text(found.get("type")) or "",
        changed_at=reading.moment(reading.text(found.get("changedTime"))),
        created_at=reading.moment(reading.text(found.get("createdTime"))),
    )


def read_versions(body: Mapping[str, Any]) -> Mapping[str, str]:
    """Read a provider: lower-case type without its namespace -> newest api-version. Pure.

    A preview only where there is nothing else.
    """
    listed = body.get("resourceTypes")
    if not isinstance(listed, list):
        raise ValueError("the provider has another shape")  # noqa: TRY004 - an unreadable answer
    found = {}
    for item in map(reading.mapping, listed):
        kind, version = reading.text(item.get("resourceType")), _newest(item.get("apiVersions"))
        if kind is not None and version is not None:
            found[kind.lower()] = version
    return found


def _newest(versions: Any) -> str | None:
    texts = [one for one in versions if isinstance(one, str)] if isinstance(versions, list) else []
    matches = [match for match in map(_VERSION.fullmatch, texts) if match]
    best = max(matches, key=lambda one: (one["preview"] is None, one[0]), default=None)
    return None if best is None else best[0]
