"""Tells which values a reader of the repository knows: a secret in disguise is one in Git.

An expression that gives the same every time is a literal, whatever functions it is written with.
"""

from typing import Any, Final

from shared.core.source.arm_json import Json, fold, is_expression
from shared.core.source.declarations import declared
from shared.core.source.evaluation import Frame, frame_of
from shared.core.source.expression import Call
from shared.core.source.functions import OF_SCOPE
from shared.core.source.known import HOLE, UNKNOWN, Scope

MAX_LOOKS: Final = 400_000
"""Values that are looked at for one template; variables in variables can multiply to any number."""
_SOMEWHERE = Scope(HOLE, HOLE)
_FIXED: Final = "(a value that is always the same)"
_FROM_OUTSIDE: Final = frozenset(
    {
        *OF_SCOPE,
        *("parameters", "variables", "lambdavariables", "copyindex", "newguid", "utcnow"),
        *("deployment", "deployer", "environment", "tenant", "managementgroup"),
        *("managementgroupresourceid", "providers", "pickzones", "getsecret", "externalinput"),
        *("reference", "references"),
    }
)
"""Functions whose results do not follow from their arguments; all that begin with ``list`` too."""


class TooManyValuesError(Exception):
    """The values multiply to more than anybody needs."""


class Looks:
    """Counts the values that are looked at; raises TooManyValuesError when they are too many."""

    def __init__(self) -> None:
        self.left = MAX_LOOKS

    def at(self, value: Any) -> Any:
        """Return the value, counted."""
        self.left -= 1
        if self.left < 0:
            raise TooManyValuesError
        return value


class Disclosure(Frame):
    """What Git alone tells of values: the frame of a template that is deployed anywhere.

    A function that cannot be told here, of arguments that are, gives a stand-in that is known.
    """

    looks: Looks

    def value(self, written: Any, depth: int = 0) -> Any:
        """See Frame; what loops make is as known as what they repeat."""
        self.looks.at(written)
        if isinstance(written, dict):
            return {
                key: self.value(_repeated(each) if fold(key) == "copy" else each, depth + 1)
                for key, each in written.items()
            }
        if isinstance(written, str) and not is_expression(written):
            return written.replace(HOLE, " ")
        return super().value(written, depth)

    def gives_away(self, value: Any) -> bool:
        """Tell whether an evaluated value, or any part of it, is known and not empty."""
        self.looks.at(value)
        if isinstance(value, dict):
            return any(self.gives_away(each) for each in value.values())
        if isinstance(value, list):
            return any(self.gives_away(each) for each in value)
        return value is not None and value != "" and self._is_known(value)

    def _is_known(self, value: Any) -> bool:
        self.looks.at(value)
        if isinstance(value, dict):
            return all(self._is_known(each) for each in value.values())
        if isinstance(value, list):
            return all(self._is_known(each) for each in value)
        return value is not UNKNOWN and not (isinstance(value, str) and HOLE in value)

    def _call(self, tree: Call, arguments: list[Any], depth: int) -> Any:
        found = super()._call(tree, arguments, depth)
        outside = tree.name in _FROM_OUTSIDE or tree.name.startswith("list")
        if found is UNKNOWN and not outside and all(self._is_known(each) for each in arguments):
            return _FIXED
        return found

    def _picked(self, of: Any, key: Any) -> Any:
        return of if of == _FIXED else super()._picked(of, key)


def disclosure_of(template: Json, given: dict[str, Any] | None, looks: Looks) -> Disclosure:
    """Return what Git tells of values in a template; of its secure parameters it tells nothing here.

    ``given`` is None where parameters do not count: what is declared as plain is said to be no
    secret. What Git says of secure ones is found where it says it.
    """
    frame = frame_of(template, _SOMEWHERE, given or {})
    parameters = declared(template)
    hidden = {name: UNKNOWN for name, each in parameters.items() if given is None or each.secure}
    found = Disclosure(frame.scope, {**frame.given, **hidden}, frame.defaults, frame.variables)
    found.looks = looks
    return found


def _repeated(loops: Any) -> Any:
    if not isinstance(loops, list):
        return loops
    return [
        [each for key, each in loop.items() if fold(key) == "input"]
        for loop in loops
        if isinstance(loop, dict)
    ]
