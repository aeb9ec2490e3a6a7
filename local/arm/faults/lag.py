"""Eventual consistency: for a while after a write, reads and lists show what was there before.

A write leaves a shadow, which is the record as it was (None for what is new). Only clients see
shadows: providers and deployments work on what is there.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

from local.arm import ids
from local.arm.cloud import Cloud, Shadow
from local.arm.state.records import Resource


def before(cloud: Cloud, path: str) -> Callable[[], None] | None:
    """Look at a resource before a write; call what is returned once the write has happened.

    None where nothing lags.
    """
    knobs = cloud.knobs
    rid = ids.parse(path)
    if rid is None:
        return None
    reads, lists = knobs.read_lag_for(rid.type), knobs.list_lag_seconds
    if not reads and not lists:
        return None
    old = copy.deepcopy(cloud.resource(path))
    now = cloud.clock.seconds()

    def after() -> None:
        key = ids.key_of(path)
        found = cloud.shadows.get(key)
        if found is not None and max(found.read_until, found.list_until) > now:
            # What is seen stays what it was: the lag runs from the first write on.
            return
        cloud.shadows[key] = Shadow(old, now + reads, now + lists)

    return after


def is_shadowed(cloud: Cloud, path: str) -> Shadow | None:
    """Return the shadow that a read by id sees, or None for the truth."""
    if not cloud.shadows:
        return None
    key = ids.key_of(path)
    found = cloud.shadows.get(key)
    if found is None:
        return None
    now = cloud.clock.seconds()
    if now >= max(found.read_until, found.list_until):
        del cloud.shadows[key]
        return None
    return found if now < found.read_until else None


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
        key: shadow.record
        for key, shadow in cloud.shadows.items()
        if key.startswith(start) and now < shadow.list_until
    }
    kept = [hidden.pop(ids.key_of(one.id), one) for one in found]
    gone = [one for one in hidden.values() if one is not None]
    return sorted(
        (one for one in (*kept, *gone) if one is not None and is_shown(one)),
        key=lambda record: record.serial,
    )
