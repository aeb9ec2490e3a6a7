"""Resources that cannot be identified before the deployment runs: what there is to say of their id.

Only what-if asks for them (a frame that is `tolerant`); it shows the id as what is left of its
expression, the way ARM does.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.expansion import expand
from local.arm.engine.frame import Frame
from local.arm.engine.parser import is_expression, parse_expression
from local.arm.engine.quoting import quote
from local.arm.engine.syntax import Call, Literal, Node, literal_text, write
from local.arm.engine.values import get

_HOLES = re.compile(r"\{\d+\}(/\{\d+\})*")


def known_text(item: Mapping[str, Any], key: str, frame: Frame) -> Node:
    """Return a member as far as it is known; as written when not even that can be said."""
    raw = get(item, key)
    try:
        return quote(expand(raw, frame))
    except ExpressionError:
        if isinstance(raw, str) and is_expression(raw):
            return parse_expression(raw)
        return Literal(raw if isinstance(raw, str) else "")


def shown(node: Node) -> str:
    """Return a literal's text, or an expression in brackets. Pure."""
    text = literal_text(node)
    return f"[{write(node)}]" if text is None else text


def name_below(parent: str | None, name: Node) -> Node:
    """Return the full name of a child whose parent's name is known. Pure."""
    if parent is None:
        return name
    text = literal_text(name)
    if text is not None:
        return Literal(f"{parent}/{text}")
    return Call("format", (Literal(f"{parent}/{{0}}"), name))


def identity(scope: Node, resource_type: str, name: Node) -> str:
    """Return the id as text: plain when all of it is known, else what is left of it. Pure."""
    names = _names(name)
    kinds = resource_type.split("/")[1:]
    plain = literal_text(scope)
    if plain is None or "/providers/" in plain.lower():
        return shown(Call("extensionResourceId", (scope, Literal(resource_type), *names)))
    namespace = resource_type.partition("/")[0]
    if len(names) != len(kinds):
        kinds, names = ["/".join(kinds)], [name]
    holes: list[Node] = []
    text = f"{plain}/providers/{namespace}"
    for kind, one in zip(kinds, names, strict=True):
        known = literal_text(one)
        text += f"/{kind}/{f'{{{len(holes)}}}' if known is None else known}"
        holes += [one] if known is None else []
    return shown(Call("format", (Literal(text), *holes))) if holes else text


def scope_of_parts(item: Mapping[str, Any], frame: Frame, target: str) -> Node:
    """Return the scope that a resource's scope, subscriptionId and resourceGroup come to."""
    for key in ("scope", "subscriptionId", "resourceGroup"):
        if get(item, key) is None:
            continue
        if key == "scope":
            return known_text(item, key, frame)
        return _place(item, frame)
    return Literal(target)


def _place(item: Mapping[str, Any], frame: Frame) -> Node:
    subscription: Node = Literal(frame.context.scope.subscription_id or "")
    if get(item, "subscriptionId") is not None:
        subscription = known_text(item, "subscriptionId", frame)
    if get(item, "resourceGroup") is None:
        return _formatted("/subscriptions/{0}", (subscription,))
    group = known_text(item, "resourceGroup", frame)
    return _formatted("/subscriptions/{0}/resourceGroups/{1}", (subscription, group))


def _formatted(pattern: str, parts: Sequence[Node]) -> Node:
    texts = [literal_text(part) for part in parts]
    if all(text is not None for text in texts):
        return Literal(pattern.format(*texts))
    return Call("format", (Literal(pattern), *parts))


def _names(name: Node) -> list[Node]:
    """Return a name segment by segment where they can be told apart. Pure."""
    text = literal_text(name)
    if text is not None:
        return [Literal(part) for part in text.split("/")]
    if isinstance(name, Call) and name.name.lower() == "format" and name.arguments:
        pattern = literal_text(name.arguments[0]) or ""
        if _HOLES.fullmatch(pattern):
            places = [int(part[1:-1]) for part in pattern.split("/")]
            if max(places) < len(name.arguments) - 1:
                return [name.arguments[1 + place] for place in places]
    return [name]
