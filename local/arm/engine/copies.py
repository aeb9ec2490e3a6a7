"""Resource copy loops: how many turns, and in which order they run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.arm.engine.errors import ExpressionError
from local.arm.engine.expansion import copy_count, settle
from local.arm.engine.frame import Frame
from local.arm.engine.values import get

_COPY_HELP = "Please see https://aka.ms/arm-copy for usage details."


@dataclass(frozen=True)
class Loop:
    """A resource's `copy`; `batch_size` None means all at once."""

    name: str
    count: int
    batch_size: int | None


def read_loop(resource: Mapping[str, Any], frame: Frame) -> Loop | None:
    """Return the resource's copy loop, None when it has none. Raises ExpressionError."""
    copy = get(resource, "copy")
    if copy is None:
        return None
    if not isinstance(copy, Mapping):
        raise ExpressionError(f"The 'copy' of a resource must be an object. {_COPY_HELP}")
    name = settle(get(copy, "name"), frame)
    if not isinstance(name, str) or not name:
        raise ExpressionError(f"The 'copy' of a resource must have a 'name'. {_COPY_HELP}")
    count = copy_count(get(copy, "count"), frame, name)
    return Loop(name, count, _batch_size(copy, name, frame))


def _batch_size(copy: Mapping[str, Any], name: str, frame: Frame) -> int | None:
    mode = settle(get(copy, "mode", "parallel"), frame)
    size = settle(get(copy, "batchSize"), frame)
    if not isinstance(mode, str) or mode.lower() not in ("serial", "parallel"):
        raise ExpressionError(
            f"The mode '{mode}' of the copy definition '{name}' must be 'Serial' or 'Parallel'. "
            f"{_COPY_HELP}"
        )
    if mode.lower() == "parallel":
        return None
    if size is None:
        return 1
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ExpressionError(
            f"The 'batchSize' of the copy definition '{name}' must be a positive integer. "
            f"{_COPY_HELP}"
        )
    return size


def waits_for(index: int, batch_size: int | None) -> range:
    """Return the turns that turn `index` waits for: all of the batch before its own. Pure."""
    if batch_size is None:
        return range(0)
    batch = index // batch_size
    return range(max(batch - 1, 0) * batch_size, batch * batch_size)
