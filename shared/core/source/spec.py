"""The shape of the manifest as users write it, and of what Plumbline understood.

The first structs are what ``docs/manifest.schema.json`` is made of; a new field is added there and
to the table of readers in ``manifest.py``, and a test compares the two.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

import msgspec

from shared.core.policy import Adopt, Drift, Policy
from shared.core.problem import Problem
from shared.core.source.faults import Place, member_path

NAME_PATTERN = r"^[a-z0-9](-?[a-z0-9])*$"
_NAME = re.compile(NAME_PATTERN[1:-1], re.ASCII)
MAX_NAME = 31
MAX_MANIFEST_BYTES = 256 * 1024
MOST_ITEMS: Final = 100
"""Of ``ignore`` and ``removed``: they are kept with every stack that they are about."""

TYPE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9.]*(/[A-Za-z0-9._-]+)+$"

StackName = Annotated[
    str,
    msgspec.Meta(
        pattern=NAME_PATTERN,
        max_length=MAX_NAME,
        description="Lower-case letters, digits and single hyphens, at most 31 characters.",
    ),
]
FilePath = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=1024,
        description="A file of this repository, from its root, with slashes.",
    ),
]
ScopeText = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        description="Where ARM deploys to: the name of a resource group of the default subscription, "
        "a full id /subscriptions/<id>/resourceGroups/<name>, or a subscription /subscriptions/<id>.",
        examples=[
            "rg-shop",
            "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg",
        ],
    ),
]
_REGION: Final = r"^[A-Za-z0-9 ]+$"
GroupLocationText = Annotated[
    str,
    msgspec.Meta(
        pattern=_REGION,
        description="A region. The resource group is created there if it is missing; one that exists "
        "is never changed.",
        examples=["westeurope"],
    ),
]
DeploymentLocationText = Annotated[
    str,
    msgspec.Meta(
        pattern=_REGION,
        description="The region where ARM keeps the deployment itself; for a stack whose scope is a "
        "subscription, and only there.",
        examples=["westeurope"],
    ),
]


OutputText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9](-?[a-z0-9])*\.outputs\.[^.\s]{1,255}$",
        description="Another stack's output: <stack>.outputs.<name>.",
        examples=["network.outputs.subnetId"],
    ),
]


TimeoutText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[1-9][0-9]{0,3}[mh]$",
        description="How long a release may run: minutes or hours, from 5m to 24h. One that runs "
        "longer is canceled; without it a release may take as long as the operator and ARM let it.",
        examples=["90m", "2h"],
    ),
]


class IgnoreEntry(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """A difference that is no drift."""

    type: Annotated[
        str,
        msgspec.Meta(
            pattern=TYPE_PATTERN,
            description="The resource type, compared without case.",
            examples=["Microsoft.Network/virtualNetworks/subnets"],
        ),
    ]
    path: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=512,
            description="A JSON path in the resource's body: members with full stops between them, "
            "['odd.name'] in quotes, [*] for any one member or element. What is below it is ignored, "
            "too.",
            examples=["properties.rules[*].description", "tags['cost.center']"],
        ),
    ]
    value: Annotated[
        str | int | float | bool | msgspec.UnsetType | None,
        msgspec.Meta(description="Only while Azure has exactly this plain value there."),
    ] = msgspec.UNSET


class DriftEntry(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What is done about drift."""

    mode: Annotated[
        Drift | msgspec.UnsetType,
        msgspec.Meta(
            description="report (where nothing is said): drift is shown. heal: what the template says "
            "is released again."
        ),
    ] = msgspec.UNSET
    ignore: Annotated[
        list[IgnoreEntry],
        msgspec.Meta(
            max_length=MOST_ITEMS,
            description="Differences that are no drift; those of defaults and of the stack together.",
        ),
    ] = []


DriftValue = Annotated[
    Drift | DriftEntry | msgspec.UnsetType,
    msgspec.Meta(
        description="What is done about drift: report or heal, or a mapping of mode and ignore.",
        examples=["heal"],
    ),
]
AdoptValue = Annotated[
    Adopt | msgspec.UnsetType,
    msgspec.Meta(
        description="When resources of a stack are there before its first release. confirm (where "
        "nothing is said): what would become of them is shown, and waits for approve. take: the stack "
        "is released."
    ),
]
PruneValue = Annotated[
    bool | msgspec.UnsetType,
    msgspec.Meta(
        description="Whether resources that left the template are deleted, within the operator's "
        "delete budget. Without it they are kept and shown."
    ),
]


def is_stack_name(text: str) -> bool:
    """Tell whether a text may name a stack. Pure."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None


def is_subscription(scope: str) -> bool:
    """Tell whether a canonical scope is a whole subscription. Pure."""
    return scope.startswith("/") and scope.count("/") == 2  # noqa: PLR2004 - /subscriptions/<id>


class Defaults(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """What every stack gets that does not say it itself."""

    scope: ScopeText | msgspec.UnsetType = msgspec.UNSET
    create_resource_group: GroupLocationText | msgspec.UnsetType = msgspec.UNSET
    timeout: TimeoutText | msgspec.UnsetType = msgspec.UNSET
    drift: DriftValue = msgspec.UNSET
    adopt: AdoptValue = msgspec.UNSET
    prune: PruneValue = msgspec.UNSET


class StackEntry(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """One stack: one template, its parameters, one scope."""

    template: Annotated[
        FilePath, msgspec.Meta(description="The ARM template (JSON, comments allowed).")
    ]
    parameters: Annotated[
        list[FilePath],
        msgspec.Meta(description="Parameter files; a later file wins, per parameter."),
    ] = []
    values: Annotated[
        dict[str, Any],
        msgspec.Meta(description="Parameter values; they win over every file, per parameter."),
    ] = {}
    values_from: Annotated[
        dict[str, OutputText],
        msgspec.Meta(
            description="Parameter values taken from other stacks' outputs, as "
            "<stack>.outputs.<name>; each of those stacks is waited for, and a changed value "
            "releases this one again."
        ),
    ] = {}
    depends_on: Annotated[
        list[StackName],
        msgspec.Meta(
            description="Stacks of this manifest that must be deployed before this one is released."
        ),
    ] = []
    renamed_from: Annotated[
        StackName | msgspec.UnsetType,
        msgspec.Meta(
            description="The name that this stack had before, which is in the manifest no more: what "
            "was deployed under it is this stack's, and is not deployed again."
        ),
    ] = msgspec.UNSET
    scope: ScopeText | msgspec.UnsetType = msgspec.UNSET
    location: DeploymentLocationText | msgspec.UnsetType = msgspec.UNSET
    create_resource_group: GroupLocationText | msgspec.UnsetType = msgspec.UNSET
    timeout: TimeoutText | msgspec.UnsetType = msgspec.UNSET
    drift: DriftValue = msgspec.UNSET
    adopt: AdoptValue = msgspec.UNSET
    prune: PruneValue = msgspec.UNSET


class ManifestFile(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """plumbline.yaml: the stacks of this repository."""

    version: Annotated[Literal[1], msgspec.Meta(description="The manifest's format.")]
    stacks: Annotated[
        dict[StackName, StackEntry], msgspec.Meta(min_length=1, description="The stacks by name.")
    ]
    defaults: Defaults | msgspec.UnsetType = msgspec.UNSET
    removed: Annotated[
        list[str],
        msgspec.Meta(
            max_length=MOST_ITEMS,
            description="Stacks that left the manifest and whose resources are to be deleted; "
            "<stack>~<generation> for what one left in another scope.",
        ),
    ] = []


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
