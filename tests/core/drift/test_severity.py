"""Severity: exposure, identity, encryption and deletion are high, labels low, by one table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.drift.model import Kind, Severity
from shared.core.drift.paths import Element, Place
from shared.core.drift.severity import severity
from tests.core.drift.cases import NAMES, STORE_TYPE, VNET_TYPE

NSG = "Microsoft.Network/networkSecurityGroups"
SQL = "Microsoft.Sql/servers"
SITE = "Microsoft.Web/sites"
KINDS: tuple[Kind, ...] = ("modified", "deleted", "undeclared")


@pytest.mark.parametrize(
    ("kind", "resource_type", "place", "bad"),
    [
        ("modified", STORE_TYPE, ("properties", "publicNetworkAccess"), "high"),
        ("modified", STORE_TYPE, ("properties", "networkAcls", "defaultAction"), "high"),
        ("modified", STORE_TYPE, ("properties", "allowBlobPublicAccess"), "high"),
        ("modified", STORE_TYPE, ("properties", "allowSharedKeyAccess"), "high"),
        ("modified", STORE_TYPE, ("properties", "minimumTlsVersion"), "high"),
        ("modified", STORE_TYPE, ("properties", "supportsHttpsTrafficOnly"), "high"),
        ("modified", STORE_TYPE, ("properties", "encryption", "keySource"), "high"),
        ("modified", STORE_TYPE, ("IDENTITY", "type"), "high"),
        ("modified", STORE_TYPE, ("sku", "name"), "medium"),
        ("modified", STORE_TYPE, ("properties", "accessTier"), "medium"),
        ("modified", STORE_TYPE, ("tags", "encryption"), "low"),
        ("modified", STORE_TYPE, ("tags",), "low"),
        ("modified", SITE, ("properties", "siteConfig", "ipSecurityRestrictions"), "high"),
        ("modified", SITE, ("properties", "httpsOnly"), "high"),
        ("modified", SITE, ("properties", "siteConfig", "alwaysOn"), "medium"),
        ("modified", SITE, ("properties", Element("name", "identity"), "value"), "medium"),
        ("modified", NSG, ("properties", "securityRules", Element("name", "a"), "x"), "high"),
        ("modified", NSG, ("properties", "flushConnection"), "high"),
        ("modified", NSG, ("tags", "a"), "low"),
        ("modified", NSG, ("properties", "securityRules", "description"), "low"),
        ("modified", f"{SQL}/firewallRules", ("properties", "endIpAddress"), "high"),
        ("modified", "Microsoft.Authorization/roleAssignments", ("properties", "scope"), "high"),
        ("modified", VNET_TYPE, ("properties", "displayName"), "low"),
        ("modified", VNET_TYPE, ("properties", "addressSpace"), "medium"),
        ("deleted", VNET_TYPE, (), "high"),
        ("undeclared", VNET_TYPE, (), "medium"),
        ("undeclared", f"{SQL}/firewallRules", (), "high"),
        ("undeclared", NSG, (), "high"),
        ("undeclared", "MICROSOFT.AUTHORIZATION/LOCKS", (), "high"),
    ],
)
def test_how_bad_a_difference_is(
    kind: Kind, resource_type: str, place: Place, bad: Severity
) -> None:
    """By what it is, where it is, and never by what somebody calls an element."""
    assert severity(kind, resource_type, place) == bad


@given(st.sampled_from(KINDS), st.text(max_size=20), st.lists(NAMES, max_size=4).map(tuple))
def test_secrets_and_deletions_are_high_everywhere(
    kind: Kind, resource_type: str, place: Place
) -> None:
    """Whatever they are of, and however their type and place are called."""
    assert severity("deleted", resource_type, place) == "high"
    assert severity(kind, resource_type, place, is_secret=True) == "high"
    assert severity(kind, resource_type, place) in {"high", "medium", "low"}
