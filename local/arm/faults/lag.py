"""Eventual consistency: for a while after a write, reads and lists show what was there before.

A write leaves a shadow, which is the record as it was (None for what is new). Only clients see
shadows: providers and deployments work on what is there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from local.arm import ids
from local.arm.cloud import Cloud, Shadow
from local.arm.state.records import Group, Resource


def before(cloud: Cloud, path: str) -> Callable[[], None] | None:
    """Look at a resource or group before a write; call what is returned once it has happened.

    None where nothing lags.
    """
    knobs = cloud.knobs
    rid = ids.parse(path)
    kind = rid.type if rid else ids.GROUP_TYPE
    reads, lists = knobs.read_lag_for(kind), knobs.list_lag_seconds
    if not reads and not lists:
        return None
    key = ids.key_of(path)
    old = copy.deepcopy(cloud.resource(path) or cloud.store.groups.get(path))
    now = cloud.clock.seconds()

    def after() -> None:
        for name in [name for name, one in cloud.shadows.items() if _end(one) <= now]:
            del cloud.shadows[name]
        # What is seen stays what it was: the lag runs from the first write on.
        cloud.shadows.setdefault(key, Shadow(old, now + reads, now + lists))

    return after


def _end(shadow: Shadow) -> float:
    return max(shadow.read_until, shadow.list_until)


def is_shadowed(cloud: Cloud, path: str) -> Shadow | None:
    """Return the shadow that a read by id sees, or None for the truth."""
    if not cloud.shadows:
        return None
    found = cloud.shadows.get(ids.key_of(path))
    seen = found is not None and cloud.clock.seconds() < found.read_until
    return found if seen else None


def listed(
    cloud: Cloud,
    prefix: str,
    is_shown: Callable[[Resource], bool],
    is_shown_at: Callable[[str], bool],
) -> Sequence[Resource]:
    """Return the resources below an id that a list shows, as lists see them now.

    `is_shown_at` tells from a key (the id in lower case) what `is_shown` tells from a record.
    """
    if not cloud.shadows:
        return cloud.store.resources.view_below(prefix, is_shown_at)
    found = cloud.store.resources.below(prefix)
    now, start = cloud.clock.seconds(), ids.key_of(prefix) + "/"
    hidden = {
        key: shadow.record if isinstance(shadow.record, Resource) else None
        for key, shadow in cloud.shadows.items()
        if key.startswith(start) and now < shadow.list_until
    }
    kept = [hidden.pop(ids.key_of(one.id), one) for one in found]
    gone = [one for one in hidden.values() if one is not None]
    return sorted(
        (one for one in (*kept, *gone) if one is not None and is_shown(one)),
        key=lambda record: record.serial,
    )


def listed_groups(cloud: Cloud) -> list[Group]:
    """Return the resource groups as lists show them now."""
    groups = cloud.store.groups.values()
    found = {ids.key_of(ids.group_id(one.subscription, one.name)): one for one in groups}
    now = cloud.clock.seconds()
    for key, shadow in cloud.shadows.items():
        if now < shadow.list_until and ids.parse(key) is None:
            found.pop(key, None)
            if isinstance(shadow.record, Group):
                found[key] = shadow.record
    return list(found.values())
