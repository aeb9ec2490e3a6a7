"""What stacks inherit from ``defaults`` of the manifest."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.core.source.durations import read_timeout
from shared.core.source.faults import Place, Problems
from shared.core.source.fields import read_location, read_scope
from shared.core.source.nodes import read_mapping, read_members
from shared.core.source.policy import read_adopt, read_drift, read_prune
from shared.core.source.yaml_text import Node

Reader = Callable[[Node, Place, Problems], Any]
DEFAULT_READERS: Mapping[str, Reader] = {
    "scope": read_scope,
    "createResourceGroup": read_location,
    "timeout": read_timeout,
    "drift": read_drift,
    "adopt": read_adopt,
    "prune": read_prune,
}


class Inherited:
    """What stacks inherit; a default that is wrong breaks only those that would use it."""

    def __init__(self, node: Node | None, place: Place, problems: Problems) -> None:
        self.values: dict[str, Any] = {}
        self.broken: set[str] = set()
        if node is None:
            return
        here = Place(place.file, place.path, node.line)
        entries = read_mapping(node, here, problems)
        if entries is None:
            self.broken.update(DEFAULT_READERS)
            return
        for name, each in read_members(entries, DEFAULT_READERS, here, problems).items():
            value = DEFAULT_READERS[name](each, here.key(name, each.line), problems)
            if value is None:
                self.broken.add(name)
            self.values[name] = value
        self.broken.update(key.text for key in entries.repeated if key.text in DEFAULT_READERS)

    def get(self, name: str, place: Place, problems: Problems) -> Any:
        """Return a default, None when there is none; one that is wrong is noted at ``place``."""
        if name not in self.broken:
            return self.values.get(name)
        problems.append(
            place.problem(
                "DefaultInvalid",
                f"The stack takes {name} from defaults, where it is wrong.",
                f"Mend defaults.{name}, or write {name} on the stack itself.",
            )
        )
        return None
