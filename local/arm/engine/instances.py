"""The resources of a template one by one, before their bodies are looked at.

Copies are unrolled, children lifted out of their parents, conditions decided, ids known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm.engine import vague
from local.arm.engine.context import Scope
from local.arm.engine.copies import Loop, read_loop
from local.arm.engine.entries import as_object, decided, entries, text, turns
from local.arm.engine.errors import (
    EXPRESSIONS_HELP,
    RESOURCES_HELP,
    ExpressionError,
    TemplateError,
    validation_failed,
)
from local.arm.engine.expansion import settle
from local.arm.engine.frame import Frame, NeedsRuntime
from local.arm.engine.ids import (
    relative_id,
    resource_id,
    scope_of,
    segments_agree,
)
from local.arm.engine.limits import MAX_RESOURCES
from local.arm.engine.places import join_path
from local.arm.engine.plan import CopyMember, Doubt
from local.arm.engine.scoping import declared_scope
from local.arm.engine.sources import Source, path_of
from local.arm.engine.syntax import Literal
from local.arm.engine.values import get

UNKNOWN_LOOP = Loop("", 0, None)
"""A copy loop whose number of turns only the running deployment knows."""
DEPLOYMENTS = "microsoft.resources/deployments"


@dataclass(frozen=True)
class Instance:
    """One resource with its identity; `frame` is what its expressions see."""

    source: Mapping[str, Any]
    path: str
    frame: Frame
    active: bool
    id: str
    type: str
    name: str
    api_version: str
    scope: Scope
    symbolic_name: str | None
    existing: bool
    member: CopyMember | None
    doubt: Doubt = ""

    @property
    def is_deployment(self) -> bool:
        """Tell whether the resource is a nested deployment."""
        return self.type.lower() == DEPLOYMENTS


@dataclass(frozen=True)
class _Parent:
    type: str
    name: str
    scope_id: str
    vague: bool = False


class _SegmentsError(Exception):
    """A type and a name do not have segments that go together."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__()
        self.type, self.name = kind, name


class Instances:
    """Reads the resources of one template."""

    def __init__(self, frame: Frame, target: Scope, source: Source) -> None:
        self._frame = frame
        self._target = target
        self._source = source
        self._found: list[Instance] = []
        self.loops: set[str] = set()
        """The folded names of all loops and symbols, also of those without a turn."""

    def read(self, resources: list[Any] | Mapping[str, Any]) -> tuple[Instance, ...]:
        """Return all resources in declaration order. Raises TemplateError."""
        for symbolic, path, item in entries(resources, "resources"):
            self._read_one(item, path, symbolic, self._frame, None)
        self._refuse_doubles()
        return tuple(self._found)

    def _read_one(
        self, item: Any, path: str, symbolic: str | None, frame: Frame, parent: _Parent | None
    ) -> None:
        try:
            loop = self._loop(as_object(item), frame)
            if loop is UNKNOWN_LOOP:
                self._add(self._vague(item, (path, symbolic, None), frame, parent), parent)
                return
            self.loops.update(name.lower() for name in (symbolic, loop and loop.name) if name)
            for turn in turns(loop):
                inside = (
                    frame if turn is None else frame.in_loop(turn.loop, turn.index, current=True)
                )
                instance = self._instance(item, (path, symbolic, turn), inside, parent)
                if instance is not None:
                    self._add(instance, parent)
        except ExpressionError as error:
            raise self._wrap(error, item, path) from error

    def _add(self, instance: Instance, parent: _Parent | None) -> None:
        if len(self._found) >= MAX_RESOURCES:
            raise validation_failed(
                f"The number of template resources limit exceeded. Limit: '{MAX_RESOURCES}' and "
                f"actual: '{len(self._found) + 1}' at least. {RESOURCES_HELP}",
                self._source.place("resources"),
            )
        self._found.append(instance)
        children = get(instance.source, "resources")
        if children is None or instance.is_deployment:
            return
        base = parent.scope_id if parent else self._base(instance)
        here = _Parent(instance.type, instance.name, base, instance.doubt == "identity")
        for symbolic, path, child in entries(children, join_path(instance.path, "resources")):
            self._read_one(child, path, symbolic, instance.frame, here)

    def _instance(
        self,
        item: Mapping[str, Any],
        at: tuple[str, str | None, CopyMember | None],
        frame: Frame,
        parent: _Parent | None,
    ) -> Instance | None:
        """Return the resource; None for one whose condition is false and that has no identity.

        The public modules count on the latter: they name what a null parameter leaves out by
        parts of that parameter.
        """
        active, doubt = decided(item, frame)
        try:
            if parent is not None and parent.vague:
                return self._vague(item, at, frame, parent)
            found = self._identified(item, at, frame, parent, active=active)
            return replace(found, doubt=doubt)
        except NeedsRuntime:
            if not frame.tolerant:
                raise
            return self._vague(item, at, frame, parent)
        except (ExpressionError, _SegmentsError) as error:
            if not active:
                return None
            if isinstance(error, _SegmentsError):
                raise self._segments(error, join_path(at[0], "type")) from error
            raise

    def _identified(
        self,
        item: Mapping[str, Any],
        at: tuple[str, str | None, CopyMember | None],
        frame: Frame,
        parent: _Parent | None,
        *,
        active: bool,
    ) -> Instance:
        path, symbolic, turn = at
        kind, name = text(item, "type", frame), text(item, "name", frame)
        if parent is not None and not _is_absolute_type(kind, parent):
            kind, name = f"{parent.type}/{kind}", f"{parent.name}/{name}"
        existing = settle(get(item, "existing", default=False), frame) is True
        api_version = text(item, "apiVersion", frame)
        if not segments_agree(kind, name):
            raise _SegmentsError(kind, name)
        scope_id = parent.scope_id if parent else declared_scope(item, kind, frame, self._target)
        return Instance(
            source=item,
            path=path,
            frame=frame,
            active=active,
            id=resource_id(scope_id, kind, name),
            type=kind,
            name=name,
            api_version=api_version,
            scope=scope_of(scope_id) or self._target,
            symbolic_name=symbolic,
            existing=existing,
            member=turn,
        )

    def _base(self, instance: Instance) -> str:
        """Return the id of the scope that a resource is in."""
        if instance.doubt == "identity":
            return self._target.id
        return instance.id[: len(instance.id) - _tail(instance)]

    def _loop(self, item: Mapping[str, Any], frame: Frame) -> Loop | None:
        try:
            return read_loop(item, frame)
        except NeedsRuntime:
            if not frame.tolerant:
                raise
            return UNKNOWN_LOOP

    def _vague(
        self,
        item: Mapping[str, Any],
        at: tuple[str, str | None, CopyMember | None],
        frame: Frame,
        parent: _Parent | None,
    ) -> Instance:
        """Return a resource of which nobody can tell yet which one it is."""
        path, symbolic, turn = at
        kind = vague.shown(vague.known_text(item, "type", frame))
        name = vague.known_text(item, "name", frame)
        scope = vague.scope_of_parts(item, frame, self._target.id)
        if parent is not None:
            name = vague.name_below(parent.name, name)
            kind = kind if _is_absolute_type(kind, parent) else f"{parent.type}/{kind}"
            scope = Literal(parent.scope_id)
        return Instance(
            source=item,
            path=path,
            frame=frame,
            active=True,
            id=vague.identity(scope, kind, name),
            type=kind,
            name=vague.shown(name),
            api_version=vague.shown(vague.known_text(item, "apiVersion", frame)),
            scope=self._target,
            symbolic_name=symbolic,
            existing=get(item, "existing", default=False) is True,
            member=turn,
            doubt="identity",
        )

    def _segments(self, error: "_SegmentsError", path: str) -> TemplateError:
        line, position, _ = place = self._source.place(path)
        return validation_failed(
            f"The template resource '{error.name}' for type '{error.type}' at line '{line}' and "
            f"column '{position}' has incorrect segment lengths. A nested resource type must have "
            "identical number of segments as its resource name. A root resource type must have "
            f"segment length one greater than its resource name. {RESOURCES_HELP}",
            place,
        )

    def _wrap(self, error: ExpressionError, item: Any, path: str) -> TemplateError:
        name = get(item, "name") if isinstance(item, Mapping) else None
        return invalid_resource(str(name or path), path_of(path, error), error, self._source)

    def _refuse_doubles(self) -> None:
        seen: set[str] = set()
        for instance in self._found:
            if instance.existing or instance.doubt == "identity":
                continue
            if instance.id.lower() in seen and instance.active:
                line, position, _ = place = self._source.place(instance.path)
                shown = relative_id(instance.type, instance.name.split("/"))
                shown = shown.removeprefix("/providers/")
                raise validation_failed(
                    f"The resource '{shown}' at line '{line}' and column '{position}' is "
                    f"defined multiple times in a template. {RESOURCES_HELP}",
                    place,
                )
            if instance.active:
                seen.add(instance.id.lower())


def invalid_resource(name: str, path: str, error: ExpressionError, source: Source) -> TemplateError:
    """Return ARM's sentence for a resource whose expressions fail before the deployment runs."""
    line, position, _ = place = source.place(path)
    if error.whole:
        return validation_failed(error.message, place)
    return validation_failed(
        f"The template resource '{name}' at line '{line}' and column '{position}' is not valid: "
        f"{error.message}. {EXPRESSIONS_HELP}",
        place,
    )


def _is_absolute_type(kind: str, parent: _Parent) -> bool:
    """Tell a child that repeats its parent's full type from one that names only its own part."""
    return kind.lower().startswith(f"{parent.type.lower()}/")


def _tail(instance: Instance) -> int:
    return len(resource_id("", instance.type, instance.name))
