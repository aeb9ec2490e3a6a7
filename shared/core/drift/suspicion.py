"""Who might have drifted: the cheapest question, answered from listings alone. Pure.

A stack's ``seen`` digest stands for all that a listing shows of what it owns, and of what nobody owns in
its scope. While it stays the same, and the Activity Log has nothing new, nothing is asked of ARM.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.core import names
from shared.core.activity import Write
from shared.core.arm_model import Sighting
from shared.core.document import from_text, to_text
from shared.core.drift.evidence import SLACK
from shared.core.owners import Identity, marks
from shared.core.scopes import fold

MOST_AT_ONCE: Final = 400
"""How many stacks one scan sends to inspection: the others have their turn in the next."""

JITTER: Final = 0.1
"""The part of a period over which full looks are spread, so that they do not come all at once."""


@dataclass(frozen=True)
class Periods:
    """When everything is looked at: ``confirm`` after a release, and at least every ``full``.

    ``children``: how often, where no Activity Log tells of children.
    """

    confirm: timedelta
    full: timedelta
    children: timedelta


@dataclass(frozen=True)
class Suspect:
    """A stack to be inspected, and why."""

    identity: Identity
    reason: str


def moment(text: str | None) -> datetime | None:
    """Return the moment in a fact, None where it is absent or unreadable."""
    try:
        return from_text(text) if text else None
    except ValueError:
        return None


def told(sighting: Sighting) -> str:
    """Return what a listing shows of a resource, as text."""
    changed = to_text(sighting.changed_at) if sighting.changed_at else ""
    return f"{fold(sighting.id)} {changed}"


def seen(sightings: Iterable[Sighting]) -> str:
    """Return the digest of what a listing shows of a stack's resources."""
    lines = sorted(map(told, sightings))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Estate:
    """All that has a record: facts by stack, who owns what by mark, who answers for which scope.

    ``busy`` are the scopes in which a release runs, and ``ours`` the correlation ids of the newest
    deployments (both in lower case), also of stacks that have no good release yet.
    """

    facts: Mapping[Identity, Mapping[str, str]]
    owners: Mapping[int, tuple[Identity, ...]]
    keepers: Mapping[str, Identity]
    busy: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()

    def owned_by(self, resource: str) -> tuple[Identity, ...]:
        """Return the stacks that own a resource; marks are short, so that one too many may be told."""
        return self.owners.get(mark(resource), ())

    def keeper(self, resource: str) -> Identity | None:
        """Return the stack that answers for what nobody owns in a resource's group."""
        return self.keepers.get(group_of(resource) or "")

    def may_be_made_now(self, resource: str) -> bool:
        """Tell whether a release that runs may be making a resource: it is nobody's until that has ended."""
        group = f"{group_of(resource) or ''}/"
        return any(group.startswith(f"{scope}/") for scope in self.busy)


def mark(resource: str) -> int:
    """Return a resource's mark, as the facts of its owner have it."""
    data = hashlib.sha256(fold(resource).encode()).digest()[:4]
    return memoryview(data).cast("I")[0]


def group_of(resource: str) -> str | None:
    """Return the folded id of the resource group that a resource is in, None for one in none."""
    parts = fold(resource).split("/")
    if len(parts) < 5 or parts[3] != "resourcegroups":  # noqa: PLR2004 - /subscriptions/s/resourceGroups/g
        return None
    return "/".join(parts[:5])


def estate(listed: Iterable[tuple[str, Mapping[str, str]]]) -> Estate:
    """Return who owns what, from a listing of records. Stacks without a good release own nothing.

    Of several stacks in one scope the first by name answers for what nobody owns there.
    """
    facts: dict[Identity, Mapping[str, str]] = {}
    owners: dict[int, list[Identity]] = {}
    keepers: dict[str, Identity] = {}
    busy: set[str] = set()
    ours: set[str] = set()
    for name, found in listed:
        if found.get("running") and found.get("scope"):
            busy.add(found["scope"])
        ours.update(_correlations(found))
        identity = names.identity_of_record(name)
        if identity is None or not found.get("release"):
            continue
        facts[identity] = found
        for each in marks(found.get("owns", "")):
            owners.setdefault(each, []).append(identity)
        scope = found.get("scope", "")
        if scope and (scope not in keepers or identity < keepers[scope]):
            keepers[scope] = identity
    marked = {key: tuple(who) for key, who in owners.items()}
    return Estate(facts, marked, keepers, frozenset(busy), frozenset(ours))


def _correlations(facts: Mapping[str, str]) -> Iterable[str]:
    return (one.lower() for one in facts.get("correlations", "").split(",") if one)


def shares(sightings: Iterable[Sighting], estate: Estate) -> dict[Identity, list[Sighting]]:
    """Return what each stack is to look at of a listing: what it owns, or answers for.

    Only in the subscription of its scope: scans list no others for it, and what is compared with what
    they see must not depend on who lists.
    """
    found: dict[Identity, list[Sighting]] = {identity: [] for identity in estate.facts}
    for sighting in sightings:
        owners = estate.owned_by(sighting.id)
        keeper = estate.keeper(sighting.id)
        for identity in owners or ((keeper,) if keeper is not None else ()):
            if fold(sighting.id).split("/")[2:3] == [subscription_of(estate.facts[identity])]:
                found[identity].append(sighting)
    return found


def written(writes: Iterable[Write], estate: Estate) -> dict[Identity, datetime]:
    """Return for each stack when the log last had something new of what it owns, or answers for."""
    newest: dict[Identity, datetime] = {}
    for write in writes:
        for identity in concerned(write.resource_id, estate):
            if identity not in newest or newest[identity] < write.seen_at:
                newest[identity] = write.seen_at
    return newest


def concerned(resource: str, estate: Estate) -> tuple[Identity, ...]:
    """Return the stacks that a write to a resource concerns: its owners, or those of what it is in."""
    at = resource
    while at.count("/") > _GROUP:
        owners = estate.owned_by(at)
        if owners:
            return owners
        at = _above(at)
    keeper = estate.keeper(resource)
    # A group itself is in no listing: who made it with a template hears of it from the log only.
    makers = estate.owned_by(resource) if resource.count("/") == _GROUP else ()
    return tuple(dict.fromkeys((*makers, *((keeper,) if keeper is not None else ()))))


_GROUP: Final = 4


def _above(resource: str) -> str:
    """Return the id of what a resource is in: two steps up, or the provider's parent."""
    up = resource.rpartition("/")[0].rpartition("/")[0]
    return up.rpartition("/providers")[0] if up.rpartition("/")[2].lower() == "providers" else up


@dataclass(frozen=True)
class Heard:
    """What a scan has heard.

    ``known`` are the facts of drift documents, ``listing`` what was listed by stack: a stack whose
    subscription could not be listed is not in it, and is looked at when its time has come. ``news`` is when the log last had something of a
    stack. ``without_log`` are subscriptions (lower case) whose Activity Log cannot be asked.
    """

    known: Mapping[Identity, Mapping[str, str]]
    listing: Mapping[Identity, Sequence[Sighting]]
    news: Mapping[Identity, datetime]
    without_log: Collection[str] = ()


def suspects(estate: Estate, heard: Heard, now: datetime, periods: Periods) -> tuple[Suspect, ...]:
    """Return the stacks to inspect, most urgent first, MOST_AT_ONCE at most."""
    found: list[tuple[int, str, Suspect]] = []
    for identity, facts in estate.facts.items():
        if facts.get("running"):
            continue
        drift = heard.known.get(identity, {})
        reason = _reason(identity, facts, heard, now, periods)
        if reason is not None:
            suspect = Suspect(identity, reason)
            found.append((_URGENCY.index(reason), drift.get("checked_at", ""), suspect))
    found.sort(key=lambda each: (each[0], each[1], each[2].identity))
    return tuple(suspect for _, _, suspect in found[:MOST_AT_ONCE])


_URGENCY: Final = ("due", "touched", "written", "heal", "policy", "released", "confirm", "full")


def _reason(
    identity: Identity,
    facts: Mapping[str, str],
    heard: Heard,
    now: datetime,
    periods: Periods,
) -> str | None:
    drift, listing = heard.known.get(identity, {}), heard.listing.get(identity)
    due_at = moment(drift.get("due_at"))
    if due_at is not None:
        # A look is under way, or was put off: its own message comes, unless it was lost.
        return "due" if due_at <= now else None
    applied_at = moment(facts.get("applied_at"))
    is_old = applied_at is None or now - applied_at >= periods.confirm
    is_current = drift.get("release") == facts.get("release")
    if listing is not None and is_current and drift.get("seen", "") != seen(listing):
        return "touched"
    if not is_current and not is_old and _changed_since(listing or (), applied_at):
        return "touched"
    since = moment(drift.get("events")) if is_current else applied_at
    news = heard.news.get(identity) if listing is not None else None
    if news is not None and (since is None or news > since):
        return "written"
    if is_current and _may_heal_now(drift, now):
        return "heal"
    if not is_current or not drift.get("confirmed"):
        return (
            "confirm" if is_old else "released" if drift.get("items") and not is_current else None
        )
    is_same = drift.get("policy", "") == facts.get("policy", "")
    if listing is not None and drift.get("items") and not is_same:
        return "policy"
    again_at = moment(drift.get("again_at"))
    if again_at is not None and again_at <= now:
        return "full"
    full_at = moment(drift.get("full_at"))
    period = period_of(identity, periods, blind=subscription_of(facts) in heard.without_log)
    return "full" if full_at is None or now - full_at >= period else None


def _may_heal_now(drift: Mapping[str, str], now: datetime) -> bool:
    """Tell whether a heal that was put off may go now: nothing else would bring the stack back.

    One look after its moment is enough: a stack that is frozen is not looked at by every scan.
    """
    heal_at, checked_at = moment(drift.get("heal_at")), moment(drift.get("checked_at"))
    return heal_at is not None and heal_at <= now and (checked_at is None or checked_at < heal_at)


def _changed_since(listing: Iterable[Sighting], applied_at: datetime | None) -> bool:
    return applied_at is not None and any(
        each.changed_at is not None and each.changed_at > applied_at + SLACK for each in listing
    )


def period_of(identity: Identity, periods: Periods, *, blind: bool) -> timedelta:
    """Return how often everything of a stack is looked at: always up to a tenth sooner, by its name.

    ``blind``: no Activity Log tells of its children.
    """
    period = min(periods.full, periods.children) if blind else periods.full
    data = hashlib.sha256("/".join(identity).encode()).digest()[0]
    return period * (1.0 - JITTER * data / 255)


def subscription_of(facts: Mapping[str, str]) -> str:
    """Return the subscription (lower case) of a stack's scope, by its facts; empty where it has none."""
    parts = facts.get("scope", "").split("/")
    return parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - /subscriptions/<id>
