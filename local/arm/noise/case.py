"""A body and all that its noise depends on; a change to a body, as a value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from local.arm.knowledge import ResourceType
from local.arm.noise import leaks
from local.arm.noise.bodies import MISSING, Path, at, content, drop, find, pattern, put
from local.arm.providers.model import read_only


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose body is read: its id, its full type, what was PUT, and the seed of the run."""

    resource_id: str
    type: str
    put: Mapping[str, Any]
    seed: int = 0

    def words(self, name: str) -> tuple[Any, ...]:
        """Return what chance depends on for one class."""
        return (self.resource_id.lower(), name, self.seed)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to a body: a value set (`MISSING`: taken out), an array re-ordered or grown."""

    path: Path
    value: Any = MISSING
    order: tuple[int, ...] = ()
    more: tuple[Any, ...] = ()

    @property
    def removes(self) -> bool:
        """Whether the change takes a member out."""
        return self.value is MISSING and not self.order and not self.more

    def applied(self, body: Any) -> Any:
        """Return the body with the change; as it is where the change has no place. Pure."""
        if self.removes:
            return drop(body, self.path, prune=False)
        if not self.order and not self.more:
            return put(body, self.path, self.value)
        found = at(body, self.path)
        if not isinstance(found, list):
            return body
        if self.more:
            return put(body, self.path, [*found, *self.more])
        if len(found) != len(self.order):
            return body
        return put(body, self.path, [found[index] for index in self.order])


@dataclass(frozen=True, slots=True)
class Case:
    """A body, with all that its noise depends on."""

    known: ResourceType
    subject: Subject
    body: Mapping[str, Any]
    api_version: str
    tick: int = 0

    def written(self, name: str) -> list[tuple[Path, Any]]:
        """Return the places in the body that are written down for a class, each with its value."""
        listed = leaks.written(self.known, name)
        return [(path, value) for said, value in listed.items() for path in find(self.body, said)]

    def own(self) -> list[tuple[Path, Any]]:
        """Return the leaves that the PUT wrote; where there are none, those that it may write."""
        closed = set(map(str.lower, read_only(self.known)))
        free = [one for one in content(self.body) if not closed_by(one[0], closed)]
        return [one for one in free if at(self.subject.put, one[0]) is not MISSING] or free

    def loose(self) -> list[Path]:
        """Return the members of the properties that a body can do without, plain ones first."""
        inner = [path for path, _ in self.own() if str(path[0]).lower() == "properties"]
        plain = [path for path in inner if not any(isinstance(step, int) for step in path)]
        return plain or [path for path in inner if isinstance(path[-1], str) and path[-1] != "name"]


def closed_by(path: Path, closed: Collection[str]) -> bool:
    """Tell whether a path, or one above it, is among the patterns `closed`. Pure."""
    return path[-1:] == ("provisioningState",) or any(
        pattern(path[: end + 1]) in closed for end in range(len(path))
    )
