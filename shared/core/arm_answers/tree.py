"""ARM's error tree, as it really arrives: nested details, JSON inside messages, odd casing.

ARM wraps: a deployment's error says only that something failed, its details hold the resource
provider's answer, at times as JSON text inside ``message``, and a nested deployment does it all
again. ``read`` makes one kind of node of all that; ``leaves`` finds what actually happened.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_DEPTH = 16
"""Real trees are below ten; deeper ones are somebody's loop and are cut."""

WRAPPERS = frozenset(
    code.lower()
    for code in (
        *("DeploymentFailed", "ResourceDeploymentFailure", "InvalidTemplateDeployment"),
        *("ValidationForResourceFailed", "MultipleErrorsOccurred", "PreflightValidationFailed"),
        *("ResourceDeploymentFailed", "DeploymentStackOperationFailed"),
    )
)
"""Codes that only say "look inside"; they are the news only when nothing is inside."""


@dataclass(frozen=True)
class ErrorNode:
    """One error. ``code`` may be empty; ``infos`` are (type, info) of ARM's additionalInfo."""

    code: str
    message: str
    target: str | None = None
    details: Sequence["ErrorNode"] = ()
    infos: Sequence[tuple[str, Any]] = field(default_factory=tuple)

    @property
    def is_wrapper(self) -> bool:
        """Tell whether the code only points at what is inside."""
        return self.code.lower() in WRAPPERS


@dataclass(frozen=True)
class Leaf:
    """What happened, and the resource that it happened to (an id or ARM's own short name)."""

    error: ErrorNode
    resource: str | None


def error_of(body: Any) -> Mapping[str, Any] | None:
    """Return the error object of a body, whether or not it is in an ``error`` envelope. Pure."""
    for _ in range(MAX_DEPTH):
        if not isinstance(body, Mapping):
            return None
        inner = _get(body, "error") or _get(body, "odata.error")
        if not isinstance(inner, Mapping):
            return body if _get(body, "code") or _get(body, "message") else None
        body = inner
    return None


def read(error: Mapping[str, Any]) -> ErrorNode:
    """Read ARM's error object, in its envelope or not; what is unexpected is left out. Pure."""
    return _read(error_of(error) or error, MAX_DEPTH)


def leaves(root: ErrorNode) -> list[Leaf]:
    """Return what happened, in ARM's order: the innermost errors, wrappers only if empty. Pure."""
    found = list(_leaves(root, None))
    meaningful = [leaf for leaf in found if not leaf.error.is_wrapper]
    return meaningful or found


def _leaves(node: ErrorNode, resource: str | None) -> Iterator[Leaf]:
    here = node.target if _is_resource(node.target) else resource
    if not node.details:
        yield Leaf(node, here)
    for inner in node.details:
        yield from _leaves(inner, here)


def _is_resource(target: str | None) -> bool:
    """Tell whether a target is a resource; deployments are only the way there."""
    if not target or not target.startswith("/"):
        return False
    return "/providers/microsoft.resources/deployments/" not in target.lower()


def _read(error: Mapping[str, Any], depth: int) -> ErrorNode:
    message = _get(error, "message")
    if isinstance(message, Mapping):  # OData: {lang, value}
        message = _get(message, "value")
    text = message.strip() if isinstance(message, str) else _text(error, "message")
    details = [_read(item, depth - 1) for item in _details(error, depth)]
    embedded = _embedded(text) if depth else None
    if embedded is not None:
        inner = _read(embedded, depth - 1)
        code = _text(error, "code")
        if inner.code == code or not code:  # the same thing, said twice
            return ErrorNode(
                code=inner.code,
                message=inner.message,
                target=inner.target or _text(error, "target") or None,
                details=(*inner.details, *details),
                infos=(*inner.infos, *_infos(error)),
            )
        details, text = [inner, *details], inner.message
    return ErrorNode(
        code=_text(error, "code"),
        message=text,
        target=_text(error, "target") or None,
        details=tuple(details),
        infos=tuple(_infos(error)),
    )


def _details(error: Mapping[str, Any], depth: int) -> list[Mapping[str, Any]]:
    found = _get(error, "details")
    if not depth or not isinstance(found, list | tuple):
        return []
    return [item for item in map(error_of, found) if item is not None]


def _infos(error: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    found = _get(error, "additionalInfo")
    for item in found if isinstance(found, list | tuple) else ():
        if isinstance(item, Mapping):
            yield _text(item, "type"), _get(item, "info")


def _embedded(text: str) -> Mapping[str, Any] | None:
    """Return the error that a message holds as JSON text, or None."""
    if not text.startswith("{"):
        return None
    try:
        return error_of(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _text(node: Mapping[str, Any], name: str) -> str:
    value = _get(node, name)
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _get(node: Mapping[str, Any], name: str) -> Any:
    if name in node:
        return node[name]
    wanted = name.lower()
    return next((value for key, value in node.items() if str(key).lower() == wanted), None)
