"""Finds every scope that a deployment would write to, before ARM is asked to.

The choke point of all ARM writes compares them with what the operator allows. A scope that only ARM
would know is reported as undecidable: the choke point refuses it, because a template is what an
attacker would bring.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.core.source.arm_json import Json, member, member_key, resources_of
from shared.core.source.evaluation import HOLE, UNKNOWN, Frame, Scope, frame_of

_SUBSCRIPTION = re.compile(
    r"/subscriptions/([^/]+)(?:/([^/]*)(?:/([^/]+))?)?(?:/|$)", re.IGNORECASE
)
_MANAGEMENT_GROUP = re.compile(
    r"(?:/providers/)?Microsoft\.Management/managementGroups/([^/]+)(?:/|$)", re.IGNORECASE
)
_UNDECIDED = Scope(HOLE)
_SAID_CHARACTERS = 200
_STACKS = "microsoft.resources/deploymentstacks"
_DEPLOYMENTS = frozenset({"microsoft.resources/deployments", _STACKS})


class TargetScope(msgspec.Struct, frozen=True):
    """A scope that is written to.

    ``scope`` is the canonical id (``/`` for the tenant), None when only ARM would know it; ``path``
    is where the source says so, and ``written`` what it says there.
    """

    scope: str | None
    path: str
    written: str

    @property
    def decided(self) -> bool:
        """Whether the scope is known."""
        return self.scope is not None


def target_scopes(source: Mapping[str, Any]) -> tuple[TargetScope, ...]:
    """Return every scope that a compiled source writes to, its own first. Pure.

    A scope is named once, where it is met first; every undecidable place is named.
    """
    own = parse_scope(source["scope"], _UNDECIDED)
    template = source["template"]
    given = {
        name.lower(): entry.get("value", UNKNOWN) for name, entry in source["parameters"].items()
    }
    found = [TargetScope(own.id, "scope", source["scope"])]
    seen = {str(own.id).lower()}
    for target in _written(template, "template", frame_of(template, own, given), own):
        key = target.path if target.scope is None else target.scope.lower()
        if key not in seen:
            seen.add(key)
            found.append(target)
    return tuple(found)


def parse_scope(text: str, current: Scope) -> Scope:
    """Return the scope that an id names, or lies in; a relative one lies in ``current``. Pure.

    Parts that hold HOLE are not known.
    """
    group = _MANAGEMENT_GROUP.match(text)
    if group is not None:
        return Scope(management_group=group.group(1))
    if not text.startswith("/"):
        known = text != "" and HOLE not in text.split("/", 1)[0]
        return current if known else _UNDECIDED
    if text == "/":
        return Scope()
    match = _SUBSCRIPTION.match(text)
    if match is None:
        return _UNDECIDED if HOLE in text.split("/", 2)[1] else Scope()
    subscription, kind, name = match.groups()
    if kind is not None and HOLE in kind:
        return _UNDECIDED
    in_group = kind is not None and kind.lower() == "resourcegroups"
    return Scope(subscription.lower(), (name or HOLE) if in_group else None)


def _written(holder: Json, path: str, frame: Frame, target: Scope) -> Iterator[TargetScope]:
    for at, resource in resources_of(holder, path):
        scope, said_at, said = _own_scope(resource, at, frame, target)
        if member(resource, "existing") is not True and member(resource, "condition") is not False:
            if said is not None:
                yield TargetScope(scope.id, said_at, said)
            yield from _nested(resource, at, frame, scope)
        yield from _written(resource, at, frame, scope)


def _own_scope(
    resource: Json, at: str, frame: Frame, target: Scope
) -> tuple[Scope, str, str | None]:
    """Return where a resource goes, and where and how it says so (None when it does not)."""
    key = member_key(resource, "scope")
    if key is not None and resource[key] is not None:
        scope = parse_scope(frame.text(resource[key]), target)
        return scope, f"{at}.{key}", _said(resource[key])
    said = {name: member(resource, name) for name in ("subscriptionId", "resourceGroup")}
    subscription, group = (None if each is None else frame.text(each) for each in said.values())
    if subscription is None and group is None:
        return target, at, None
    scope = Scope((subscription or target.subscription or HOLE).lower(), group)
    return (
        scope,
        at,
        ", ".join(f"{name}: {_said(each)}" for name, each in said.items() if each is not None),
    )


def _nested(resource: Json, at: str, frame: Frame, target: Scope) -> Iterator[TargetScope]:
    kind = frame.text(member(resource, "type")).lower()
    if HOLE in kind:
        yield TargetScope(None, f"{at}.type", _said(member(resource, "type")))
        return
    if kind not in _DEPLOYMENTS:
        return
    properties = member(resource, "properties")
    template = member(properties, "template") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(template, dict):
        yield TargetScope(None, f"{at}.properties", "a template that is not written out")
        return
    elsewhere = member(properties, "deploymentScope")
    if kind == _STACKS and elsewhere is not None:
        target = parse_scope(frame.text(elsewhere), target)
        yield TargetScope(target.id, f"{at}.properties.deploymentScope", _said(elsewhere))
    path = f"{at}.properties.template"
    yield from _written(template, path, _inner_frame(properties, template, frame, target), target)


def _inner_frame(properties: Json, template: Json, frame: Frame, target: Scope) -> Frame:
    options = member(properties, "expressionEvaluationOptions")
    said = member(options, "scope") if isinstance(options, dict) else None
    if not isinstance(said, str) or said.lower() != "inner":
        return frame
    parameters = member(properties, "parameters")
    given = {
        name.lower(): frame.value(entry["value"])
        if isinstance(entry, dict) and "value" in entry
        else UNKNOWN
        for name, entry in (parameters.items() if isinstance(parameters, dict) else ())
    }
    return frame_of(template, target, given)


def _said(value: Any) -> str:
    return str(value)[:_SAID_CHARACTERS]
