"""The shape of the manifest as users write it.

These structs are what ``docs/manifest.schema.json`` is made of; a new field is added here and to the
tables of readers in ``manifest.py`` and ``defaults.py``, and a test compares them.
"""

from typing import Annotated, Any, Final, Literal

import msgspec

from shared.core.policy import Adopt, Drift
from shared.core.source.spec import MAX_NAME, MOST_ITEMS, NAME_PATTERN, TYPE_PATTERN

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
