"""How long a release may take, as the manifest says it: ``90m``, ``2h``."""

import re
from datetime import timedelta
from typing import Final

from shared.core.source.faults import Place, Problems, shown
from shared.core.source.nodes import read_text
from shared.core.source.yaml_text import Node, Scalar

SHORTEST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(hours=24)
_FORM = re.compile(r"([1-9][0-9]{0,3})([mh])", re.ASCII)
_UNITS: Final = {"m": 60, "h": 3600}
_HINT: Final = "Write a whole number of minutes or hours from 5m to 24h, as in 90m."


def parse_duration(text: str) -> timedelta | None:
    """Return how long a text says, or None when it says something else. Pure."""
    match = _FORM.fullmatch(text)
    return None if match is None else timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def read_timeout(node: Node, place: Place, problems: Problems) -> timedelta | None:
    """Return how long a release may take before it is canceled."""
    if isinstance(node, Scalar) and type(node.value) is int and node.tag is None:
        # Not "put it in quotes": the number would still say nothing without its unit.
        written: str | None = node.text
    else:
        written = read_text(node, place, problems)
    if written is None:
        return None
    found = parse_duration(written)
    if found is not None and SHORTEST <= found <= LONGEST:
        return found
    wrong = "says no time" if found is None else "is too short or too long"
    problems.append(place.problem("BadTimeout", f"The timeout {shown(written)} {wrong}.", _HINT))
    return None
