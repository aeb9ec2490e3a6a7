"""Secrets taken out of the bodies that `debugSetting` keeps with the operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local.arm.engine import ParameterValue
from local.arm.engine.secrets import MASK, longest_first, mask, texts
from local.arm.knowledge import ResourceType, paths
from local.arm.knowledge.words import copied


def secrets_of(parameters: Mapping[str, ParameterValue]) -> frozenset[str]:
    """Return the texts in the values of secure parameters. Pure."""
    return texts(one.value for one in parameters.values() if one.secure)


def masked(body: dict[str, Any], known: ResourceType, hidden: Iterable[str]) -> dict[str, Any]:
    """Return a body without what is secret by its type or by where it came from. Pure."""
    shown: dict[str, Any] = _without(copied(body), longest_first(hidden))
    for path in known.secrets:
        for holder, key in paths.places(shown, paths.steps(path)):
            holder[key] = MASK
    return shown


def _without(value: Any, hidden: list[str]) -> Any:
    if isinstance(value, str):
        return mask(value, hidden)
    if isinstance(value, dict):
        return {key: _without(item, hidden) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, hidden) for item in value]
    return value
