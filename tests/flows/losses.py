"""Ways in which storage loses what was in it."""

from shared.core import names
from tests.flows.world import World


def lose(world: World, *prefixes: str) -> None:
    """Delete what is in ``state`` below the prefixes; without any, all but the configuration."""
    for found in list(world.documents.list("")):
        if found.name != names.CONFIGURATION and found.name.startswith(prefixes or ""):
            world.documents.delete(found.name)


def lose_history(world: World, *prefixes: str) -> None:
    """Delete what is in ``history`` below the prefixes, which the port itself cannot do."""
    for name in world.kept():
        if name.startswith(prefixes):
            world.history.forget(name)


def spoil(world: World, name: str, data: bytes = b"{") -> None:
    """Let a document's bytes rot; what a listing shows of it stays."""
    (found,) = [f for f in world.documents.list(name) if f.name == name]
    world.documents.overwrite(name, data, found.facts)
