"""What what-if is about to say of one resource, before and after noise got at it.

The what-if room builds a `Prediction` that is true and clean; `distort` then applies the classes
of noise that are switched on, one after the other, so that whoever compares before and after each
class knows which entry of the delta is whose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.arm.knowledge import ResourceType


@dataclass(frozen=True, slots=True)
class Prediction:
    """One resource as what-if sees it: `before` and `after` are equal when nothing changes.

    `put` is the template's body, evaluated; `got` the whole body of a GET without noise. `before`
    is None for what would be created, `after` for what would be deleted. `no_effect` holds the
    paths that the template sets in vain, dotted and with indices as segments ("properties.a.0.b");
    after `distort`, those whose delta entry is NoEffect.

    `source` is the template's body as written, expressions and all; `secure` the paths, in
    the same form, that secure parameters fed. `nested` is the id of the nested deployment that declares the resource,
    None at the top; `implicit` says that a provider made it and no template. `seed` and `tick` make
    noise differ: by run of the simulator, and (N20) by look. `truth` is what was before any noise, and
    `moving` the arrays that really change, as keys of their paths: noise keeps off them, because
    one element more or less changes which belong together.
    """

    resource_id: str
    type: str
    api_version: str
    known: ResourceType
    put: Mapping[str, Any]
    got: Mapping[str, Any]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    no_effect: frozenset[str] = frozenset()
    source: Mapping[str, Any] | None = None
    secure: frozenset[str] = frozenset()
    nested: str | None = None
    implicit: bool = False
    seed: int = 0
    tick: int = 0
    truth: Prediction | None = None
    moving: tuple[str, ...] = ()
