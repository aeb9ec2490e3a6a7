"""How a template spells what a provider stores otherwise, told apart by class of noise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from local.arm.knowledge import regions
from local.arm.noise.bodies import MISSING, Path, at
from local.arm.noise.prediction import Prediction

_SKIPPED = frozenset({"id", "name", "type", "apiversion", "dependson", "condition", "scope"})


def template_spelling(prediction: Prediction, name: str) -> list[tuple[Path, Any]]:
    """Return the places in `after` that the template spells otherwise, as this class is. Pure."""
    pairs = _pairs(prediction.put, prediction.after, ())
    return [(path, said) for path, said, stored in pairs if _class_of(said, stored) == name]


def _pairs(said: Any, stored: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """Yield (path, the template's value, the stored one) where both are and they differ."""
    if isinstance(said, Mapping) and isinstance(stored, Mapping):
        for key, value in said.items():
            other = at(stored, (key,))
            if other is not MISSING and (path or key.lower() not in _SKIPPED):
                yield from _pairs(value, other, (*path, key))
    elif isinstance(said, list) and isinstance(stored, list):
        if _counted(said) == _counted(stored):
            if said != stored:
                yield path, said, stored
        elif len(said) == len(stored):
            for index, value in enumerate(said):
                yield from _pairs(value, stored[index], (*path, index))
    elif said != stored or isinstance(said, bool) != isinstance(stored, bool):
        yield path, said, stored


def _counted(items: list[Any]) -> Counter[str]:
    return Counter(map(repr, items))


def _class_of(said: Any, stored: Any) -> str:
    if isinstance(said, list):
        return "N7"
    if isinstance(said, str) and isinstance(stored, str):
        return "N6" if regions.normal(said) == regions.normal(stored) else "N5"
    if str(said).lower() == str(stored).lower():
        return "N19"
    return "N5"
