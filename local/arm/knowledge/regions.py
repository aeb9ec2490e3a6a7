"""Azure's regions: how they are spelled, and which one backs which up."""

from __future__ import annotations

_REGIONS = {
    "australiacentral": ("Australia Central", "australiacentral2"),
    "australiaeast": ("Australia East", "australiasoutheast"),
    "australiasoutheast": ("Australia Southeast", "australiaeast"),
    "brazilsouth": ("Brazil South", "southcentralus"),
    "canadacentral": ("Canada Central", "canadaeast"),
    "canadaeast": ("Canada East", "canadacentral"),
    "centralindia": ("Central India", "southindia"),
    "centralus": ("Central US", "eastus2"),
    "eastasia": ("East Asia", "southeastasia"),
    "eastus": ("East US", "westus"),
    "eastus2": ("East US 2", "centralus"),
    "francecentral": ("France Central", "francesouth"),
    "germanywestcentral": ("Germany West Central", "germanynorth"),
    "global": ("Global", "global"),
    "israelcentral": ("Israel Central", ""),
    "italynorth": ("Italy North", ""),
    "japaneast": ("Japan East", "japanwest"),
    "japanwest": ("Japan West", "japaneast"),
    "koreacentral": ("Korea Central", "koreasouth"),
    "koreasouth": ("Korea South", "koreacentral"),
    "mexicocentral": ("Mexico Central", ""),
    "northcentralus": ("North Central US", "southcentralus"),
    "northeurope": ("North Europe", "westeurope"),
    "norwayeast": ("Norway East", "norwaywest"),
    "polandcentral": ("Poland Central", ""),
    "qatarcentral": ("Qatar Central", ""),
    "southafricanorth": ("South Africa North", "southafricawest"),
    "southcentralus": ("South Central US", "northcentralus"),
    "southeastasia": ("Southeast Asia", "eastasia"),
    "southindia": ("South India", "centralindia"),
    "spaincentral": ("Spain Central", ""),
    "swedencentral": ("Sweden Central", "swedensouth"),
    "switzerlandnorth": ("Switzerland North", "switzerlandwest"),
    "uaenorth": ("UAE North", "uaecentral"),
    "uksouth": ("UK South", "ukwest"),
    "ukwest": ("UK West", "uksouth"),
    "westcentralus": ("West Central US", "westus2"),
    "westeurope": ("West Europe", "northeurope"),
    "westindia": ("West India", "southindia"),
    "westus": ("West US", "eastus"),
    "westus2": ("West US 2", "westcentralus"),
    "westus3": ("West US 3", "eastus"),
}


def names() -> list[str]:
    """Return the names of all regions, Global not among them. Pure."""
    return [name for name in _REGIONS if name != "global"]


def normal(location: str) -> str:
    """Return a location as ARM stores it: lower case without spaces. Pure."""
    return location.replace(" ", "").lower()


def display(location: str) -> str:
    """Return a location as people read it, as in West Europe; an unknown one as given. Pure."""
    return _REGIONS.get(normal(location), (location, ""))[0]


def paired(location: str) -> str:
    """Return the region that backs a region up; itself if it has none. Pure."""
    return _REGIONS.get(normal(location), ("", ""))[1] or normal(location)
