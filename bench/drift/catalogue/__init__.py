"""What the estate is made of: small groups of resources, and what somebody may do to each by hand.

Types, members and api-versions are ARM's; the simulator's knowledge of each makes the noise.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.drift.catalogue.apps import bus, cluster, identity, registry, settings, web
from bench.drift.catalogue.network import address, gateway, network, routes
from bench.drift.catalogue.observers import alerts, monitoring, shelf
from bench.drift.catalogue.parts import (
    GONE,
    OTHER_TAG,
    TAGS,
    Body,
    Group,
    Move,
    Piece,
    elements,
    placed,
)
from bench.drift.catalogue.stores import database, storage, vault
from local.arm import knowledge

__all__ = ["BLIND", "RARE", "SILENT", "USUAL", "Group", "Move", "Piece", "general", "placed"]


USUAL: tuple[Callable[[str], Group], ...] = (
    storage,
    network,
    vault,
    web,
    database,
    bus,
    monitoring,
    alerts,
    cluster,
    identity,
    address,
    registry,
    shelf,
)
"""What any stack may have."""


RARE: tuple[Callable[[str], Group], ...] = (routes, gateway, settings)
"""What makes a what-if incomplete, one class each: a few stacks have one of them."""


BLIND: tuple[str, ...] = (
    "Microsoft.KeyVault/vaults",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.ServiceBus/namespaces/queues",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Web/serverfarms",
)
"""Types of which what-if hides true changes (N22): nearly all, since most changes are single ones."""


SILENT: tuple[str, ...] = ("Microsoft.AlertsManagement/smartDetectorAlertRules",)
"""Types that come unasked and are never predicted (N21); others that do are ignored (N12)."""


_GENERAL: Body = {
    "location": "westeurope",
    "tags": TAGS,
    "properties": {
        "zzWord": "Some",
        "zzCount": 3,
        "zzSite": "https://a.example.com",
        "zzRooms": ["b", "a"],
        "zzBoards": [{"name": "x", "load": 1}, {"name": "y", "load": 2}],
    },
}


_ROOMS = elements("zzRooms", "c", keep=["b", "a"], more="c", other=["b", "z"])


def general(kind: str, key: str) -> Group:
    """Return a resource of any type of the catalogue, with a body of every shape that noise needs."""
    version = knowledge.load().type(kind).versions[0]
    moves = (
        Move("property", "properties.zzCount", set={"properties": {"zzCount": 8}}),
        Move("property", "properties.zzWord", set={"properties": {"zzWord": "Other"}}),
        OTHER_TAG,
        *_ROOMS,
        GONE,
    )
    return Group((Piece(kind, f"x-{key}", version, _GENERAL, moves),))
