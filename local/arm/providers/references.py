"""Who refers to whom: what shows where a resource is used, and keeps it from being deleted.

The index names, for an id, the resources that may refer to it. It is filled when something is
written, and by looking through the store once after a start; whether a reference still stands is
looked up when it is asked for, so nothing has to be taken out again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import key_of
from local.arm.knowledge import paths
from local.arm.knowledge.schema import InUse
from local.arm.state.records import Resource

_BUILDING = threading.Lock()


def note(cloud: Cloud, record: Resource) -> None:
    """Remember whom a resource refers to; it must be in the store already."""
    _add(cloud, _index(cloud), record)


def _add(cloud: Cloud, index: dict[str, set[str]], record: Resource) -> None:
    for path in cloud.knowledge.references.get(record.type.lower(), ()):
        for value in paths.values(record.put, path):
            if isinstance(value, str):
                index.setdefault(key_of(value), set()).add(key_of(record.id))


def _index(cloud: Cloud) -> dict[str, set[str]]:
    # Threads that evaluate templates may be the first to ask, while the event loop writes.
    with _BUILDING:
        if cloud.references is None:
            marks = [f"/{kind.split('/')[1]}/" for kind in cloud.knowledge.references]
            index: dict[str, set[str]] = {}
            for record in cloud.store.resources.below("", lambda key: any(m in key for m in marks)):
                _add(cloud, index, record)
            cloud.references = index
        return cloud.references


def users(cloud: Cloud, record: Resource, rule: InUse) -> list[str]:
    """Return the ids that refer to a resource in the ways of a rule, by their age."""
    wanted = key_of(record.id)
    known = {kind.lower(): listed for kind, listed in rule.types.items()}
    found = []
    for key in list(_index(cloud).get(wanted, ())):
        source = cloud.resource(key)
        if source is not None:
            for path in known.get(source.type.lower(), ()):
                found += [(source.serial, user) for user in _pointing(source, path, wanted)]
    return [user for _, user in sorted(found)]


def _pointing(source: Resource, path: str, wanted: str) -> Iterator[str]:
    """Yield the ids of the parts of `source` (itself without [*]) that point at `wanted`."""
    head, inside, tail = path.partition("[*].")
    if not inside:
        head, tail = "", path
    for part in paths.first(source.put, paths.steps(head)) or [] if head else [source.put]:
        values = paths.values(part, paths.steps(tail))
        if any(isinstance(value, str) and key_of(value) == wanted for value in values):
            name = paths.first(part, paths.steps("name"))
            yield f"{source.id}/{head.rpartition('.')[2]}/{name}" if head else source.id


def show(cloud: Cloud, record: Resource, body: dict[str, Any]) -> None:
    """Write into a GET body where the resource is used."""
    for rule in cloud.knowledge.type(record.type).inUse:
        if rule.shown is None:
            continue
        holder_path, _, name = rule.shown.rpartition(".")
        holder = paths.first(body, paths.steps(holder_path))
        found = [{"id": user} for user in users(cloud, record, rule)]
        if found and isinstance(holder, dict):
            holder[name] = found[0] if rule.single else [*holder.get(name, []), *found]


def check_unused(cloud: Cloud, record: Resource) -> None:
    """Refuse the deletion of what something else still needs, children included.

    What goes along with the resource needs nothing any more. Raises `ArmError`.
    """
    inside = f"{key_of(record.id)}/"
    for one in (record, *cloud.store.resources.below(record.id)):
        for rule in cloud.knowledge.type(one.type).inUse:
            found = users(cloud, one, rule) if rule.code else []
            outside = [user for user in found if not f"{key_of(user)}/".startswith(inside)]
            if outside:
                raise _needed(one, rule, outside[0])


def _needed(record: Resource, rule: InUse, user: str) -> ArmError:
    name = record.name.rpartition("/")[2]
    message = rule.message
    for word, value in (("{name}", name), ("{id}", record.id), ("{user}", user)):
        message = message.replace(word, value)
    return ArmError(rule.status, rule.code, message, gateway=False)
