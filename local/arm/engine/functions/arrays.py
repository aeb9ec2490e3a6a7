"""Functions of arrays, and of what is both a sequence and a string."""

from collections.abc import Mapping
from typing import Any

from local.arm.engine.functions.signature import fail, function, table
from local.arm.engine.limits import MAX_RANGE
from local.arm.engine.values import equal, find_key, identity, to_text, type_name

_MAX_RANGE_END = 2**31 - 1


def array(value: Any) -> list[Any]:
    """Return the value itself when it is an array, else an array that holds it."""
    return value if isinstance(value, list) else [value]


def concat(*values: Any) -> Any:
    """Join arrays to an array, anything else to a string."""
    if not any(isinstance(value, list) for value in values):
        return "".join(to_text(value) for value in values)
    if all(isinstance(value, list) for value in values):
        return [item for value in values for item in value]
    raise fail("concat", "the arguments must all be arrays, or all be strings.")


def contains(container: Any, item: Any) -> bool:
    """Tell whether an array holds an item, an object a key (any casing), a string a part."""
    if isinstance(container, list):
        return any(equal(entry, item) for entry in container)
    if isinstance(container, Mapping):
        return find_key(container, to_text(item)) is not None
    return to_text(item) in container


def empty(value: Any) -> bool:
    """Tell whether there is nothing in a value."""
    return value is None or len(value) == 0


def first(value: Any) -> Any:
    """Return the first element or character."""
    return value[0] if len(value) else _nothing(value)


def last(value: Any) -> Any:
    """Return the last element or character."""
    return value[-1] if len(value) else _nothing(value)


def flatten(arrays: list[Any]) -> list[Any]:
    """Return the elements of arrays in an array."""
    if not all(isinstance(item, list) for item in arrays):
        raise fail("flatten", "every element must be an array.")
    return [item for inner in arrays for item in inner]


def distinct(items: list[Any]) -> list[Any]:
    """Return the elements without repetition, first positions kept."""
    return list({identity(item): item for item in items}.values())


def index_of(container: Any, item: Any) -> int:
    """Return the first position: of equal elements, or of text in any casing."""
    if isinstance(container, list):
        return next((at for at, entry in enumerate(container) if equal(entry, item)), -1)
    return int(container.lower().find(to_text(item).lower()))


def last_index_of(container: Any, item: Any) -> int:
    """Return the last position: of equal elements, or of text in any casing."""
    if isinstance(container, list):
        found = index_of(container[::-1], item)
        return -1 if found < 0 else len(container) - 1 - found
    return int(container.lower().rfind(to_text(item).lower()))


def length(value: Any) -> int:
    """Return the count of elements, keys or characters."""
    return len(value)


def range_of(start: int, count: int) -> list[int]:
    """Return `count` integers from `start`."""
    if not 0 <= count <= MAX_RANGE:
        raise fail("range", f"the count '{count}' must be from 0 to '{MAX_RANGE}'.")
    if start + count > _MAX_RANGE_END:
        raise fail("range", f"the sum of start and count must not exceed '{_MAX_RANGE_END}'.")
    return list(range(start, start + count))


def skip(value: Any, count: int) -> Any:
    """Return what follows the first `count` elements or characters."""
    return value[max(count, 0) :]


def take(value: Any, count: int) -> Any:
    """Return the first `count` elements or characters."""
    return value[: max(count, 0)]


def index_from_end(items: list[Any], index: int) -> Any:
    """Return the element at a position that counts from 1 at the end."""
    if 1 <= index <= len(items):
        return items[-index]
    raise fail("indexFromEnd", f"the index '{index}' is out of bounds of '{len(items)}' elements.")


def try_index_from_end(items: Any, index: int) -> Any:
    """Return the element at a position from the end, null when there is none."""
    if not isinstance(items, list) or not 1 <= index <= len(items):
        return None
    return items[-index]


def smallest(*values: Any) -> int:
    """Return the least of the integers, given one by one or in an array."""
    return min(_integers("min", values))


def greatest(*values: Any) -> int:
    """Return the greatest of the integers, given one by one or in an array."""
    return max(_integers("max", values))


def _nothing(value: Any) -> str | None:
    return "" if isinstance(value, str) else None


def _integers(name: str, values: tuple[Any, ...]) -> list[int]:
    numbers = list(values[0]) if len(values) == 1 and isinstance(values[0], list) else list(values)
    if not numbers:
        raise fail(name, "there must be at least one integer.")
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int):
            raise fail(name, f"every value must be an integer, not '{type_name(number)}'.")
    return numbers


FUNCTIONS = table(
    function("array(any)", array),
    function("concat(any, any...)", concat, deep=True),
    function("contains(string|array|object, any)", contains, deep=True),
    function("createArray(any...)", lambda *items: list(items)),
    function("distinct(array)", distinct, deep=True),
    function("empty(string|array|object|null)", empty),
    function("first(array|string)", first),
    function("flatten(array)", flatten),
    function("indexFromEnd(array, int)", index_from_end),
    function("indexOf(string|array, any)", index_of, deep=True),
    function("last(array|string)", last),
    function("lastIndexOf(string|array, any)", last_index_of, deep=True),
    function("length(string|array|object)", length),
    function("max(int|array, int...)", greatest),
    function("min(int|array, int...)", smallest),
    function("range(int, int)", range_of),
    function("skip(array|string, int)", skip),
    function("take(array|string, int)", take),
    function("tryIndexFromEnd(any, int)", try_index_from_end),
)
