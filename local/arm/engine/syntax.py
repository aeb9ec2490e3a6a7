"""The shape of an ARM expression after parsing."""

import re
from dataclasses import dataclass

_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


@dataclass(frozen=True, slots=True)
class Literal:
    """A quoted string or an integer."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; `name` keeps its casing and, for user functions, its namespace."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Access:
    """A property or an element of something: `.name`, `['name']`, `[0]`."""

    base: "Node"
    key: "Node"


Node = Literal | Call | Access


def literal_text(node: Node) -> str | None:
    """Return the text of a string literal, None for anything else."""
    return node.value if isinstance(node, Literal) and isinstance(node.value, str) else None


def write(node: Node) -> str:
    """Return the source text of a node, without the enclosing brackets."""
    match node:
        case Literal(value=str() as text):
            quoted = text.replace("'", "''")
            return f"'{quoted}'"
        case Literal(value=number):
            return str(number)
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(write(argument) for argument in arguments)})"
        case Access(base=base, key=Literal(value=str() as name)) if _IDENTIFIER.fullmatch(name):
            return f"{write(base)}.{name}"
        case Access(base=base, key=key):
            return f"{write(base)}[{write(key)}]"
