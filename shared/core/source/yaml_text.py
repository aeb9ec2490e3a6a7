"""Reads YAML into nodes that know their lines, without YAML's surprises.

PyYAML's own loader keeps the last of two equal keys, reads ``no`` as false and ``012`` as ten, and
builds whatever aliases multiply to. The manifest needs the opposite: nothing lost, nothing guessed.
So only libyaml's parser is used (events with marks); composing happens here, and
``yaml_words`` knows what a word without quotes means.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import yaml

from shared.core.problem import Problem
from shared.core.source.faults import Place, SourceError, shown
from shared.core.source.yaml_words import plain_value

MAX_DEPTH = 64
MAX_NODES = 20_000
_MERGE_KEY = "<<"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number, boolean or null.

    ``surprise`` explains a plain word that YAML readers disagree on, or that JSON cannot say;
    its value is then the text as written. ``tag`` is an explicit tag, which nobody may use.
    ``weight`` counts the nodes below with aliases written out, ``height`` the levels.
    """

    value: str | int | float | bool | None
    text: str
    line: int
    surprise: str | None = None
    tag: str | None = None
    weight: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    nodes: tuple["Node", ...]
    line: int
    tag: str | None = None
    weight: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping, with keys in written order; ``repeated`` holds every key that came again."""

    pairs: tuple[tuple["Scalar", "Node"], ...]
    line: int
    repeated: tuple[Scalar, ...] = ()
    tag: str | None = None
    weight: int = 1
    height: int = 1


Node = Scalar | Items | Entries


def kind_of(node: Node) -> str:
    """Return what a node is, in a user's words. Pure."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Entries):
        return "a mapping"
    names = {str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(node.value), "nothing")


def parse_yaml(text: str, file: str) -> Node | None:
    """Return the document's root, or None for an empty document. Pure.

    Raises SourceError for anything that is not one YAML document within the limits.
    """
    composer = _Composer(file)
    try:
        return composer.document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, text.count("\n")) + 1 if mark else None
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise SourceError([_not_yaml(file, line, what)]) from error
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise SourceError([_not_yaml(file, line, str(error.reason))]) from error


def _not_yaml(file: str, line: int | None, what: str) -> Problem:
    return Place(file, "", line).problem(
        "NotYaml",
        f"This is not YAML: {what}.",
        "Look at the line named here and the one before it: indentation, a missing colon or quote.",
    )


@dataclass(slots=True)
class _Composer:
    file: str
    anchors: dict[str, Node] = field(default_factory=dict)
    events: Iterator[yaml.Event] = field(default_factory=lambda: iter(()))

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        self.events = events
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self._error(
                        event,
                        "SeveralDocuments",
                        "There is more than one YAML document in this file.",
                        "Keep one, and remove the line ---.",
                    )
                root = self.node(next(events), 1)
        if isinstance(root, Scalar) and root.value is None and root.tag is None:
            return None
        return root

    def node(self, event: yaml.Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._too_deep(event)
        if isinstance(event, yaml.AliasEvent):
            node = self.alias(event)
            if depth + node.height - 1 > MAX_DEPTH:
                raise self._too_deep(event)
            return node
        if isinstance(event, yaml.SequenceStartEvent):
            node = self.items(event, depth)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self.entries(event, depth)
        else:  # a node begins with one of these four events
            node = _scalar(cast("yaml.ScalarEvent", event))
        if node.weight > MAX_NODES:
            raise self._error(
                event,
                "TooManyValues",
                f"With its aliases written out this file has more than {MAX_NODES} values.",
                "Use fewer aliases (*name), or move values into parameter files.",
            )
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def alias(self, event: yaml.AliasEvent) -> Node:
        name = event.anchor or ""
        node = self.anchors.get(name)
        if node is None:
            raise self._error(
                event,
                "AliasUnknown",
                f"The alias {shown('*' + name)} stands for nothing that is complete before it.",
                "Define it above with &name, outside of the value that uses it.",
            )
        return node

    def items(self, event: yaml.SequenceStartEvent, depth: int) -> Items:
        nodes: list[Node] = []
        while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
            nodes.append(self.node(inner, depth + 1))
        weight = 1 + sum(node.weight for node in nodes)
        height = 1 + max((node.height for node in nodes), default=0)
        return Items(tuple(nodes), _line(event), event.tag, weight, height)

    def entries(self, event: yaml.MappingStartEvent, depth: int) -> Entries:
        pairs: dict[str, tuple[Scalar, Node]] = {}
        merged: list[Node] = []
        repeated: list[Scalar] = []
        while not isinstance(inner := next(self.events), yaml.MappingEndEvent):
            key = self.node(inner, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if not isinstance(key, Scalar):
                raise self._error(
                    inner,
                    "KeyNotText",
                    f"A key of this mapping is {kind_of(key)}, not text.",
                    "Keys are names. Quote braces or brackets that belong to a name.",
                )
            if key.text == _MERGE_KEY and key.value == _MERGE_KEY:
                merged.append(value)
            elif key.text in pairs:
                repeated.append(key)
            else:
                pairs[key.text] = (key, value)
        for value in merged:
            for mapping in value.nodes if isinstance(value, Items) else (value,):
                self._merge(event, mapping, pairs)
        found = tuple(pairs.values())
        weight = 1 + sum(1 + value.weight for _, value in found)
        height = 1 + max((value.height for _, value in found), default=0)
        return Entries(found, _line(event), tuple(repeated), event.tag, weight, height)

    def _merge(
        self, event: yaml.Event, mapping: Node, pairs: dict[str, tuple[Scalar, Node]]
    ) -> None:
        if not isinstance(mapping, Entries):
            raise self._error(
                event,
                "WrongType",
                f"<< merges mappings, and this is {kind_of(mapping)}.",
                "Write <<: *name, where &name marks a mapping.",
            )
        for key, value in mapping.pairs:
            pairs.setdefault(key.text, (key, value))

    def _too_deep(self, event: yaml.Event) -> SourceError:
        return self._error(
            event,
            "TooDeep",
            f"Lists and mappings are nested more than {MAX_DEPTH} deep.",
            "Move the value into a parameter file, or make it flatter.",
        )

    def _error(self, event: yaml.Event, code: str, message: str, hint: str) -> SourceError:
        return Place(self.file, "", _line(event)).error(code, message, hint)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    text, line = str(event.value), _line(event)
    if event.tag is not None:
        return Scalar(text, text, line, tag=str(event.tag))
    if not event.implicit[0]:
        return Scalar(text, text, line)
    value, surprise = plain_value(text)
    return Scalar(value, text, line, surprise)
