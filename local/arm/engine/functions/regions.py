"""Functions that ask about availability zones, providers and roles.

Azure answers them from data of its own. Here the answers are fixed: three zones in a region that
has any, each logical zone the physical zone of the same number.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from local.arm.engine.frame import Frame
from local.arm.engine.functions.signature import fail, framed, function

_ZONES = ("1", "2", "3")
_WITHOUT_ZONES = frozenset({
    "australiacentral", "australiacentral2", "australiasoutheast", "brazilsoutheast", "canadaeast",
    "francesouth", "germanynorth", "koreasouth", "northcentralus", "norwaywest", "southafricawest",
    "southindia", "switzerlandwest", "uaecentral", "ukwest", "westcentralus", "westindia", "westus",
})  # fmt: skip
_GLOBAL = frozenset({
    "microsoft.authorization", "microsoft.cdn", "microsoft.management", "microsoft.managedidentity",
    "microsoft.resources", "microsoft.trafficmanager",
})  # fmt: skip
_ROLES: Mapping[str, str] = {
    "acrpull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "acrpush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "key vault administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "key vault secrets officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "key vault secrets user": "4633458b-17de-408a-b874-0445c86b69e6",
    "monitoring metrics publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "network contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
    "owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "storage blob data contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storage blob data owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storage blob data reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "storage queue data contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "user access administrator": "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
}


def pick_zones(
    namespace: str, _kind: str, location: str, count: int = 1, offset: int = 0
) -> list[str]:
    """Return zones of a region: how many, after skipping how many; none where there are none."""
    region = location.replace(" ", "").lower()
    if region in _WITHOUT_ZONES or namespace.lower() in _GLOBAL:
        return []
    if count < 1 or offset < 0 or offset + count > len(_ZONES):
        raise fail("pickZones", f"the region has '{len(_ZONES)}' zones.")
    return list(_ZONES[offset : offset + count])


def to_logical_zone(_subscription: str, location: str, zone: str) -> str:
    """Return the logical zone of a physical one."""
    prefix = f"{location.lower()}-az"
    if not zone.lower().startswith(prefix) or zone[len(prefix) :] not in _ZONES:
        raise fail("toLogicalZone", f"'{zone}' is not a physical zone of '{location}'.")
    return zone[len(prefix) :]


def to_physical_zone(_subscription: str, location: str, zone: str) -> str:
    """Return the physical zone of a logical one."""
    if zone not in _ZONES:
        raise fail("toPhysicalZone", f"'{zone}' is not a zone of '{location}'.")
    return f"{location.lower()}-az{zone}"


def role_definitions(frame: Frame, arguments: Sequence[str]) -> dict[str, Any]:
    """Return the id of a built-in role by its name."""
    role = _ROLES.get(arguments[0].lower())
    if role is None:
        raise fail("roleDefinitions", f"the built-in role '{arguments[0]}' is not known.")
    subscription = frame.context.scope.subscription_id
    prefix = f"/subscriptions/{subscription}" if subscription else ""
    kind = "Microsoft.Authorization/roleDefinitions"
    return {"id": f"{prefix}/providers/{kind}/{role}", "roleDefinitionId": role}


def providers(frame: Frame, arguments: Sequence[str]) -> Any:
    """Return what a resource provider supports, or one of its types."""
    if frame.context.provider is None:
        raise fail("providers", "the resource providers are not known here.")
    found = frame.context.provider(arguments[0])
    if len(arguments) == 1:
        return found
    wanted = arguments[1].lower()
    for entry in found.get("resourceTypes", ()):
        if str(entry.get("resourceType")).lower() == wanted:
            return entry
    raise fail("providers", f"'{arguments[0]}' has no resource type '{arguments[1]}'.")


REGION_FUNCTIONS = (
    function("pickZones(string, string, string, int?, int?)", pick_zones),
    framed("providers(string, string?)", providers),
    framed("roleDefinitions(string)", role_definitions),
    function("toLogicalZone(string, string, string)", to_logical_zone),
    function(
        "toLogicalZones(string, string, array)",
        lambda sub, location, zones: [to_logical_zone(sub, location, zone) for zone in zones],
    ),
    function("toPhysicalZone(string, string, string)", to_physical_zone),
    function(
        "toPhysicalZones(string, string, array)",
        lambda sub, location, zones: [to_physical_zone(sub, location, zone) for zone in zones],
    ),
)
