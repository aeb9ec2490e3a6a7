"""Where a template stands in the document that the user wrote, for errors that name the place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.arm.engine.documents import place_of
from local.arm.engine.errors import ExpressionError
from local.arm.engine.places import Place, join_path, join_paths


@dataclass(frozen=True)
class Source:
    """A template inside a document: nested templates keep the outermost document as `root`."""

    root: Any
    prefix: str = ""

    def below(self, path: str) -> "Source":
        """Return the source of a template nested at a path."""
        return Source(self.root, self.full(path))

    def full(self, path: str) -> str:
        """Return a path of this template as a path of the document."""
        return join_paths(self.prefix, path)

    def place(self, path: str) -> Place:
        """Return line, position and full path of a path of this template."""
        return place_of(self.root, self.full(path))


def path_of(base: str, error: ExpressionError) -> str:
    """Return the path of an error that travelled up to `base`. Pure."""
    path = base
    for step in error.trail:
        path = join_path(path, step)
    return path


def strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield (text, path) of every string and key in JSON."""
    if isinstance(value, str):
        yield value, path
    elif isinstance(value, dict | Mapping):
        for key, item in value.items():
            below = join_path(path, key)
            yield key, below
            yield from strings(item, below)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, join_path(path, index))
