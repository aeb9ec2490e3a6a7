"""Finds every scope that a deployment would write to, before ARM is asked to.

The choke point of all ARM writes compares them with what the operator allows. A scope that only ARM
would know is reported as undecidable: the choke point refuses it, because a template is what an
attacker would bring.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from shared.core.source.arm_json import Json, fold, may_deploy, member, member_key, resources_of
from shared.core.source.evaluation import HOLE, UNKNOWN, Frame, Scope, frame_of, inner_frame
from shared.core.source.expression import leading_call

_SUBSCRIPTION = re.compile(
    r"/subscriptions/([^/]+)(?:/([^/]*)(?:/([^/]+))?)?(?:/|$)", re.IGNORECASE | re.ASCII
)
_MANAGEMENT_GROUP = re.compile(
    r"(?:/providers/)?Microsoft\.Management/managementGroups/([^/]+)(?:/|$)",
    re.IGNORECASE | re.ASCII,
)
_UNDECIDED = Scope(HOLE)
_SAID_CHARACTERS = 200
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_RELATIVE = re.compile(r"[A-Za-z][\w-]*(?:\.[\w-]+)+(?:/[^/]+/[^/]+)+", re.ASCII)
"""A resource in the current scope: namespace, then types and names in turn."""
_UNCLEAR = re.compile(r"[%\\?#\s\x01-\x1f]")
_ELSEWHERE = re.compile(
    r"(?:^|/providers/)(?:[^/]*\0|microsoft\.resources/"
    r"(?:[^/]*\0|resourcegroups|subscriptions|deployments|deploymentstacks)(?:/|$))"
)
"""Scopes in the form of resources, and what is put on deployments: a tag there is a stack's memory."""
_TYPE = re.compile(r"[\w.-]+(?:/[\w.-]+)*", re.ASCII)
_RESERVED = "plumbline."
_RESERVED_TAG = "plumbline-"
_MAX_TAGS = 50
"""ARM takes no more."""
_NEVER_RESERVED = frozenset({"uniquestring", "guid", "copyindex"})
"""Hashes of 13 and 36 characters without a dot, and numbers: no name of ours begins so."""
_STACKS = "microsoft.resources/deploymentstacks"
_DEPLOYMENTS = frozenset({"microsoft.resources/deployments", _STACKS})
_ON_DEPLOYMENTS = tuple(f"{each}/" for each in sorted(_DEPLOYMENTS))
"""An extension in the old spelling, such as tags that are put on a deployment."""


class TargetScope(msgspec.Struct, frozen=True):
    """A scope that is written to.

    ``scope`` is the canonical id (``/`` for the tenant), None when only ARM would know it; ``path``
    is where the source says so, ``written`` what it says there (with the member's name, so that it is
    never a scope itself), and ``code`` why it is undecided.
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
        fold(name): entry.get("value", UNKNOWN) for name, entry in source["parameters"].items()
    }
    found = [TargetScope(own.id, "scope", source["scope"])]
    seen = {fold(str(own.id))}
    for target in _written(template, "template", frame_of(template, own, given), own):
        key = f"{target.code} {target.path}" if target.scope is None else fold(target.scope)
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
    if not _is_clear(text) or _ELSEWHERE.search(fold(text)):
        return _UNDECIDED
    if not text.startswith("/"):
        return current if _RELATIVE.fullmatch(text) else _UNDECIDED
    if text == "/":
        return Scope()
    match = _SUBSCRIPTION.match(text)
    if match is None:
        return _UNDECIDED if HOLE in text.split("/", 2)[1] else Scope()
    subscription, kind, name = match.groups()
    in_group = kind is not None and fold(kind) == "resourcegroups"
    rest = fold(text[match.end(3 if in_group else 1) :]) if name or not in_group else ""
    if rest.strip("/") and not rest.startswith("/providers/"):
        return _UNDECIDED
    return Scope(fold(subscription), (name or HOLE) if in_group else None)


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
            yield _refused(path, name, "", "ExtensionNotAllowed")
    for at, resource in resources_of(holder, path):
        scope, said_at, said = _own_scope(resource, at, frame, target)
        # Only language version 2.0 knows references; elsewhere ARM ignores the word and deploys.
        is_reference = symbolic and member(resource, "existing") is True
        if not is_reference and member(resource, "condition") is not False:
            if said is not None:
                yield TargetScope(scope.id, said_at, said)
            yield from _extended(resource, at, frame)
            yield from _nested(resource, at, frame, scope)
        yield from _written(resource, at, frame, scope, symbolic=symbolic)


def _is_symbolic(holder: Json) -> bool:
    version = member(holder, "languageVersion")
    named = isinstance(member(holder, "resources"), dict)
    return named and isinstance(version, str) and version.startswith("2.")


def _extended(resource: Json, at: str, frame: Frame) -> Iterator[TargetScope]:
    """Yield what is deployed by an extension: where that writes no scope says."""
    kind = frame.text(member(resource, "type"))
    for name in ("import", "extension"):
        if member(resource, name):
            yield _refused(at, name, member(resource, name), "ExtensionNotAllowed")
    if "@" in kind:
        yield _refused(at, "type", kind, "ExtensionNotAllowed")


def _reserved(resource: Json, at: str, frame: Frame) -> Iterator[TargetScope]:
    """Yield a nested deployment that could pass for one of a stack's own.

    Its name is the mutex and its tags are the memory of the stack (docs/architecture.md, rule 5).
    """
    written = member(resource, "name")
    known, hole, _ = fold(frame.text(written)).lstrip().partition(HOLE)
    could_be = hole != "" and _RESERVED.startswith(known)
    harmless = not known and leading_call(str(written), len(_RESERVED)) in _NEVER_RESERVED
    if known.startswith(_RESERVED) or (could_be and not harmless):
        yield _refused(at, "name", written, "DeploymentNameReserved")
    tags = member(resource, "tags")
    found = frame.value(tags)
    if tags is None:
        return
    if not isinstance(found, dict) or len(found) > _MAX_TAGS:
        yield _refused(at, "tags", tags, "DeploymentNameReserved")
        return
    for tag in found:
        if fold(tag).lstrip().startswith(_RESERVED_TAG):
            yield _refused(at, "tags", tag, "DeploymentNameReserved")


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
        return (_UNDECIDED if both else scope), f"{at}.{key}", f"scope: {_said(resource[key])}"
    subscription, group = (None if each is None else frame.text(each) for each in said.values())
    if subscription is None and group is None:
        return target, at, None
    if subscription is not None and not _GUID.fullmatch(subscription):
        subscription = HOLE
    scope = Scope(fold(subscription or target.subscription or HOLE), group)
    return (
        scope,
        at,
        ", ".join(f"{name}: {_said(each)}" for name, each in said.items() if each is not None),
    )


def _nested(resource: Json, at: str, frame: Frame, target: Scope) -> Iterator[TargetScope]:
    kind = fold(frame.text(member(resource, "type")))
    if "@" in kind:
        return
    if not _TYPE.fullmatch(kind):
        yield _refused(at, "type", member(resource, "type"))
        return
    if kind not in _DEPLOYMENTS:
        if kind.startswith(_ON_DEPLOYMENTS):
            yield _refused(at, "type", kind, "DeploymentNameReserved")
        return
    yield from _reserved(resource, at, frame)
    properties = member(resource, "properties")
    template = member(properties, "template") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(template, dict):
        yield TargetScope(None, f"{at}.properties", "a template that is not written out")
        return
    elsewhere = member(properties, "deploymentScope")
    if kind == _STACKS and elsewhere is not None:
        target = parse_scope(frame.text(elsewhere), _UNDECIDED)
        said = f"deploymentScope: {_said(elsewhere)}"
        yield TargetScope(target.id, f"{at}.properties.deploymentScope", said)
    path = f"{at}.properties.template"
    yield from _written(template, path, inner_frame(properties, template, frame, target), target)


def _refused(at: str, name: str, written: Any, code: str = "ScopeUndecided") -> TargetScope:
    """Return what is undecided whatever else is known; what it says can be taken for no scope."""
    return TargetScope(None, f"{at}.{name}", f"{name}: {_said(written)}", code)


def _said(value: Any) -> str:
    # A whole object is never spelled out: it may be large, and is used many times.
    return str(value)[:_SAID_CHARACTERS] if isinstance(value, str | int | None) else "(no text)"
