"""What Plumbline understood of a manifest; ``written.py`` has its shape as users write it."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from shared.core.policy import Policy
from shared.core.problem import Problem
from shared.core.source.faults import Place, member_path

NAME_PATTERN = r"^[a-z0-9](-?[a-z0-9])*$"
_NAME = re.compile(NAME_PATTERN[1:-1], re.ASCII)
MAX_NAME = 31
MAX_MANIFEST_BYTES = 256 * 1024
MOST_ITEMS: Final = 100
"""Of ``ignore`` and ``removed``: they are kept with every stack that they are about."""

TYPE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9.]*(/[A-Za-z0-9._-]+)+$"


def is_stack_name(text: str) -> bool:
    """Tell whether a text may name a stack. Pure."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None


def is_subscription(scope: str) -> bool:
    """Tell whether a canonical scope is a whole subscription. Pure."""
    return scope.startswith("/") and scope.count("/") == 2  # noqa: PLR2004 - /subscriptions/<id>


class Origin(msgspec.Struct, frozen=True):
    """Where a stack was written, for problems.

    ``file`` is the manifest, ``path`` the entry's JSON path in it, ``lines`` the line of each path.
    """

    file: str
    path: str
    lines: Mapping[str, int]


class Taking(msgspec.Struct, frozen=True):
    """An output of another stack, as the manifest names it."""

    stack: str
    output: str

    def __str__(self) -> str:
        return f"{self.stack}.outputs.{self.output}"


class StackSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A valid stack entry with the defaults applied.

    ``template`` and ``parameters`` are clean paths; ``scope`` is a resource group's name, or the
    canonical id of one or of a subscription; ``create_resource_group`` and ``location`` are locations
    in lower case without spaces; ``timeout`` is how long a release may run, None: as long as it takes.
    ``policy`` is what the manifest asks for, before the operator's ceilings.
    """

    template: str
    scope: str
    parameters: tuple[str, ...] = ()
    values: Mapping[str, Any] = {}
    values_from: Mapping[str, Taking] = {}
    depends_on: tuple[str, ...] = ()
    renamed_from: str | None = None
    create_resource_group: str | None = None
    location: str | None = None
    timeout: timedelta | None = None
    policy: Policy = Policy()
    origin: Origin = Origin("plumbline.yaml", "", {})

    @property
    def is_subscription(self) -> bool:
        """Whether the stack is deployed to a whole subscription."""
        return is_subscription(self.scope)

    def place(self, field: str) -> Place:
        """Return where the manifest says a field of this stack. Pure."""
        path = f"{self.origin.path}.{field}" if self.origin.path else field
        return Place(self.origin.file, path, self.origin.lines.get(path))

    def says_below(self, field: str) -> bool:
        """Tell whether the stack says the field as a mapping with members. Pure."""
        path = self.place(field).path
        return any(each.startswith(f"{path}.") for each in self.origin.lines)

    def value_place(self, name: str, field: str = "values") -> Place:
        """Return where the manifest says a parameter's value, or where it is taken from. Pure."""
        path = member_path(self.place(field).path, name)
        return Place(self.origin.file, path, self.origin.lines.get(path))

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The stacks that this one waits for: those it names, and those it takes values from."""
        taken = (taking.stack for taking in self.values_from.values())
        return tuple(sorted({*self.depends_on, *taken}))


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest as understood.

    ``stacks`` are the valid entries, ``broken`` the invalid ones with their problems: they are not
    gone. ``problems`` belong to the repository. ``removed`` are stacks that left and whose resources
    are to be deleted, ``prunes`` whether defaults say ``prune: true``. When ``readable`` is False the set of stacks is not known: nothing may be
    orphaned or changed.
    """

    stacks: Mapping[str, StackSpec] = {}
    broken: Mapping[str, tuple[Problem, ...]] = {}
    problems: tuple[Problem, ...] = ()
    removed: tuple[str, ...] = ()
    prunes: bool = False
    readable: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Every stack that the manifest names, valid or not."""
        return frozenset(self.stacks) | frozenset(self.broken)
