"""Ids, moments, writes, looks and bodies to build cases of drift from."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.core.activity import Write
from shared.core.drift import evidence
from shared.core.drift.evidence import Evidence, Release
from shared.core.drift.judgement import Looked, Standard
from shared.core.drift.model import Item, Who
from shared.core.release import Owned
from tests.fakes.system import START

SUB = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-shop"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
SUBNET = f"{VNET}/subnets/web"
STORE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s"
STORE_TYPE = "Microsoft.Storage/storageAccounts"
VNET_TYPE = "Microsoft.Network/virtualNetworks"

RELEASE = Release(START, START + timedelta(minutes=2), "c-0")
BEFORE = START + timedelta(minutes=1)
TOUCHED_AT = START + timedelta(minutes=20)
NOW = START + timedelta(minutes=30)

UNTOUCHED = Evidence("untouched")
UNSURE = Evidence("unsure")


def write(resource: str = STORE, at: datetime = TOUCHED_AT, **more: Any) -> Write:
    """Return a write of somebody's, which the log had at once."""
    return Write(
        **{
            "id": f"{resource} {at} {more}",
            "resource_id": resource,
            "operation": "Microsoft.Storage/storageAccounts/write",
            "at": at,
            "seen_at": at,
            "correlation_id": "c-1",
            "caller": "ann",
            **more,
        }
    )


def owned(resource: str = STORE, kind: str = STORE_TYPE) -> Owned:
    """Return a resource of the inventory."""
    return Owned(id=resource, type=kind, api_version="2024-01-01")


def touched(resource: str = STORE, *writes: Write) -> Evidence:
    """Return the evidence that ``writes`` touched a resource; without any: one write of ann's."""
    return evidence.weigh(
        resource,
        RELEASE,
        writes or (write(resource),),
        changed_at=None,
        is_listed=True,
        has_log=True,
    )


def look(released: Any, now: Any, proof: Evidence | None = None, **more: Any) -> Looked:
    """Return a look at the store; touched by ann unless ``proof`` says otherwise."""
    return Looked(
        **{
            "owned": owned(),
            "evidence": touched() if proof is None else proof,
            "released": released,
            "now": now,
            **more,
        }
    )


def standard(**more: Any) -> Standard:
    """Return what a look at the store is judged by."""
    return Standard(**{"at": NOW, "release": RELEASE, "owned": {STORE.lower()}, **more})


def who(caller: str = "ann", at: datetime = TOUCHED_AT) -> Who:
    """Return somebody."""
    return Who(caller=caller, at=at, operation="Microsoft.Storage/storageAccounts/write")


def item(path: str = "properties.a", **more: Any) -> Item:
    """Return a difference of the store."""
    return Item(
        **{
            "kind": "modified",
            "resource": STORE,
            "type": STORE_TYPE,
            "path": path,
            "first_seen": NOW,
            **more,
        }
    )


NAMES = st.text(alphabet="abAB.'\\[]*= \n", max_size=4) | st.sampled_from(
    ["name", "id", "key", "properties", "tags", "Name", "etag", "cost.center"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.text(alphabet="abA-/", max_size=3)
    | st.sampled_from([SUBNET, SUBNET.upper(), "", "*"])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(NAMES, below, max_size=4),
    max_leaves=8,
)
BODIES = st.dictionaries(NAMES, JSON, max_size=4)
