"""The two bodies that what-if compares, and whether a place in them is free for noise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm.noise.bodies import MISSING, Path, at, drop, key, put
from local.arm.noise.case import Case, Subject
from local.arm.noise.prediction import Prediction


@dataclass(frozen=True, slots=True)
class Sides:
    """Before and after of a resource that is there and stays."""

    before: dict[str, Any]
    after: dict[str, Any]
    moving: tuple[str, ...] = ()

    @classmethod
    def of(cls, prediction: Prediction) -> Sides:
        """Return the sides of a prediction that has both. Pure."""
        return cls(prediction.before or {}, prediction.after or {}, prediction.moving)

    def into(self, prediction: Prediction) -> Prediction:
        """Return the prediction with these sides. Pure."""
        return replace(prediction, before=self.before, after=self.after)

    def calm(self, path: Path) -> bool:
        """Tell whether nothing changes at a path, and nothing around it does. Pure."""
        if self.moving and any(f"{key(path)}.".startswith(f"{one}.") for one in self.moving):
            return False
        before: Any = self.before
        after: Any = self.after
        for step in path:
            if isinstance(before, list) and isinstance(after, list) and len(before) != len(after):
                return False
            before, after = at(before, (step,)), at(after, (step,))
            if before is MISSING or after is MISSING:
                return before is after
        return bool(before == after)

    def reverted(self, path: Path) -> Sides:
        """Return the sides with `after` at a path as `before` is. Pure."""
        value = at(self.before, path)
        after = drop(self.after, path) if value is MISSING else put(self.after, path, value)
        return replace(self, after=after)


def moved(before: Any, after: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the places where two bodies differ; an array is one place. Pure."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        others = {name.lower(): name for name in after}
        for name, value in before.items():
            other = others.pop(name.lower(), None)
            if other is None:
                yield (*path, name)
            else:
                yield from moved(value, after[other], (*path, name))
        yield from ((*path, name) for name in others.values())
    elif before != after:
        yield path


def case_of(prediction: Prediction) -> Case:
    """Return the GET body of a prediction with all that its noise depends on. Pure."""
    subject = Subject(prediction.resource_id, prediction.type, prediction.put, prediction.seed)
    return Case(prediction.known, subject, prediction.got, prediction.api_version, prediction.tick)
