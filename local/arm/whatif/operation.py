"""One what-if from what was asked to the body of its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm import errors, ids
from local.arm.cloud import Cloud
from local.arm.deploy import permissions, submit
from local.arm.deploy.ask import Ask
from local.arm.deploy.cleanup import leftovers
from local.arm.engine import Plan
from local.arm.errors import ArmError
from local.arm.whatif import attempts, failures
from local.arm.whatif.changes import Assembly, Format, Reply
from local.arm.whatif.declared import Declared, Survey
from local.arm.whatif.labels import Labels
from local.arm.whatif.limits import Limits
from local.arm.whatif.predictions import Stage
from local.arm.whatif.rehearsal import Rehearsal

_FORMATS = {"fullresourcepayloads": False, "resourceidonly": True}


@dataclass(frozen=True, slots=True)
class Guess:
    """A client's own prediction of which resource a symbolic name stands for."""

    symbols: tuple[str, ...]
    resource_id: str
    api_version: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants of a what-if besides the deployment itself."""

    ids_only: bool
    guesses: tuple[Guess, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The body that polling ends with, and the labels of its entries."""

    body: dict[str, Any]
    labels: Labels


def wish_of(properties: Mapping[str, Any]) -> Wish:
    """Read the properties of a what-if; raises InvalidRequestContent. Pure."""
    settings = properties.get("whatIfSettings") or {}
    wanted = settings.get("resultFormat") if isinstance(settings, dict) else None
    ids_only = _FORMATS.get(str(wanted or "FullResourcePayloads").lower())
    if ids_only is None or not isinstance(settings, dict):
        raise errors.invalid_content(
            "properties.whatIfSettings.resultFormat must be 'FullResourcePayloads' or"
            " 'ResourceIdOnly'"
        )
    return Wish(ids_only, tuple(_guesses(properties.get("resourcePredictions") or [])))


def _guesses(listed: Any) -> list[Guess]:
    if not isinstance(listed, list):
        raise errors.invalid_content("properties.resourcePredictions must be an array")
    found = []
    for entry in listed:
        path = entry.get("symbolicNamePath") if isinstance(entry, dict) else None
        if not isinstance(path, list) or not path:
            raise errors.invalid_content(
                "Every element of properties.resourcePredictions needs a symbolicNamePath"
            )
        resource_id = entry.get("resourceId")
        if isinstance(resource_id, str):
            symbols = tuple(str(name).lower() for name in path)
            found.append(Guess(symbols, resource_id, entry.get("apiVersion")))
    return found


@dataclass(frozen=True, slots=True)
class Clouds:
    """The cloud as it is when the what-if begins, and one to try the deployment out in."""

    now: Cloud
    then: Cloud
    tick: int

    @classmethod
    def of(cls, cloud: Cloud, tick: int, *, aside: bool = True) -> Clouds:
        """Fork a cloud, on the event loop, so that nothing changes meanwhile.

        What is not done `aside`, in a thread, can look at the cloud itself: it will stand still.
        """
        return cls(cloud.fork() if aside else cloud, cloud.fork(), tick)


def foretell(
    clouds: Clouds, ask: Ask, plan: Plan, wish: Wish, limits: Limits | None = None
) -> Result:
    """Return what the deployment would change; a failure is a body too, with status Failed.

    `plan` is what the template comes to in `clouds.then`.
    """
    try:
        _check(clouds.now, ask, plan)
        reply = _reply(clouds, ask, plan, wish, limits)
    except ArmError as error:
        return Result({"status": "Failed", "error": error.body()}, Labels())
    if reply.failures:
        failed = failures.of(clouds.now, ask, reply.failures)
        return Result({"status": "Failed", "error": failed}, reply.labels)
    properties = {
        "correlationId": ask.correlation_id,
        "changes": reply.changes,
        "potentialChanges": reply.potential,
        "diagnostics": reply.diagnostics,
    }
    return Result({"status": "Succeeded", "properties": properties}, reply.labels)


def _check(cloud: Cloud, ask: Ask, plan: Plan) -> None:
    """Raise what providers refuse before anything runs, what the caller may not, what policies deny.

    The level decides how much of it is asked: nothing with Template, no permissions with
    ProviderNoRbac.
    """
    found = submit.preflight(cloud, ask, plan)
    if ask.level == "template":
        return
    permissions.check(cloud, ask, found)
    denied = permissions.disallowed(cloud, ask, found)
    if denied:
        raise ArmError(
            400,
            "InvalidTemplateDeployment",
            "The template deployment failed because of policy violation. Please see details for"
            " more information.",
            details=denied,
        )


def _reply(clouds: Clouds, ask: Ask, plan: Plan, wish: Wish, limits: Limits | None) -> Reply:
    rehearsal = Rehearsal(clouds.then, ask, limits)
    survey = rehearsal.run(plan)
    _guess(clouds.then, survey, wish)
    named = {ids.key_of(one.id) for one in survey.declared if one.fate != "unsupported"}
    doomed = set[str]()
    if ask.mode == "Complete":
        made = [*named, *survey.hidden]
        doomed = {ids.key_of(one.id) for one in leftovers(clouds.then, ask, plan, made)}
    stage = Stage(clouds.now, clouds.then, frozenset(named), clouds.tick)
    shape = Format(wish.ids_only, ask.api_version)
    secrets = frozenset(survey.secrets) | rehearsal.given_away
    return Assembly(stage, shape, secrets).assemble(survey, doomed)


def _guess(cloud: Cloud, survey: Survey, wish: Wish) -> None:
    """Take clients' predictions for resources that nobody else can identify."""
    for at, one in enumerate(survey.declared):
        if one.fate == "unsupported":
            path = tuple(name.lower() for name in one.symbols)
            guess = next((guess for guess in wish.guesses if guess.symbols == path), None)
            if guess is not None:
                survey.declared[at] = _guessed(cloud, one, guess)


def _guessed(cloud: Cloud, one: Declared, guess: Guess) -> Declared:
    version = guess.api_version or one.api_version
    found = replace(one, id=guess.resource_id, api_version=version, fate="potential", reason=None)
    if attempts.read(cloud, found.id, version) is not None:
        return found
    got = attempts.imagine(cloud, found.id, version, found.put)
    return one if got is None else replace(found, got=got)
