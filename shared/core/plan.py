"""A plan: what would be done to resources that somebody has to agree to first.

Two steps can need it: the first release of a stack whose resources are there already (``adopt``), and
deletions beyond the delete budget (``prune``). Its details are a content, named by their SHA-256: that
digest is what is approved, so that nobody approves anything else than what was shown. Pure data.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

Kind = Literal["adopt", "prune"]


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plan as the record has it.

    ``digest`` names the details in ``contents/``; ``generation`` is the one that it was made for.
    ``counts`` says how many resources would be treated how (``create``, ``modify``, ``delete``, ...).
    ``source`` and ``inputs`` are the digests of the release that it is about.
    """

    kind: Kind
    digest: str
    generation: int
    counts: Mapping[str, int]
    at: datetime
    source: str = ""
    inputs: str = ""


class PropertyStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A property that would change. ``before`` and ``after`` have stars for secrets."""

    path: str
    kind: str
    before: Any = None
    after: Any = None


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What would become of one resource: ``kind`` is what-if's word, or ``delete``.

    ``reason`` says why nothing can be told, or why the resource would be deleted.
    """

    resource: str
    kind: str
    changes: tuple[PropertyStep, ...] = ()
    reason: str | None = None


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plan consists of, and what it was made from: all of it is in the digest.

    ``source`` and ``inputs`` are the digests of the release that it is about; ``gaps`` say what
    nobody could look at.
    """

    kind: Kind
    repository: str
    stack: str
    source: str
    inputs: str
    steps: tuple[Step, ...] = ()
    gaps: tuple[str, ...] = ()


def counts(details: Details) -> dict[str, int]:
    """Return how many resources would be treated how, by the kinds of the steps. Pure."""
    found: dict[str, int] = {}
    for step in details.steps:
        found[step.kind] = found.get(step.kind, 0) + 1
    return dict(sorted(found.items()))


class Planning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A what-if that was started for a plan and is to be fetched from ``address``.

    ``source`` and ``inputs`` are the digests of the release that it is about.
    """

    address: str
    source: str
    inputs: str
    since: datetime
