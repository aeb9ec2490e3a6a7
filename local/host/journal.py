"""What the host says: one line per event on a stream, as text for people or as JSON lines.

Categories and levels are those of host.json's `logging.logLevel`; the longest matching prefix
counts, then `default`, then Information.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

NAMES = {5: "Trace", 10: "Debug", 20: "Information", 30: "Warning", 40: "Error", 50: "Critical"}


class Journal:
    """Writes events; safe to call from the event loop only."""

    def __init__(self, stream: TextIO, levels: Mapping[str, int], *, as_json: bool) -> None:
        self._stream = stream
        self._levels = dict(levels)
        self._as_json = as_json

    def threshold(self, category: str) -> int:
        """Return the lowest level that is shown for a category."""
        matching = [
            name for name in self._levels if category == name or category.startswith(f"{name}.")
        ]
        if matching:
            return self._levels[max(matching, key=len)]
        return self._levels.get("default", logging.INFO)

    def lowest(self) -> int:
        """Return the lowest level that any function category shows: what a worker must send."""
        functions = [
            level
            for name, level in self._levels.items()
            if name.startswith(("Function", "default"))
        ]
        return min([*functions, self.threshold("Function")])

    def write(self, category: str, level: int, message: str, **fields: object) -> None:
        """Write one event if its category is that talkative."""
        if level < self.threshold(category):
            return
        moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        name = NAMES.get(level, "Information")
        given = {key: value for key, value in fields.items() if value is not None}
        if self._as_json:
            head = {"time": moment, "level": name, "category": category, "message": message}
            line = json.dumps({**head, **given}, default=str)
        else:
            trace = given.pop("trace", None)
            tail = "".join(f" {key}={value}" for key, value in given.items())
            line = f"{moment} {name:<11} {category}: {message}{tail}"
            line += f"\n{trace}".rstrip() if trace else ""
        self._stream.write(line + "\n")
        self._stream.flush()
