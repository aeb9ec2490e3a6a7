"""Linked templates and parameters, put in place before a template is planned.

The engine knows whole templates only. So what `templateLink` and `parametersLink` name, at the root
and in deployments inside deployments, is fetched first. A link may be an expression: it is worked
out by planning a template that has the surroundings of the link and the link as its output.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.arm import engine, ids
from local.arm.cloud import Cloud
from local.arm.deploy import secrets, surroundings
from local.arm.deploy.ask import Ask, submission_of
from local.arm.deploy.download import Base, Library
from local.arm.deploy.reading import check_size, parameters_of
from local.arm.engine import Context, TemplateError
from local.arm.engine.values import get
from local.arm.errors import ArmError

_DEEPEST = 20
_SECTIONS = ("languageVersion", "parameters", "variables", "functions", "definitions")
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
_ANYTHING = {"type": "object"}


async def fetch(cloud: Cloud, ask: Ask) -> None:
    """Fill in what a deployment links to; raises InvalidContentLink, InvalidTemplate."""
    if ask.template and "parametersLink" not in ask.extra and not _has_links(ask.template):
        return
    ask.heavy = True
    await asyncio.to_thread(_fill, cloud, ask)


def _fill(cloud: Cloud, ask: Ask) -> None:
    library = Library(cloud)
    base: Base | None = None
    extra = dict(ask.extra)
    if "templateLink" in extra:
        document = library.template(extra["templateLink"], None)
        check_size("template", document.content)
        ask.template, base = document.content, document.base
        extra["templateLink"] = document.link
    if "parametersLink" in extra:
        ask.parameters = parameters_of(library.parameters(extra["parametersLink"]))
    ask.extra = extra
    if not _has_links(ask.template):
        return
    context = surroundings.context(
        cloud,
        (ask.scope, ask.name, ask.location),
        ask.caller,
        submission_of(cloud, ask),
        extra.get("templateLink"),
    )
    ground = _Ground(ask.template, ask.parameters, context, base, 0)
    filled = _Filling(cloud, library).template(ask.template, ground)
    ask.written, ask.template = ask.template, filled


def _is_deployment(resource: Any) -> bool:
    kind = get(resource, "type") if isinstance(resource, Mapping) else None
    return isinstance(kind, str) and kind.lower() == ids.DEPLOYMENT_TYPE.lower()


def _resources(template: Mapping[str, Any]) -> list[Any]:
    found = get(template, "resources")
    if isinstance(found, Mapping):
        return list(found.values())
    return found if isinstance(found, list) else []


def _has_links(template: Mapping[str, Any]) -> bool:
    """Return whether a template, or a deployment in it, links to something. Pure."""
    waiting = [template]
    while waiting:
        for resource in _resources(waiting.pop()):
            properties = get(resource, "properties") if _is_deployment(resource) else None
            if not isinstance(properties, Mapping):
                continue
            if get(properties, "templateLink") or get(properties, "parametersLink"):
                return True
            inner = get(properties, "template")
            if isinstance(inner, Mapping):
                waiting.append(inner)
    return False


@dataclass(frozen=True)
class _Ground:
    """What the expressions of a template see, where it came from, and how deep it stands."""

    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    context: Context
    base: Base | None
    depth: int


class _Filling:
    """Fetches for one deployment."""

    def __init__(self, cloud: Cloud, library: Library) -> None:
        self._cloud = cloud
        self._library = library

    def template(self, template: Mapping[str, Any], ground: _Ground) -> dict[str, Any]:
        """Return a template with what its deployments link to; raises `ArmError`."""
        if ground.depth > _DEEPEST:
            raise ArmError(
                400,
                "InvalidTemplate",
                "Deployment template validation failed: 'Linked templates nest deeper than"
                f" '{_DEEPEST}' levels'.",
            )
        filled = dict(template)
        for key, section in template.items():
            if key.lower() != "resources":
                continue
            if isinstance(section, Mapping):
                filled[key] = {name: self._resource(one, ground) for name, one in section.items()}
            elif isinstance(section, list):
                filled[key] = [self._resource(one, ground) for one in section]
        return filled

    def _resource(self, resource: Any, ground: _Ground) -> Any:
        properties = get(resource, "properties") if _is_deployment(resource) else None
        if not isinstance(properties, Mapping):
            return resource
        link, file = get(properties, "templateLink"), get(properties, "parametersLink")
        inline = get(properties, "template")
        inner_links = isinstance(inline, Mapping) and _has_links(inline)
        if not link and not file and not inner_links:
            return resource
        if link and inline is not None:
            raise ArmError(
                400,
                "InvalidTemplate",
                "Deployment template validation failed: 'The deployment"
                f" '{get(resource, 'name')}' must have either a 'template' or a 'templateLink'.",
            )
        wanted = {"link": link, "file": file, "condition": get(resource, "condition")}
        worked_out = self._evaluate(ground, resource, wanted)
        if worked_out.get("condition") in (False, "false", "False"):
            return resource
        known = dict(properties)
        if file:
            given = parameters_of(self._library.parameters(worked_out["file"]))
            _set(known, "parameters", _literal(given))
        inside = replace(ground, depth=ground.depth + 1)
        if link:
            self._link(known, worked_out["link"], (resource, inside))
        elif inner_links and isinstance(inline, Mapping):
            inside = self._inside(known, inline, (resource, inside), None)
            _set(known, "template", self.template(inline, inside))
        return {**resource, _key(resource, "properties"): known}

    def _link(self, known: dict[str, Any], link: Any, at: tuple[Any, _Ground]) -> None:
        """Put the linked template in; it never sees the names of the template it is linked from."""
        document = self._library.template(link, at[1].base)
        _set(known, "templateLink", document.link)
        _set(known, "expressionEvaluationOptions", {"scope": "inner"})
        content = document.content
        if _has_links(content):
            inside = replace(at[1], base=document.base)
            inside = self._inside(known, content, (at[0], inside), document.link)
            content = self.template(content, inside)
        _set(known, "template", content)

    def _inside(
        self,
        properties: Mapping[str, Any],
        template: Mapping[str, Any],
        at: tuple[Any, _Ground],
        link: dict[str, Any] | None,
    ) -> _Ground:
        """Return what the expressions inside a deployment see."""
        resource, ground = at
        options = get(properties, "expressionEvaluationOptions")
        scope = get(options, "scope") if isinstance(options, Mapping) else None
        if str(scope).lower() != "inner":
            return ground
        outside = replace(ground, depth=ground.depth - 1)
        given = self._evaluate(outside, resource, {"given": get(properties, "parameters")})
        return replace(
            ground,
            template=template,
            parameters=parameters_of(given.get("given")),
            context=replace(ground.context, template_link=link),
        )

    def _evaluate(
        self, ground: _Ground, resource: Any, wanted: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Work out values of a template before it is planned; raises `ArmError`."""
        asked = {name: value for name, value in wanted.items() if value is not None}
        template: dict[str, Any] = {
            "$schema": _SCHEMA,
            "contentVersion": "1.0.0.0",
            **{name: get(ground.template, name) for name in _SECTIONS},
            "resources": [],
            "outputs": {"all": {**_ANYTHING, "value": asked}},
        }
        if template["languageVersion"] is None:
            del template["languageVersion"]
        given = secrets.resolve(self._cloud, ground.parameters)
        try:
            shown = engine.plan(template, given, ground.context).preview()
        except TemplateError as error:
            raise _not_worked_out(resource, error.message) from error
        if "all" not in shown or _unknown(shown["all"]["value"].get("link")):
            raise _not_worked_out(resource, "it depends on what only a running deployment knows")
        found: dict[str, Any] = shown["all"]["value"]
        return found


def _not_worked_out(resource: Any, why: str) -> ArmError:
    return ArmError(
        400,
        "InvalidTemplate",
        f"Deployment template validation failed: 'The link of the deployment"
        f" '{get(resource, 'name')}' cannot be worked out before the deployment runs: {why}. Please"
        " see https://aka.ms/arm-template-links for usage details.'.",
    )


def _literal(value: Any) -> Any:
    """Return a value so that a template takes it as it is: a file's texts are no expressions."""
    if isinstance(value, str):
        return f"[{value}" if value.startswith("[") else value
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    return [_literal(item) for item in value] if isinstance(value, list) else value


def _unknown(link: Any) -> bool:
    """Return whether a link still holds expressions. Pure."""
    values = link.values() if isinstance(link, Mapping) else [link]
    return any(isinstance(value, str) and value.startswith("[") for value in values)


def _key(holder: Mapping[str, Any], name: str) -> str:
    return next((key for key in holder if key.lower() == name.lower()), name)


def _set(holder: dict[str, Any], name: str, value: Any) -> None:
    holder[_key(holder, name)] = value
