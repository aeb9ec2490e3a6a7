"""Finds every scope that a deployment would write to, before ARM is asked to.

The choke point of all ARM writes compares them with what the operator allows. A scope that only ARM
would know is reported as undecidable: the choke point refuses it, because a template is what an
attacker would bring.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.core.source.arm_json import Json, may_deploy, member, member_key, resources_of
from shared.core.source.evaluation import HOLE, UNKNOWN, Frame, Scope, frame_of
from shared.core.source.expression import leading_call

_SUBSCRIPTION = re.compile(
    r"/subscriptions/([^/]+)(?:/([^/]*)(?:/([^/]+))?)?(?:/|$)", re.IGNORECASE
)
_MANAGEMENT_GROUP = re.compile(
    r"(?:/providers/)?Microsoft\.Management/managementGroups/([^/]+)(?:/|$)", re.IGNORECASE
)
_UNDECIDED = Scope(HOLE)
_SAID_CHARACTERS = 200
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_RELATIVE = re.compile(r"[A-Za-z][\w-]*(?:\.[\w-]+)+(?:/[^/]+/[^/]+)+", re.ASCII)
"""A resource in the current scope: namespace, then types and names in turn."""
_UNCLEAR = re.compile(r"[%\\?#\s]")
_RESERVED = "plumbline."
_RESERVED_TAG = "plumbline-"
_NEVER_RESERVED = frozenset({"uniquestring", "guid"})
"""Their results have no dot among their first characters, so no name of ours begins with them."""
_STACKS = "microsoft.resources/deploymentstacks"
_DEPLOYMENTS = frozenset({"microsoft.resources/deployments", _STACKS})


class TargetScope(msgspec.Struct, frozen=True):
    """A scope that is written to.

    ``scope`` is the canonical id (``/`` for the tenant), None when only ARM would know it; ``path``
    is where the source says so, ``written`` what it says there, and ``code`` why it is undecided.
    """

    scope: str | None
    path: str
    written: str
    code: str = "ScopeUndecided"

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
        key = f"{target.code} {target.path}" if target.scope is None else target.scope.lower()
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
    if not _is_clear(text):
        return _UNDECIDED
    if not text.startswith("/"):
        return current if _RELATIVE.fullmatch(text) else _UNDECIDED
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


def _is_clear(text: str) -> bool:
    """Tell whether an id can be read in one way only; one slash may end it. Pure."""
    parts = text.removeprefix("/").removesuffix("/").split("/")
    dots = any(part in {"", ".", ".."} for part in parts)
    return text == "/" or not (dots or _UNCLEAR.search(text))


def _written(
    holder: Json, path: str, frame: Frame, target: Scope, *, symbolic: bool = False
) -> Iterator[TargetScope]:
    symbolic = symbolic or _is_symbolic(holder)
    for name in ("imports", "extensions"):
        if member(holder, name):
            yield TargetScope(None, f"{path}.{name}", name, "ExtensionNotAllowed")
    for at, resource in resources_of(holder, path):
        scope, said_at, said = _own_scope(resource, at, frame, target)
        # Only language version 2.0 knows references; elsewhere ARM ignores the word and deploys.
        is_reference = symbolic and member(resource, "existing") is True
        if not is_reference and member(resource, "condition") is not False:
            if said is not None:
                yield TargetScope(scope.id, said_at, said)
            yield from _extended(resource, at)
            yield from _nested(resource, at, frame, scope)
        yield from _written(resource, at, frame, scope, symbolic=symbolic)


def _is_symbolic(holder: Json) -> bool:
    version = member(holder, "languageVersion")
    named = isinstance(member(holder, "resources"), dict)
    return named and isinstance(version, str) and version.startswith("2.")


def _extended(resource: Json, at: str) -> Iterator[TargetScope]:
    """Yield what is deployed by an extension: where that writes no scope says."""
    kind = member(resource, "type")
    for name in ("import", "extension"):
        if member(resource, name):
            yield TargetScope(None, f"{at}.{name}", name, "ExtensionNotAllowed")
    if isinstance(kind, str) and "@" in kind:
        yield TargetScope(None, f"{at}.type", _said(kind), "ExtensionNotAllowed")


def _reserved(resource: Json, at: str, frame: Frame) -> Iterator[TargetScope]:
    """Yield a nested deployment that could pass for one of a stack's own.

    Its name is the mutex and its tags are the memory of the stack (docs/architecture.md, rule 5).
    """
    written = member(resource, "name")
    known, hole, _ = frame.text(written).lower().partition(HOLE)
    open_ = hole != "" and _RESERVED.startswith(known)
    harmless = not known and leading_call(str(written)) in _NEVER_RESERVED
    if known.startswith(_RESERVED) or (open_ and not harmless):
        yield TargetScope(None, f"{at}.name", _said(written), "DeploymentNameReserved")
    tags = member(resource, "tags")
    for tag in tags if isinstance(tags, dict) else ():
        if tag.lower().startswith(_RESERVED_TAG):
            yield TargetScope(None, f"{at}.tags.{tag}", _said(tag), "DeploymentNameReserved")


def _own_scope(
    resource: Json, at: str, frame: Frame, target: Scope
) -> tuple[Scope, str, str | None]:
    """Return where a resource goes, and where and how it says so (None when it does not)."""
    key = member_key(resource, "scope")
    said = {name: member(resource, name) for name in ("subscriptionId", "resourceGroup")}
    if key is not None and resource[key] is not None:
        text = frame.text(resource[key])
        both = any(each is not None for each in said.values())
        lost = may_deploy(resource) and not text.startswith("/")
        scope = parse_scope(text, _UNDECIDED if lost else target)
        return (_UNDECIDED if both else scope), f"{at}.{key}", _said(resource[key])
    subscription, group = (None if each is None else frame.text(each) for each in said.values())
    if subscription is None and group is None:
        return target, at, None
    if subscription is not None and not _GUID.fullmatch(subscription):
        subscription = HOLE
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
    yield from _reserved(resource, at, frame)
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
