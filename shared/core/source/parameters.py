"""Merges what a stack says about its parameters, and holds it against what the template declares.

The rules that ARM has no way to know live here: secrets do not belong in Git, and a default that
changes by itself makes a stack that is never quiet.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from shared.core.problem import Problem
from shared.core.source.arm_json import (
    fold,
    is_expression,
    member,
    member_key,
)
from shared.core.source.declarations import (
    Declared,
    declared,
    type_fault,
    written_secret,
)
from shared.core.source.disclosure import Disclosure, TooManyValuesError
from shared.core.source.evaluation import UNKNOWN
from shared.core.source.expression import called_functions
from shared.core.source.faults import (
    MAX_PROBLEMS,
    Place,
    Problems,
    SourceError,
    choices_hint,
    shown,
)
from shared.core.source.files import Files
from shared.core.source.json_file import JsonFile
from shared.core.source.parameter_file import check_reference, entries_of, looks_like_reference
from shared.core.source.sites import Site, sites
from shared.core.source.spec import StackSpec
from shared.core.source.template import Template

_RESTLESS = frozenset({"utcnow", "newguid"})
_HOW_TO_MEND = (
    "Put the secret into a Key Vault and write "
    '{"reference": {"keyVault": {"id": ...}, "secretName": ...}}. What was committed is in '
    "Git's history: change the secret."
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a stack says for one parameter: ``entry`` is {"value": ...} or {"reference": ...}.

    It is empty for a value that is taken from another stack when this one is released.
    """

    name: str
    entry: Mapping[str, Any]
    place: Place

    @property
    def is_taken(self) -> bool:
        """Whether the value is another stack's output."""
        return not self.entry


def given_parameters(files: Files, spec: StackSpec) -> dict[str, Given]:
    """Return the merged parameters by name in lower case: later files win, ``values`` last of all.

    Raises SourceError with what is wrong in any of the files and values.
    """
    problems: Problems = []
    given: dict[str, Given] = {}
    for index, path in enumerate(spec.parameters):
        try:
            file = JsonFile(path, files.read(path, spec.place(f"parameters[{index}]")))
            entries = entries_of(file)
        except SourceError as error:
            problems.extend(error.problems)
            continue
        key = member_key(file.value, "parameters")
        for name, entry in entries.items():
            given[fold(name)] = Given(name, entry, file.place(f"{key}.{name}"))
    for name, value in spec.values.items():
        place = spec.value_place(name)
        if looks_like_reference(value):
            reference = member(value, "reference")
            check_reference(reference, place, problems)
            given[fold(name)] = Given(name, {"reference": reference}, place)
        else:
            given[fold(name)] = Given(name, {"value": value}, place)
    values = {fold(name) for name in spec.values}
    for name in spec.values_from:
        place = spec.value_place(name, "valuesFrom")
        if fold(name) in values:
            problems.append(
                place.problem(
                    "ValueTwice",
                    f"The parameter {shown(name)} has a value and takes one from another stack.",
                    "Keep it under values or under valuesFrom.",
                )
            )
        given[fold(name)] = Given(name, {}, place)
    if problems:
        raise SourceError(problems)
    return given


def check_parameters(template: Template, given: Mapping[str, Given]) -> tuple[Problem, ...]:
    """Return what is wrong with the parameters of the template and of those nested in it. Pure."""
    found: Problems = []
    try:
        found.extend(islice(_parameter_problems(template, given), MAX_PROBLEMS))
    except TooManyValuesError:
        found.append(
            template.file.place("parameters").problem(
                "TooManyValues",
                "Variables and values multiply to more than can be looked at for secrets.",
                "Use fewer variables that hold other variables.",
            )
        )
    return tuple(found)


def _parameter_problems(template: Template, given: Mapping[str, Given]) -> Iterator[Problem]:
    known = declared(template.content)
    names = [each.name for each in known.values()]
    for lower, each in given.items():
        if lower in known:
            yield from _value_problems(known[lower], each)
        else:
            yield each.place.problem(
                "ParameterUnknown",
                f"The template declares no parameter {shown(each.name)}.",
                choices_hint(each.name, names, "The template declares no parameters."),
            )
    for lower, parameter in known.items():
        if lower not in given and not parameter.has_default and not parameter.nullable:
            yield _missing(template.file, parameter)
    for site in sites(template, _values(given)):
        yield from _secrets_at(site)


def restless_defaults(template: Template, given: Mapping[str, Given]) -> tuple[Problem, ...]:
    """Return a warning for each default that is in use and changes by itself. Pure."""
    found = (
        site.place(parameter, "defaultValue").problem(
            "NeverQuiet",
            f"The default of {shown(parameter.name)} calls {' and '.join(sorted(calls))}, so ARM "
            "gets something else every time: such a stack is never quiet.",
            "Give the parameter a fixed value, or derive it with uniqueString or guid.",
        )
        for site in sites(template, _values(given))
        for parameter in site.parameters.values()
        if site.own
        if fold(parameter.name) not in site.given
        if (calls := _restless_calls(parameter.default))
    )
    return tuple(islice(found, MAX_PROBLEMS))


def exposed_secrets(template: Template, given: Mapping[str, Given]) -> tuple[Problem, ...]:
    """Return a warning for each Key Vault secret that goes into a parameter that is not secure. Pure."""
    known = declared(template.content)
    return tuple(
        each.place.problem(
            "SecretNotSecure",
            f"The secret for {shown(each.name)} goes into a parameter of type {known[lower].type}, "
            "which everybody sees who may read the deployment.",
            "Declare the parameter as securestring or secureObject.",
        )
        for lower, each in given.items()
        if "reference" in each.entry and not known[lower].secure
    )


def _values(given: Mapping[str, Given]) -> dict[str, Any]:
    return {name: each.entry.get("value", UNKNOWN) for name, each in given.items()}


def _restless_calls(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_restless_calls(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(_restless_calls(each) for each in value))
    if not is_expression(value):
        return set()
    names = {"utcnow": "utcNow()", "newguid": "newGuid()"}
    return {names[each] for each in called_functions(value) & _RESTLESS}


def _missing(file: JsonFile, parameter: Declared) -> Problem:
    return file.place(f"parameters.{parameter.name}").problem(
        "ParameterMissing",
        f"The parameter {shown(parameter.name)} has no default and no value.",
        f"Write it under values: in the manifest ({parameter.name}: ...), or in a parameter file.",
    )


def _value_problems(parameter: Declared, given: Given) -> Iterator[Problem]:
    if "reference" in given.entry or given.is_taken:
        return
    value = given.entry["value"]
    secret = written_secret(parameter, value, _holds_anything)
    wanted = type_fault(parameter, value)
    if secret is not None:
        yield _secret(given.place, f"{parameter.name}{secret}", "a value")
    elif wanted is not None:
        yield given.place.problem(
            "ParameterType",
            f"The parameter {shown(parameter.name)} must be {wanted} "
            f"(type {parameter.type or 'unknown'}), and it is {_kind(value)}.",
            "Write it without quotes for numbers and booleans, and in quotes for text.",
        )


def _holds_anything(value: Any) -> bool:
    """Tell whether a value that nobody evaluates says anything. Pure."""
    if isinstance(value, dict):
        return any(_holds_anything(each) for each in value.values())
    if isinstance(value, list):
        return any(_holds_anything(each) for each in value)
    return value is not None and value != ""


def _kind(value: Any) -> str:
    kinds = {
        str: "text",
        bool: "a boolean",
        int: "a whole number",
        float: "a number with a fraction",
        list: "a list",
        dict: "an object",
    }
    return kinds.get(type(value), "null")


def _secret(place: Place, name: str, what: str) -> Problem:
    return place.problem(
        "SecretInGit",
        f"{shown(name)} is a secure parameter, and {what} for it is written in Git.",
        _HOW_TO_MEND,
    )


def _secrets_at(site: Site) -> Iterator[Problem]:
    for lower, parameter in site.parameters.items():
        if _disclosed(parameter, parameter.default, site.inside) is not None:
            yield _secret(site.place(parameter, "defaultValue"), parameter.name, "a default")
        entry = site.given.get(lower)
        value = member(entry, "value") if isinstance(entry, dict) else None
        secret = _disclosed(parameter, value, site.outside)
        if secret is not None and site.given_at is not None:
            at = site.given_at
            place = Place(at.file, f"{at.path}.{parameter.name}", at.line)
            yield _secret(place, f"{parameter.name}{secret}", "a value")


def _disclosed(
    parameter: Declared, written: Any, frames: tuple[Disclosure, Disclosure]
) -> str | None:
    """Return where inside of a written value Git tells a secret, or None.

    A plain parameter's value is no secret by its declaration, so an object may have it beside real
    ones; alone for a secure text it is what should be secret.
    """
    if not parameter.may_hold_secrets:
        return None
    frame = frames[0] if parameter.type == "securestring" else frames[1]
    return written_secret(parameter, frame.value(written), frame.gives_away)
