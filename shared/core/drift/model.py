"""What is kept of a stack's drift: ``drift/<repository>.<stack>.json`` in ``state``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from shared.core.document import Document, to_text
from shared.core.problem import Problem

State = Literal["unknown", "none", "drifted", "incomplete", "tentative"]
"""``incomplete``: nothing was found, and not everything could be looked at; never the same as none."""

Kind = Literal["modified", "deleted", "undeclared"]
Severity = Literal["high", "medium", "low"]

SECRET = "changed (secret)"  # noqa: S105 - what is shown in a secret's place
ABSENT = "(absent)"
"""What is shown for a side that has no such member."""


class Who(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who changed it, by the Activity Log."""

    caller: str
    at: datetime
    operation: str
    client: str | None = None
    correlation_id: str | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One difference. ``path`` is a JSON path in the resource's body, empty for the whole resource.

    ``managed``: the template says something of it. ``wanted`` is what the template leads to,
    ``released`` what was there after the release, ``now`` what is there; ABSENT and SECRET stand for
    what is not there and what is not shown. ``who`` is None where nobody knows; ``left_with`` is the release with
    which an undeclared resource left the template, ``survived`` how many releases did not bring the
    value back.
    """

    kind: Kind
    resource: str
    type: str
    path: str = ""
    managed: bool = False
    wanted: Any = ABSENT
    released: Any = ABSENT
    now: Any = ABSENT
    severity: Severity = "medium"
    first_seen: datetime
    who: Who | None = None
    left_with: str | None = None
    hint: str | None = None
    survived: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two items the same one."""
        return self.kind, self.resource.lower(), self.path


class Closed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item of the past: when it was gone, and why (``healed``, ``released``, ``reverted``)."""

    item: Item
    closed_at: datetime
    reason: str
    release: str | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that could not be looked at, why, and how to mend it."""

    code: str
    message: str
    resource: str | None = None
    hint: str | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Noise that was seen: a rule with its evidence, offered for the manifest.

    ``shape`` is what-if's kind of difference, or ``moves`` for a value that moves by itself; ``seen``
    how often, on ``resources`` different resources.
    """

    type: str
    path: str
    shape: str
    seen: int
    resources: int = 1
    first_seen: datetime
    last_seen: datetime


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What a place had come to be when nobody had touched the resource: no drift while it stays so.

    ``digest`` is that of the value.
    """

    resource: str
    path: str
    digest: str
    at: datetime


class Rules(Document, frozen=True, kw_only=True, omit_defaults=True):
    """The noise that all inspections of a repository have learned: ``noise/<repository>.json``."""

    repository: str
    findings: tuple[Finding, ...] = ()


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a scope's resources are in some stack, and how many in none; ``others`` names some."""

    scope: str
    in_stacks: int
    in_none: int
    others: tuple[str, ...] = ()


class Coverages(Document, frozen=True, kw_only=True, omit_defaults=True):
    """How much of each scope is in some stack, as the last scan saw it: ``coverage.json``.

    ``problems`` are by subscription: it could not be listed, or not be asked for its log.
    """

    at: datetime | None = None
    scopes: tuple[Coverage, ...] = ()
    problems: Mapping[str, Problem] = msgspec.field(default_factory=dict)


class Looking(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A what-if that was started for this stack and is to be fetched."""

    address: str
    release: str
    since: datetime
    looks: int = 0


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """How often somebody set one property again after it was healed."""

    resource: str
    path: str
    caller: str
    times: int
    last_at: datetime


class Heal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How healing goes: attempts in a row without rest, and when the next is allowed."""

    attempts: int = 0
    last_at: datetime | None = None
    next_at: datetime | None = None
    flips: tuple[Flip, ...] = ()


class Drift(Document, frozen=True, kw_only=True, omit_defaults=True):
    """What inspections know of a stack.

    ``release`` is the one that was compared with; ``confirmed_at`` when its baseline was confirmed.
    ``wanted`` maps resource ids to contents: what a deployment of that release leads to, by what-if;
    ``doubted`` are those (folded) that had drifted when it was asked: what it says may be what somebody
    wrote.
    ``sightings`` are the changed times (text) of the last listing by id; ``seen`` their digest, and
    ``events`` up to when the Activity Log was looked through for it. ``settled`` is what moved by
    itself since the release, ``references`` are contents that stand for those of a snapshot that was
    lost. ``gaps`` of a full look stay until the next one. ``closing``: a release has come since the last
    look, and this is why the items of before are gone (``healed``, ``released``).
    ``policy`` is the mark of what the manifest said of drift at the last look.
    ``again_at``: everything is looked at again then, because a release was outstanding, nothing could be
    listed, or a what-if came to nothing.
    """

    repository: str
    stack: str
    state: State = "unknown"
    release: str | None = None
    checked_at: datetime | None = None
    full_at: datetime | None = None
    confirmed_at: datetime | None = None
    due_at: datetime | None = None
    again_at: datetime | None = None
    seen: str = ""
    events: datetime | None = None
    sightings: Mapping[str, str] = msgspec.field(default_factory=dict)
    settled: tuple[Settled, ...] = ()
    references: Mapping[str, str] = msgspec.field(default_factory=dict)
    wanted: Mapping[str, str] = msgspec.field(default_factory=dict)
    doubted: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    gaps: tuple[Gap, ...] = ()
    noise: tuple[Finding, ...] = ()
    history: tuple[Closed, ...] = ()
    looking: Looking | None = None
    closing: str = ""
    heal: Heal = Heal()
    problem: Problem | None = None
    policy: str = ""


def facts(drift: Drift) -> dict[str, str]:
    """Return what scans and listings need to see without reading the document. Pure."""
    shown = {
        "state": drift.state,
        "release": drift.release or "",
        "seen": drift.seen,
        "events": to_text(drift.events) if drift.events else "",
        "checked_at": to_text(drift.checked_at) if drift.checked_at else "",
        "full_at": to_text(drift.full_at) if drift.full_at else "",
        "confirmed": "1" if drift.confirmed_at else "",
        "due_at": to_text(drift.due_at) if drift.due_at else "",
        "again_at": to_text(drift.again_at) if drift.again_at else "",
        "heal_at": to_text(drift.heal.next_at) if drift.heal.next_at and drift.items else "",
        "items": str(len(drift.items)) if drift.items else "",
        "problem": drift.problem.code if drift.problem else "",
        "policy": drift.policy,
    }
    return {key: value for key, value in shown.items() if value}
