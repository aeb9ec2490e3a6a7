"""Parts of the process that are made when they are first asked for."""

from collections.abc import Callable
from threading import RLock
from typing import Any, Final, Generic, Self, TypeVar, overload

T = TypeVar("T")

BUILDING: Final = RLock()
"""Held while anything is made; whoever makes something may ask for other parts."""


class made(Generic[T]):  # noqa: N801 — used as a decorator, like property
    """A part that is made when it is first asked for, one at a time in the whole process.

    The first events of a cold worker come at once, in several threads. Two threads that import parts
    of one SDK at the same time meet in its circular imports, and one of them finds half a module.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        """Remember under which name the part is kept; from then on that is what is found."""
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        """Make the part, unless another thread just did."""
        if instance is None:
            return self
        kept = vars(instance)
        with BUILDING:
            if self._name not in kept:
                kept[self._name] = self._make(instance)
        part: T = kept[self._name]
        return part
