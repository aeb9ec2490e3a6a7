"""The order in which a template's resources are deployed. Pure."""

from __future__ import annotations

from local.arm import ids
from local.arm.engine import PlannedResource


def in_order(resources: tuple[PlannedResource, ...]) -> list[PlannedResource]:
    """Return resources so that each comes after what it waits for; else as they are written."""
    by_key = {ids.key_of(one.id): one for one in resources}
    done: set[str] = set()
    ordered: list[PlannedResource] = []
    for start in resources:
        stack = [start]
        while stack:
            one = stack[-1]
            names = (ids.key_of(name) for name in one.depends_on)
            needed = next((name for name in names if name in by_key and name not in done), None)
            if ids.key_of(one.id) in done:
                stack.pop()
            elif needed is not None:
                stack.append(by_key[needed])
            else:
                done.add(ids.key_of(one.id))
                ordered.append(one)
    return ordered
