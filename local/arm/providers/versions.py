"""Which types, api-versions and regions exist; only strict simulators are particular about it."""

from __future__ import annotations

import re
from typing import Any

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import ResourceId
from local.arm.knowledge import UNKNOWN, Knowledge, ResourceType, regions

LOCATIONS = tuple(regions.display(name) for name in regions.names())
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(-[A-Za-z]+)?")
_MEMBERS = frozenset(
    {"id", "name", "type", "location", "tags", "properties", "kind", "sku", "identity", "plan"}
    | {"zones", "managedby", "managedbyextended", "extendedlocation", "etag", "systemdata"}
    | {"apiversion", "dependson", "comments", "scope", "condition", "copy", "resources"}
    | {"resourcegroup", "subscriptionid", "existing", "@options", "asserts", "placement"}
)


def check_version(cloud: Cloud, rid: ResourceId, version: str, location: str | None = None) -> None:
    """Refuse what a strict simulator does not know: namespace, type, api-version.

    Raises `ArmError` InvalidApiVersionParameter for what is no date; with the knob `strict` on also
    InvalidResourceNamespace, InvalidResourceType and NoRegisteredProviderFound.
    """
    if not is_version(version):
        raise errors.invalid_api_version(version)
    if cloud.knobs.strict:
        require(cloud.knowledge, rid, version, location)


def is_version(text: str) -> bool:
    """Return whether a text has the shape of an api-version. Pure."""
    return _DATE.fullmatch(text) is not None


def check_region(cloud: Cloud, location: Any, code: str, what: str) -> None:
    """Refuse a region that Azure does not have; only if `strict` is on. Raises `ArmError`."""
    if not cloud.knobs.strict or not isinstance(location, str):
        return
    if regions.normal(location) not in {"global", *regions.names()}:
        raise ArmError(
            400,
            code,
            f"The provided location '{location}' is not available for {what}. List of available"
            f" regions is '{','.join(regions.names())}'.",
        )


def require(known: Knowledge, rid: ResourceId, version: str, location: str | None = None) -> None:
    """Raise as `check_version` does, whatever the knobs say. Pure."""
    if rid.namespace.lower() not in known.providers:
        raise ArmError(
            404,
            "InvalidResourceNamespace",
            f"The resource namespace '{rid.namespace}' is invalid.",
        )
    found = known.type(rid.type)
    kind = "/".join(rid.types)
    if found is UNKNOWN:
        raise ArmError(
            404,
            "InvalidResourceType",
            f"The resource type '{kind}' could not be found in the namespace"
            f" '{known.spell_namespace(rid.namespace)}' for api version '{version}'.",
        )
    if version.lower() not in {one.lower() for one in found.versions}:
        raise _no_provider(kind, version, location, found)


def _no_provider(kind: str, version: str, location: str | None, found: ResourceType) -> ArmError:
    where = f"location '{location}' and " if location else ""
    places = ", ".join(regions.names())
    supported = f" The supported locations are '{places if found.tracked else ''}'."
    return ArmError(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for {where}API version '{version}' for type"
        f" '{kind}'. The supported api-versions are '{', '.join(found.versions)}'.{supported}",
    )


def check_members(cloud: Cloud, known: ResourceType, body: dict[str, Any]) -> None:
    """Refuse a member beside the properties that no resource has; only if `strict` is on."""
    if not cloud.knobs.strict:
        return
    own = {key.lower() for key in (*known.defaults, *known.computed)}
    for key in body:
        if key.lower() not in _MEMBERS and key.lower() not in own:
            raise errors.invalid_content(
                f"Could not find member '{key}' on object of type 'ResourceDefinition'."
                f" Path '{key}'"
            )
