"""Resources that nobody declared, and how much of a scope somebody did. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.core.activity import Write
from shared.core.arm_model import Sighting
from shared.core.drift.evidence import SLACK, Nearby, Release, foreign
from shared.core.drift.model import Coverage, Item, Who
from shared.core.drift.severity import severity
from shared.core.drift.suspicion import group_of
from shared.core.scopes import fold

_DEPLOYMENTS: Final = "/providers/microsoft.resources/"
_PATH: Final = "/providers/"

MOST_NAMED: Final = 50
"""How many resources that are in no stack are named in each scope."""


def covered(
    sightings: Iterable[Sighting], scopes: Collection[str], is_owned: Callable[[str], bool]
) -> tuple[Coverage, ...]:
    """Return how much of each resource group in ``scopes`` (folded ids) is in some stack."""
    owned: dict[str, int] = dict.fromkeys(scopes, 0)
    others: dict[str, list[str]] = {scope: [] for scope in scopes}
    for sighting in sightings:
        group = group_of(sighting.id)
        if group is None or group not in owned:
            continue
        if is_owned(sighting.id):
            owned[group] += 1
        else:
            others[group].append(sighting.id)
    return tuple(
        Coverage(
            scope=scope,
            in_stacks=owned[scope],
            in_none=len(others[scope]),
            others=tuple(sorted(others[scope])[:MOST_NAMED]),
        )
        for scope in sorted(owned)
    )


def undeclared(
    strangers: Iterable[Sighting],
    release: Release,
    writes: Sequence[Write],
    *,
    has_log: bool,
    at: datetime,
) -> tuple[Item, ...]:
    """Return the resources that somebody made in a stack's scope since its release.

    What a provider makes unasked (a database ``master``, a network watcher) is nobody's writing in the
    Activity Log; without a log all that is younger than the release counts. What was there before
    Plumbline is no drift: coverage tells of it.
    """
    items, nearby = [], Nearby(writes)
    for sighting in strangers:
        near = nearby.of(sighting.id)
        heard = [w for w in foreign(sighting.id, release, near) if not w.is_deletion]
        own = [w for w in heard if fold(w.resource_id) == fold(sighting.id)]
        is_young = sighting.created_at is not None and sighting.created_at > release.ended + SLACK
        if own or (is_young and not has_log):
            items.append(_item(sighting.id, sighting.type, own, at))
    return tuple(items)


def candidates(
    writes: Sequence[Write],
    release: Release,
    owned: Collection[str],
    groups: Collection[str] = (),
) -> tuple[tuple[str, str], ...]:
    """Return (id, type) of children that others wrote inside a stack's resources, in no inventory.

    Listings show no children, and no extensions of a group (locks, role assignments), so that the log is
    the only witness. What was deleted again after it was written is none. ``owned`` are folded ids, and
    ``groups`` those of groups that the stack answers for.
    """
    deleted: dict[str, datetime] = {}
    for write in writes:
        if write.is_deletion:
            folded = fold(write.resource_id)
            deleted[folded] = max(write.at, deleted.get(folded, write.at))
    found: dict[str, tuple[str, str]] = {}
    own = fold(release.correlation_id or "-")
    for write in writes:
        folded = fold(write.resource_id)
        if write.at < release.began or write.is_deletion or folded in owned:
            continue
        if folded in deleted and write.at < deleted[folded]:
            continue
        if _DEPLOYMENTS in folded or fold(write.correlation_id or "") == own:
            continue
        if is_inside(folded, owned) or group_of(folded) in groups:
            kind = type_of(write.resource_id)
            if kind is not None:
                found[folded] = (write.resource_id, kind)
    return tuple(found[key] for key in sorted(found))


def is_inside(resource: str, owned: Collection[str]) -> bool:
    """Tell whether a resource is a child of one that is owned (folded ids)."""
    return any(parent in owned for parent in _parents(fold(resource)))


def _parents(resource: str) -> Iterable[str]:
    """Yield the ids of what a resource is in, up to below its group."""
    at = resource.rpartition("/")[0]
    while at.count("/") > _GROUP:
        yield at
        at = at.rpartition("/")[0]


_GROUP: Final = 4
"""Slashes in a resource group's id: what is below that alone is no child of a resource."""


def type_of(resource: str) -> str | None:
    """Return the type in a resource's id, None for what has none."""
    found = fold(resource).rfind(_PATH)  # the log writes some ids in capitals
    parts = resource[found + len(_PATH) :].split("/")
    if found < 0 or len(parts) < 3 or len(parts) % 2 == 0:  # noqa: PLR2004 - namespace/type/name
        return None
    return "/".join([parts[0], *parts[1::2]])


def child_item(resource: str, resource_type: str, writes: Sequence[Write], at: datetime) -> Item:
    """Return the item of a child that is there and that nobody declared."""
    own = [w for w in writes if fold(w.resource_id) == fold(resource) and not w.is_deletion]
    return _item(resource, resource_type, own, at)


def left_item(
    resource: str, resource_type: str, release: str, known: Mapping[str, Item], at: datetime
) -> Item:
    """Return the item of what left the template with a release, and is there still."""
    before = known.get(fold(resource))
    return Item(
        kind="undeclared",
        resource=resource,
        type=resource_type,
        now="(present)",
        severity="low",
        first_seen=before.first_seen if before is not None else at,
        left_with=release,
        hint="It left the stack's template. prune: true in the manifest has such resources deleted.",
    )


def _item(resource: str, resource_type: str, writes: Sequence[Write], at: datetime) -> Item:
    last = max(writes, key=lambda write: write.at, default=None)
    who = None
    if last is not None and last.caller is not None:
        who = Who(
            caller=last.caller,
            at=last.at,
            operation=last.operation,
            client=last.client,
            correlation_id=last.correlation_id,
        )
    return Item(
        kind="undeclared",
        resource=resource,
        type=resource_type,
        now="(present)",
        severity=severity("undeclared", resource_type, ()),
        first_seen=at,
        who=who,
    )
