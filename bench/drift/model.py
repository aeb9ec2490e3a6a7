"""An estate, what is done to it by hand, and what is true afterwards: the JSON of ``--from FILE``.

``bench/drift.md`` explains each member. Ids are written with ``{subscription}`` for the simulator's
``/subscriptions/<id>``, so that a file means the same on any machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

PLACE = "{subscription}"

Kind = Literal["modified", "deleted", "undeclared"]
When = Literal["early", "touch", "late"]


class Stack(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One stack: its resource group, and the template that the repository holds for it."""

    name: str
    group: str
    template: dict[str, Any]
    location: str = "westeurope"

    @property
    def scope(self) -> str:
        """The id of its resource group."""
        return f"{PLACE}/resourceGroups/{self.group}"


class Edit(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One change by hand: exactly one of ``set``, ``delete`` and ``put``.

    ``set`` is merged into the resource (null removes a member, an array replaces), ``put`` is the
    body of a resource that is written whole, with ``api_version``.
    """

    id: str
    resource: str
    when: When = "late"
    set: dict[str, Any] | None = None
    delete: bool = False
    put: dict[str, Any] | None = None
    api_version: str = ""
    by: str = "eve@contoso.example"


class Label(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What an edit truly changed: one thing that an inspection must tell of.

    ``path`` leads to it in the body that GET shows, empty for a whole resource; ``sort`` is the sort
    of edit, for the table. ``hidden`` says why no GET can show it; it is then no miss.
    """

    edit: str
    stack: str
    resource: str
    kind: Kind
    path: str = ""
    sort: str = "property"
    hidden: str = ""


class Estate(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """All of it. ``noise`` maps types (``*`` is every type) to the classes that are on."""

    version: Literal[1] = 1
    seed: int = 0
    noise: dict[str, list[str]] = {}
    noise_seed: int = 0
    stacks: list[Stack]
    edits: list[Edit] = []
    labels: list[Label] = []

    @property
    def resources(self) -> int:
        """How many resources the templates declare, nested ones included."""
        return sum(len(declared(stack.template)) for stack in self.stacks)


def declared(template: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the resources of a template and of those nested in it. Pure."""
    found = []
    for one in template["resources"]:
        inner = one.get("properties", {}).get("template")
        if one["type"].lower() == "microsoft.resources/deployments" and inner:
            found += declared(inner)
        else:
            found.append(one)
    return found


def id_of(scope: str, one: dict[str, Any]) -> str:
    """Return the id of a resource that is declared at a scope, by type and name. Pure."""
    namespace, *types = one["type"].split("/")
    names = one["name"].split("/")
    pairs = "".join(f"/{kind}/{name}" for kind, name in zip(types, names, strict=True))
    return f"{scope}/providers/{namespace}{pairs}"


class WrongEstateError(ValueError):
    """A file is no estate; the text says where and why."""


def read(path: Path) -> Estate:
    """Return the estate of a file. Raises WrongEstateError."""
    try:
        estate = msgspec.json.decode(path.read_bytes(), type=Estate)
    except (OSError, msgspec.DecodeError) as error:
        raise WrongEstateError(f"{path}: {error}") from error
    check(estate, str(path))
    return estate


def check(estate: Estate, name: str) -> None:
    """Raise WrongEstateError where the parts do not fit together. Pure."""
    stacks = {stack.name for stack in estate.stacks}
    edits = {edit.id: edit for edit in estate.edits}
    for label in estate.labels:
        if label.edit not in edits:
            raise WrongEstateError(
                f"{name}: a label speaks of the edit '{label.edit}', which is none"
            )
        if label.stack not in stacks:
            raise WrongEstateError(
                f"{name}: a label speaks of the stack '{label.stack}', which is none"
            )
    for edit in estate.edits:
        if sum((edit.set is not None, edit.delete, edit.put is not None)) != 1:
            raise WrongEstateError(
                f"{name}: edit '{edit.id}' must have exactly one of set, delete and put"
            )
        if edit.put is not None and not edit.api_version:
            raise WrongEstateError(f"{name}: edit '{edit.id}' puts and has no api_version")


def write(estate: Estate, path: Path) -> None:
    """Write an estate, to be read by ``read``."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(estate), indent=2) + b"\n")
