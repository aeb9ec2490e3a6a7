"""The templates that declare parameters, and what each gets for them: the root and the nested ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.source.arm_json import Json, fold, may_deploy, member, resources_of
from shared.core.source.declarations import Declared, declared
from shared.core.source.disclosure import Disclosure, Looks, disclosure_of
from shared.core.source.evaluation import given_to
from shared.core.source.faults import Place
from shared.core.source.json_file import JsonFile
from shared.core.source.template import Template


@dataclass(frozen=True, slots=True)
class Site:
    """A template that declares parameters, and what it gets for them: the root, or a nested one.

    ``given`` has the entries by name in lower case; those of the root are looked at elsewhere and
    None here. ``given_at`` is where a nested one gets them; None for the root.
    ``own`` is False where the parent's parameters count instead. ``inside`` and ``outside`` tell
    what Git says of values in it and of those that it is given, each with and without parameters.
    """

    file: JsonFile
    path: str
    parameters: Mapping[str, Declared]
    given: Mapping[str, Any]
    given_at: Place | None
    own: bool
    inside: tuple[Disclosure, Disclosure]
    outside: tuple[Disclosure, Disclosure]

    def place(self, parameter: Declared, last: str) -> Place:
        """Return the place of one word of a parameter's declaration. Pure."""
        start = f"{self.path}." if self.path else ""
        return self.file.place(f"{start}parameters.{parameter.name}.{last}")


def sites(template: Template, values: dict[str, Any]) -> Iterator[Site]:
    """Yield the template and all nested in it; ``values`` are the root's, by name in lower case. Pure."""
    root, looks = template.content, Looks()
    frames = (disclosure_of(root, values, looks), disclosure_of(root, None, looks))
    yield Site(
        template.file,
        "",
        declared(root),
        dict.fromkeys(values),
        None,
        own=True,
        inside=frames,
        outside=frames,
    )
    yield from _nested_sites(template, root, template.file, "", frames)


def _nested_sites(
    template: Template,
    holder: Json,
    file: JsonFile,
    path: str,
    frames: tuple[Disclosure, Disclosure],
) -> Iterator[Site]:
    for at, resource in resources_of(holder, path):
        yield from _nested_sites(template, resource, file, at, frames)
        properties = member(resource, "properties") if may_deploy(resource) else None
        nested = member(properties, "template") if isinstance(properties, dict) else None
        if not isinstance(properties, dict) or not isinstance(nested, dict):
            continue
        origin = template.origins.get(id(nested))
        within, start = (origin, "") if origin else (file, f"{at}.properties.template")
        options = member(properties, "expressionEvaluationOptions")
        scope = member(options, "scope") if isinstance(options, dict) else None
        own = isinstance(scope, str) and fold(scope) == "inner"
        known, looks = frames[0], frames[0].looks
        inside = frames
        if own:
            passed = given_to(properties, known)
            inside = (disclosure_of(nested, passed, looks), disclosure_of(nested, None, looks))
        given = member(properties, "parameters")
        entries = given.items() if isinstance(given, dict) else ()
        yield Site(
            within,
            start,
            declared(nested),
            {fold(name): each for name, each in entries},
            file.place(f"{at}.properties.parameters"),
            own,
            inside,
            frames,
        )
        yield from _nested_sites(template, nested, within, start, inside)
