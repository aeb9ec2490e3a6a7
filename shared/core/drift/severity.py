"""How bad a difference is, by rule: exposure, identity, encryption and deletion are high. Pure."""

import re
from typing import Final

from shared.core.drift.model import Kind, Severity
from shared.core.drift.paths import Element, Place

_HIGH_WORDS: Final = re.compile(
    # who gets in from where
    r"publicnetworkaccess|networkacl|networkruleset|firewall|ipsecurityrestriction|securityrule"
    r"|iprule|virtualnetworkrule|defaultaction|sourceaddressprefix|destinationport|publicip"
    r"|allowblobpublicaccess|publicaccess|networksecuritygroup|privateendpoint|cors"
    # who may do what
    r"|identity|accesspolic|principal|roledefinition|disablelocalauth|adminuser|sharedkeyaccess"
    r"|authsettings|enablerbacauthorization|administrators"
    # what is readable on the way and at rest
    r"|encrypt|tls|https|ssl|keyvault|keysource|purgeprotection|softdelete"
)
_HIGH_TYPES: Final = (
    "microsoft.authorization/",
    "microsoft.managedidentity/",
    "microsoft.network/networksecuritygroups",
)
_HIGH_ENDINGS: Final = (
    "/firewallrules",
    "/virtualnetworkrules",
    "/accesspolicies",
    "/securityrules",
)
_LOW_MEMBERS: Final = frozenset({"tags", "description", "displayname"})


def severity(kind: Kind, resource_type: str, place: Place, *, is_secret: bool = False) -> Severity:
    """Return how bad it is that something of a resource of this type changed."""
    folded = resource_type.lower()
    if kind == "deleted" or is_secret:
        return "high"
    if folded.startswith(_HIGH_TYPES) or folded.endswith(_HIGH_ENDINGS):
        return "high" if kind == "undeclared" or not _is_low(place) else "low"
    if _is_low(place):
        return "low"
    return "high" if any(map(_HIGH_WORDS.search, _words(place))) else "medium"


def _words(place: Place) -> list[str]:
    return [step.lower() for step in place if not isinstance(step, Element)]


def _is_low(place: Place) -> bool:
    words = _words(place)
    return bool(words) and (words[0] == "tags" or words[-1] in _LOW_MEMBERS)
