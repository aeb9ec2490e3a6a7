"""What a provider refuses by the look of a request: its names, places, types and changes."""

from __future__ import annotations

import re
from typing import Any

from local.arm import errors
from local.arm.cloud import Cloud
from local.arm.errors import ArmError
from local.arm.ids import ResourceId
from local.arm.knowledge import NameRule, ResourceType, paths
from local.arm.providers import graves, model, reads
from local.arm.providers.compiled import compiled
from local.arm.state.records import Resource

_MOST_TAGS, _TAG_NAME_LENGTH, _TAG_VALUE_LENGTH = 50, 512, 256
_BAD = frozenset("<>%&\\?/")


def check_body(known: ResourceType, rid: ResourceId, body: dict[str, Any]) -> None:
    """Refuse a body that is for something else, or lacks its location. Raises `ArmError`."""
    for name, value in (("name", rid.names[-1]), ("type", rid.type)):
        given = model.find(body, name)
        if isinstance(given, str) and given.lower() not in (value.lower(), rid.name.lower()):
            raise errors.invalid_content(f"The {name} '{given}' does not match the URL's '{value}'")
    location = model.find(body, "location")
    if known.tracked and not location:
        raise ArmError(
            400, "LocationRequired", "The location property is required for this definition."
        )
    if location is not None and not isinstance(location, str):
        raise errors.invalid_content("The member 'location' must be a text")
    for member in ("properties", "tags", "identity", "sku", "plan"):
        value = model.find(body, member)
        if value is not None and not isinstance(value, dict):
            raise errors.invalid_content(f"The member '{member}' must be an object")
    check_tags(model.find(body, "tags") or {})


def check_tags(tags: dict[str, Any]) -> None:
    """Refuse too many tags, too long ones, and names that differ by case only. Pure.

    Raises `ArmError`.
    """
    if len(tags) > _MOST_TAGS:
        raise ArmError(
            400,
            "InvalidTagsCount",
            f"The number of tags specified is {len(tags)}; a resource can have {_MOST_TAGS}.",
        )
    seen: set[str] = set()
    for name, value in tags.items():
        _check_length(name)
        if isinstance(value, dict | list):
            raise errors.invalid_content("tags must be an object of strings")
        if isinstance(value, str) and len(value) > _TAG_VALUE_LENGTH:
            raise ArmError(
                400,
                "InvalidTagValueLength",
                f"The value of the tag '{name}' is longer than {_TAG_VALUE_LENGTH} characters.",
            )
        if name.lower() in seen:
            raise errors.invalid_content(
                f"Property with name '{name}' already exists in the current JSON object. Path"
                f" 'tags.{name}'"
            )
        seen.add(name.lower())


def _check_length(name: str) -> None:
    if not name or len(name) > _TAG_NAME_LENGTH:
        raise ArmError(
            400,
            "InvalidTagNameLength",
            f"The tag name '{name[:60]}' must have 1 to {_TAG_NAME_LENGTH} characters.",
        )


def check_tag_name(name: str) -> None:
    """Raise the refusal of a name that nobody can give to a tag. Pure."""
    _check_length(name)
    if not name.lower().startswith("hidden-") and _BAD & set(name):
        raise ArmError(
            400,
            "InvalidTagName",
            f"The tag name '{name}' has reserved characters: none of <>%&\\?/ may be in it.",
        )


def check_location(rid: ResourceId, location: Any, old: Resource) -> None:
    """Refuse to move a resource by writing it. Raises `ArmError`."""
    before = old.got.get("location")
    if not isinstance(location, str) or not isinstance(before, str):
        return
    before = model.normal_location(before)
    if model.normal_location(location) != before:
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{rid.names[-1]}' already exists in location '{before}' in resource"
            f" group '{rid.group}'. A resource with the same name cannot be created in location"
            f" '{model.normal_location(location)}'. Please select a new resource name.",
        )


def check_name(cloud: Cloud, known: ResourceType, rid: ResourceId, body: dict[str, Any]) -> None:
    """Refuse a name that the type does not allow, or that is taken. Raises `ArmError`."""
    if known.name is not None:
        _check_spelling(known.name, rid)
        _check_free(cloud, known.name, rid)
    graves.open_for(cloud, known, rid, body)


def _check_spelling(rule: NameRule, rid: ResourceId) -> None:
    name = rid.names[-1]
    if not re.fullmatch(rule.pattern, name):
        raise ArmError(400, rule.code, rule.message.replace("{name}", name), gateway=False)


def _check_free(cloud: Cloud, rule: NameRule, rid: ResourceId) -> None:
    tail = rid.id[len(rid.scope) + len("/providers/") :]
    if rule.unique is not None and cloud.store.resources.of_tail(tail):
        message = rule.unique.message.replace("{name}", rid.names[-1])
        raise ArmError(409, rule.unique.code, message, gateway=False)


def check_immutable(known: ResourceType, old: Resource, asked: dict[str, Any], new: Any) -> None:
    """Refuse to change what is fixed for life; `new` is the GET body that would follow.

    Only what the body `asked` for speaks of counts. Raises `ArmError` PropertyChangeNotAllowed.
    """
    for path, way in compiled(known).immutable:
        if not paths.places(asked, way):
            continue
        before, after = paths.values(old.got, way), paths.values(new, way)
        if not _same(before, after):
            target = path.removeprefix("properties.")
            raise ArmError(
                409,
                "PropertyChangeNotAllowed",
                f"Changing property '{target}' is not allowed.",
                target=target,
                gateway=False,
            )


def _same(before: list[Any], after: list[Any]) -> bool:
    if not any(before) and not any(after):
        return True  # absent, null, false and empty are one
    return [_folded(value) for value in before] == [_folded(value) for value in after]


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, list):
        return [_folded(item) for item in value]
    if isinstance(value, dict):
        return {key.lower(): _folded(item) for key, item in value.items()}
    return value


def check_turn(cloud: Cloud, known: ResourceType, rid: ResourceId) -> None:
    """Refuse a write while the resource is on its way out, or its parent or a sibling is written.

    Raises `ArmError`.
    """
    own = cloud.resource(rid.id)
    if own is not None and own.pending == "Deleting" and reads.is_busy(own):
        raise ArmError(
            409,
            "Conflict",
            f"The resource '{rid.name}' of type '{rid.type}' is being deleted: write it when it is"
            " gone.",
            gateway=False,
        )
    parent = rid.parent
    record = cloud.resource(parent.id) if parent else None
    if known.serial is None or record is None:
        return
    siblings = reads.children(cloud, record, rid.types[-1])
    busy = next((one for one in (record, *siblings) if reads.is_busy(one)), None)
    if busy is not None:
        message = known.serial.message.replace("{busy}", busy.id)
        raise ArmError(known.serial.status, known.serial.code, message, gateway=False)
