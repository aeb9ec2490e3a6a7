"""Values as people may see them: secrets named and not shown, large ones cut. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from shared.core.document import canonical
from shared.core.drift.differences import MISSING
from shared.core.drift.model import ABSENT, SECRET
from shared.core.redaction import PREFIX, STARS

HIDDEN: Final = "(secret)"
MOST_BYTES: Final = 2_000


def is_secret(value: Any) -> bool:
    """Tell whether a value stands for a secret."""
    return isinstance(value, str) and (value.startswith(PREFIX) or _is_starred(value))


def _is_starred(value: str) -> bool:
    return len(value) >= len(STARS) and set(value) == {"*"}


def key_ids(value: Any) -> frozenset[str]:
    """Return which keys the digests of secrets in a value were made with."""
    if isinstance(value, Mapping):
        return frozenset().union(*map(key_ids, value.values()))
    if isinstance(value, list | tuple):
        return frozenset().union(*map(key_ids, value))
    if isinstance(value, str) and value.startswith(PREFIX):
        return frozenset({value[len(PREFIX) :].rpartition(":")[0]})
    return frozenset()


def shown(value: Any) -> Any:
    """Return a value without what stands for secrets, ABSENT for what is not there."""
    if value is MISSING:
        return ABSENT
    plain = _without_secrets(value)
    size = len(canonical(plain))
    return plain if size <= MOST_BYTES else f"({size} bytes)"


def changed(before: Any, after: Any) -> Any:
    """Return what is shown as there now: of a secret that it changed, and nothing else."""
    if is_secret(after) or (is_secret(before) and after is not MISSING):
        return SECRET
    return shown(after)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_secrets(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(each) for each in value]
    return HIDDEN if is_secret(value) else value
