"""How a stack is treated, as its manifest asks and the operator allows: no part of its source digest."""

import hashlib
from typing import Any, Literal

import msgspec

Drift = Literal["report", "heal"]
Adopt = Literal["confirm", "take"]


class Ignore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A difference that is no drift.

    ``type`` is a resource type, compared without case; ``path`` a JSON path inside the resource's
    body, ``properties.rules[*].description``, where ``*`` is any one member or element; what is below
    it is ignored, too. With ``value`` only while Azure has exactly this plain value there.
    """

    type: str
    path: str
    value: str | int | float | bool | msgspec.UnsetType | None = msgspec.UNSET


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is done about drift, about what exists already, and about what left the template.

    ``delete_most`` and ``delete_percent`` are the operator's delete budget for one release: the
    larger of the two counts.
    """

    drift: Drift = "report"
    ignore: tuple[Ignore, ...] = ()
    adopt: Adopt = "confirm"
    prune: bool = False
    delete_most: int = 3
    delete_percent: int = 10


def mark(policy: Policy) -> str:
    """Return a short digest of what a policy says of drift; empty where it says nothing. Pure."""
    if policy.drift == "report" and not policy.ignore:
        return ""
    told = msgspec.json.encode([policy.drift, policy.ignore])
    return hashlib.sha256(told).hexdigest()[:12]


def plain(value: Any) -> bool:
    """Tell whether a value may be the condition of an ``Ignore``. Pure."""
    return value is None or isinstance(value, str | int | float | bool)
