"""From ARM's error tree to the one line that a user needs, with the whole tree kept beside it."""

import json
from collections.abc import Mapping
from typing import Any

from shared.core.arm_answers.hints import hint
from shared.core.arm_answers.kinds import is_transient_failure
from shared.core.arm_answers.tree import Leaf, error_of, leaves, read
from shared.core.problem import Problem
from shared.core.redaction import mask, mask_text

MAX_MESSAGE = 500
"""Characters of the one line; the rest is in ``detail``."""

MAX_DETAIL = 32 * 1024
"""Characters of ``detail`` as JSON: a record must stay small enough to be written often."""

_BOUNDS = ((4000, 100, 24), (500, 20, 12), (120, 5, 8))
"""(text, items, depth) that ``detail`` is cut to, one after the other until it fits."""


def flatten(error: Mapping[str, Any]) -> Problem:
    """Return what went wrong in one line: the innermost error that matters. Pure.

    Of several errors the first that does not pass by itself is told, and how many more there are.
    ``detail`` is ARM's tree with secrets masked, and is at most MAX_DETAIL characters of JSON.
    """
    error = error_of(error) or error
    found = leaves(read(error))
    told = next((leaf for leaf in found if not _is_transient(leaf)), found[0])
    path, line = _violation(told)
    return Problem(
        code=told.error.code or "UnknownError",
        message=_message(told, others=len(found) - 1),
        hint=hint(told),
        path=path,
        line=line,
        detail=_bounded(error),
    )


def _is_transient(leaf: Leaf) -> bool:
    return is_transient_failure({"code": leaf.error.code})


def _message(leaf: Leaf, others: int) -> str:
    text = " ".join(mask_text(leaf.error.message).split())
    if not text:
        text = "Azure gave no message."
    name = _short_name(leaf.resource)
    if name and name.lower() not in text.lower():
        text = f"{name}: {text}"
    tail = f" (and {others} more: see detail)" if others else ""
    return _cut(text, MAX_MESSAGE - len(tail)) + tail


def _short_name(resource: str | None) -> str | None:
    """Return ``storageAccounts/logs`` of a resource id, and a child with its parents."""
    if not resource:
        return None
    above, _, below = resource.rpartition("/providers/")
    parts = below.split("/")[1:] if above else []
    kinds, names = parts[0::2], parts[1::2]
    if not names:
        return resource.rpartition("/")[2] or None
    return f"{'/'.join(kinds)} {'/'.join(names)}"


def _violation(leaf: Leaf) -> tuple[str | None, int | None]:
    """Return (path, line) of a TemplateViolation.

    What is posted is one line of JSON, so line 1 says nothing and is left out.
    """
    for kind, info in leaf.error.infos:
        if kind == "TemplateViolation" and isinstance(info, Mapping):
            path, line = info.get("path"), info.get("lineNumber")
            return (
                path if isinstance(path, str) and path else None,
                line if isinstance(line, int) and line > 1 else None,
            )
    return None, None


def _bounded(error: Mapping[str, Any]) -> Any:
    tree = mask(_opened(error, _BOUNDS[0][2]))
    for bound in _BOUNDS:
        cut = _shrunk(tree, *bound)
        if len(json.dumps(cut, ensure_ascii=False, default=str)) <= MAX_DETAIL:
            return cut
    return {
        "code": _cut(str(error.get("code", "")), 120),
        "cut": "the answer was too large to keep",
    }


def _opened(node: Any, depth: int) -> Any:
    """Replace JSON text by what it says, so that names of secrets inside it are seen."""
    if isinstance(node, str):
        if not depth or not node.lstrip().startswith(("{", "[")):
            return node
        try:
            inner = json.loads(node)
        except (ValueError, RecursionError):
            return node
        return _opened(inner, depth - 1) if isinstance(inner, dict | list) else node
    if isinstance(node, Mapping):
        return {str(k): _opened(v, depth - 1) for k, v in node.items()} if depth else "…"
    if isinstance(node, list | tuple):
        return [_opened(item, depth - 1) for item in node] if depth else "…"
    return node


def _shrunk(node: Any, text: int, items: int, depth: int) -> Any:
    if isinstance(node, str):
        return _cut(node, text)
    if isinstance(node, Mapping):
        if not depth:
            return "…"
        kept = list(node.items())[:items]
        return {_cut(key, 120): _shrunk(value, text, items, depth - 1) for key, value in kept}
    if isinstance(node, list):
        kept_items = [_shrunk(item, text, items, depth - 1) for item in node[:items]]
        more = [f"… {len(node) - items} more"] if len(node) > items else []
        return kept_items + more if depth else "…"
    return node


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
