"""The catalogue of noise: which classes there are, where they arise, and who has seen them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from local.arm.knowledge import Knowledge

Where = Literal["prediction", "reading", "write", "fate", "hand"]


@dataclass(frozen=True, slots=True)
class NoiseClass:
    """One class: its name, where it arises, what it is, and the evidence for it.

    A number with ``#`` is an issue of Azure/arm-template-whatif. `where` "prediction" is seen in
    what-if alone, "reading" in every GET too, "write" begins when a body is stored, and "fate"
    concerns a resource, or the what-if, as a whole; "hand" needs somebody to make the change.
    """

    number: int
    name: str
    where: Where
    about: str
    evidence: str


_TABLE: tuple[tuple[str, Where, str, str], ...] = (
    ("N1", "prediction", "a computed property of GET looks deleted", "#101 #140 #196 #50 #41 #132"),
    (
        "N2",
        "prediction",
        "a service default for an omitted property looks deleted, or changed to another default",
        "#1 #12 #21 #22 #54 #119 #127 #214 #275 #277 #422 #394",
    ),
    (
        "N3",
        "prediction",
        "a template property that GET never echoes looks created, every time",
        "#80 #90 #183 #324 #389 #397 #405",
    ),
    (
        "N4",
        "prediction",
        "a secret looks created or changed, masked or in the clear",
        "#10 #4 #51 #73 #122 #167 #235 #309 #379",
    ),
    (
        "N5",
        "reading",
        "the provider stores another spelling of the same value",
        "#178 #323 #128 #60 #138",
    ),
    ("N6", "reading", "ids, locations, skus and words differ in case", "#69 #55"),
    ("N7", "reading", "an array comes in another order", "#294 #425 #138 #147 #60 #128 #427"),
    (
        "N8",
        "prediction",
        "the parent's body shows children that are declared on their own",
        "#46 #233 #393 #439 #341 #146",
    ),
    (
        "N9",
        "prediction",
        "reference() or list*() stays in the prediction as text",
        "#83 #25 #79 #202 #72 #54 #149",
    ),
    (
        "N10",
        "fate",
        "a nested deployment is not expanded: its resources are missing",
        "#157 #143 #395 #346 #72",
    ),
    ("N11", "fate", "a resource is Unsupported: there is no delta", "#399"),
    (
        "N12",
        "write",
        "resources that a provider made unasked exist, and are Ignored",
        "#12 #28 #56 #102 #145 #148",
    ),
    ("N13", "prediction", "a property is listed as NoEffect", "#394"),
    (
        "N14",
        "reading",
        "an older api-version lacks members",
        "#183 #200 #215 #218 #267 #235 #435",
    ),
    (
        "N15",
        "write",
        "a PUT adds to an array where what-if expects it to replace",
        "#62 #92 #110 #200 #207",
    ),
    ("N16", "write", "a template property that the provider does not know is dropped", "#96"),
    (
        "N17",
        "fate",
        "the provider refuses the GET, so that the whole what-if fails",
        "#65 #63 #64 #94",
    ),
    ("N18", "reading", "an empty identity, tags or zones appear", "#80"),
    ("N19", "reading", "a number is a text or the other way round", "#101 #102"),
    ("N20", "reading", "a value is another one at every GET", "#128 #101"),
    ("N21", "fate", "resources that a provider makes unasked are never predicted", "#67 #78"),
    (
        "N22",
        "prediction",
        "a true change is not shown: a failure of the tool that no filter may hide",
        "#322 #378 #409 #292 #149 #56",
    ),
    (
        "N23",
        "hand",
        "a true change that looks like noise; made by hand, nothing is distorted",
        "#324",
    ),
)

CLASSES: tuple[NoiseClass, ...] = tuple(
    NoiseClass(int(name[1:]), name, where, about, evidence)
    for name, where, about, evidence in _TABLE
)
"""All classes, in number order."""

NAMES = frozenset(one.name for one in CLASSES)

TOGETHER = NAMES - {"N10", "N11", "N17"}
"""What can be had all at once: on every type, those that are left out hide all the rest."""


def seen_in(knowledge: Knowledge, name: str) -> list[str]:
    """Return the full types where a class was seen, as their data says. Pure."""
    return [
        f"{provider.namespace}/{kind}"
        for provider in knowledge.providers.values()
        for kind, known in provider.types.items()
        if name in known.leaks
    ]


def reach(knowledge: Knowledge, name: str) -> list[str]:
    """Return the full types for which a class can show itself; ["*"] is every type. Pure.

    Classes that need children or companions show themselves where the data has some.
    """
    needed = {
        "N8": lambda known: known.embeds,
        "N12": lambda known: known.implicit or known.companions,
        "N21": lambda known: known.implicit or known.companions,
    }.get(name)
    if needed is None:
        return ["*"]
    return [
        f"{provider.namespace}/{kind}"
        for provider in knowledge.providers.values()
        for kind, known in provider.types.items()
        if needed(known)
    ]
