"""The entries of a template's `resources`: in which order, how often, whether, and their texts."""

from collections.abc import Iterator, Mapping
from typing import Any

from local.arm.engine.copies import Loop
from local.arm.engine.errors import ExpressionError
from local.arm.engine.expansion import settle
from local.arm.engine.frame import Frame, NeedsRuntime
from local.arm.engine.places import join_path
from local.arm.engine.plan import CopyMember, Doubt
from local.arm.engine.values import get, type_name


def as_object(item: Any) -> Mapping[str, Any]:
    """Return a resource as the object that it must be. Raises ExpressionError."""
    if isinstance(item, Mapping):
        return item
    raise ExpressionError(f"A resource must be a JSON object: it is of type '{type_name(item)}'.")


def entries(resources: Any, path: str) -> Iterator[tuple[str | None, str, Any]]:
    """Yield (symbolic name or None, path, resource) for resources in either form."""
    if isinstance(resources, Mapping):
        for name, item in resources.items():
            yield name, join_path(path, name), item
        return
    if not isinstance(resources, list):
        raise ExpressionError("The 'resources' of a resource must be an array.")
    for index, item in enumerate(resources):
        yield None, join_path(path, index), item


def turns(loop: Loop | None) -> Iterator[CopyMember | None]:
    """Yield one member for each turn of a loop, or None once without a loop."""
    if loop is None:
        yield None
        return
    for index in range(loop.count):
        yield CopyMember(loop.name, index, loop.count, loop.batch_size)


def _condition(item: Mapping[str, Any], frame: Frame) -> bool:
    value = settle(get(item, "condition", default=True), frame)
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ExpressionError(
        f"The 'condition' of a resource must be a boolean: it is of type '{type_name(value)}'."
    )


def decided(item: Mapping[str, Any], frame: Frame) -> tuple[bool, Doubt]:
    """Return whether a resource is deployed, and whether that is in doubt.

    Raises ExpressionError, and NeedsRuntime where the frame bears no doubt.
    """
    try:
        return _condition(item, frame), ""
    except NeedsRuntime:
        if not frame.tolerant:
            raise
        return True, "condition"


def text(item: Mapping[str, Any], key: str, frame: Frame) -> str:
    """Return a required text of a resource. Raises ExpressionError, NeedsRuntime."""
    raw = get(item, key)
    if raw is None:
        raise ExpressionError(f"The resource must have the required property '{key}'.")
    try:
        value = settle(raw, frame)
    except NeedsRuntime:
        raise
    except ExpressionError as error:
        error.trail.insert(0, key)
        raise
    if isinstance(value, str) and value:
        return value
    raise ExpressionError(
        f"The resource's '{key}' must be a non-empty string: it is of type '{type_name(value)}'."
    )
