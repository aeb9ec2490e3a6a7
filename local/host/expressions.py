"""Binding expressions: `%SETTING%` when the host starts, `{name}` when a function runs."""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

_SETTING = re.compile(r"%([^%]+)%")
_NAME = re.compile(r"\{([^{}]+)\}")
LONGEST_BODY = 1024 * 1024
"""Characters; a longer body is not read for names. Queue messages are far below this."""


class ExpressionError(ValueError):
    """A name without a value."""


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Replace every `%NAME%` by the setting; raises ExpressionError for one that is not set."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise ExpressionError(f"%{match[1]}% refers to a setting that is not there")
        return settings[match[1]]

    return _SETTING.sub(value, text)


def fill(text: str, data: Mapping[str, Any]) -> str:
    """Replace every `{name}` by the trigger's data, case-insensitively; dots reach into objects.

    `{rand-guid}` and `{DateTime}` need no data. Raises ExpressionError for an unknown name.
    """
    return _NAME.sub(lambda match: _value(match[1], data), text)


def has_names(text: str) -> bool:
    """Tell whether an expression is only known when the function runs. Pure."""
    return _NAME.search(text) is not None


_BUILT_IN: dict[str, Callable[[], str]] = {
    "rand-guid": lambda: str(uuid.uuid4()),
    "datetime": lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ"),
}


def _value(name: str, data: Mapping[str, Any]) -> str:
    if name.lower() in _BUILT_IN:
        return _BUILT_IN[name.lower()]()
    current: Any = data
    for part in name.split("."):
        if not isinstance(current, Mapping):
            raise ExpressionError(f"no value for the named parameter {name!r}")
        folded = {str(key).lower(): value for key, value in current.items()}
        if part.lower() not in folded:
            raise ExpressionError(f"no value for the named parameter {name!r}")
        current = folded[part.lower()]
    if isinstance(current, str):
        return current
    try:
        return json.dumps(current) if isinstance(current, dict | list) else str(current)
    except (ValueError, RecursionError):  # a number of thousands of digits, or nested too deep
        raise ExpressionError(f"the value of {name!r} cannot be written as text") from None


def json_properties(body: str) -> dict[str, Any]:
    """Return the properties of a JSON object, {} for any other or a longer text. Pure."""
    if len(body) > LONGEST_BODY or not body.lstrip().startswith("{"):
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):  # nobody has looked at this text yet: it may be hostile
        return {}
    return document if isinstance(document, dict) else {}
