"""Reads a template with everything it links to, and puts the linked files where ARM finds them.

ARM can only fetch a link from a public address; Plumbline reads ``relativePath`` links from the same
revision and sends one template. An inlined template must mean what the link meant: it is evaluated
in its own scope (``inner``), and parameter files are data, so what looks like an expression in them
is escaped.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.core.source.arm_json import (
    Json,
    as_literal,
    is_expression,
    may_deploy,
    member,
    member_key,
    resources_of,
)
from shared.core.source.faults import Place, Problems, SourceError, shown
from shared.core.source.files import Files, clean_path
from shared.core.source.json_file import JsonFile
from shared.core.source.parameter_file import entries_of
from shared.core.source.template_shape import OTHER_SCHEMAS, check_shape, is_plain, schema_kind

MAX_TEMPLATE_BYTES = 4 * 1024 * 1024
MAX_LINK_DEPTH = 40
MAX_RESOURCE_DEPTH = 80
_LINK_HINT = (
    "Use relativePath with a file of this repository: what is deployed is then what was reviewed."
)


@dataclass(frozen=True, slots=True)
class Template:
    """A template with its links inlined.

    ``origins`` tells, by ``id()`` of a linked template's object inside ``content``, its file.
    """

    content: Json
    file: JsonFile
    origins: dict[int, JsonFile]


def read_template(
    files: Files, path: str, named_at: Place, *, scope_kind: str = "a resource group"
) -> Template:
    """Return the template at ``path`` with its linked templates and parameter files inlined.

    ``scope_kind`` is what the stack is deployed to: "a resource group" or "a subscription".

    Raises SourceError with everything that is wrong in it and in what it links to.
    """
    inliner = _Inliner(files)
    root = inliner.template(path, named_at, ())
    if root is not None:
        inliner.check_root(root, scope_kind)
    if root is None or inliner.problems:
        raise SourceError(inliner.problems)
    return Template(root.value, root, inliner.origins)


@dataclass(slots=True)
class _Inliner:
    files: Files
    problems: Problems = field(default_factory=list)
    origins: dict[int, JsonFile] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    done: dict[str, JsonFile | None] = field(default_factory=dict)
    depth: int = 0

    def template(self, path: str, named_at: Place, chain: tuple[str, ...]) -> JsonFile | None:
        """Return the file with its links inlined, or None after noting why not."""
        if path in self.done:
            return self.done[path]
        file: JsonFile | None = None
        depth = self.depth
        try:
            file = JsonFile(path, self.files.read(path, named_at))
            check_shape(file)
            self.sizes[path] = len(orjson.dumps(file.value))
            self.resources(file.value, "", file, (*chain, path))
            self.check_size(path, named_at)
        except SourceError as error:
            self.problems.extend(error.problems)
            file = None
            self.depth = depth
        self.done[path] = file
        return file

    def check_size(self, path: str, named_at: Place) -> None:
        if self.sizes[path] > MAX_TEMPLATE_BYTES:
            raise named_at.error(
                "TemplateTooLarge",
                f"With its links inlined {shown(path)} is larger than 4 MiB, which ARM does not take.",
                "Split the stack into several.",
            )

    def check_root(self, root: JsonFile, scope_kind: str) -> None:
        written_for = OTHER_SCHEMAS.get(schema_kind(root.value), "a resource group")
        if written_for != scope_kind:
            self.problems.append(
                root.place("$schema").problem(
                    "TemplateScopeUnsupported",
                    f"This template is for {written_for}, and the stack's scope is {scope_kind}.",
                    "Give the stack a scope of that kind, or the template the schema of this one: "
                    "deploymentTemplate.json, or subscriptionDeploymentTemplate.json.",
                )
            )

    def resources(self, holder: Json, path: str, file: JsonFile, chain: tuple[str, ...]) -> None:
        self.check_resources(holder, path, file)
        if self.depth > MAX_RESOURCE_DEPTH:
            raise file.place(path).error(
                "TooDeep",
                f"Resources are nested more than {MAX_RESOURCE_DEPTH} deep, over all links.",
                "Nest and link flatter.",
            )
        self.depth += 1
        for at, resource in resources_of(holder, path):
            if may_deploy(resource) and member(resource, "existing") is not True:
                self.deployment(resource, at, file, chain)
            self.resources(resource, at, file, chain)
        self.depth -= 1

    def check_resources(self, holder: Json, path: str, file: JsonFile) -> None:
        key = member_key(holder, "resources")
        found = holder[key] if key is not None else []
        each = found.values() if isinstance(found, dict) else found
        if not isinstance(found, list | dict) or not all(is_plain(one) for one in each):
            self.note(
                file,
                f"{path}.{key}" if path else f"{key}",
                "InvalidTemplate",
                "resources must be a list (or an object by symbolic name) of objects with plain names.",
                "Write out every resource as an object; use condition and copy for variants.",
            )

    def deployment(self, resource: Json, at: str, file: JsonFile, chain: tuple[str, ...]) -> None:
        key = member_key(resource, "properties")
        properties = resource[key] if key is not None else None
        path = f"{at}.{key}"
        if not isinstance(properties, dict) or any(is_expression(name) for name in properties):
            self.note(
                file,
                path if key is not None else at,
                "DeploymentNotLiteral",
                "What this nested deployment holds is an expression or missing, so that nobody can "
                "tell what it deploys.",
                "Write out its properties as an object with plain names.",
            )
            return
        if member_key(properties, "templateLink") is not None:
            self.link_template(properties, path, file, chain)
        else:
            self.nested_template(properties, path, file, chain)
        if member_key(properties, "parametersLink") is not None:
            self.link_parameters(properties, path, file)

    def nested_template(
        self, properties: Json, path: str, file: JsonFile, chain: tuple[str, ...]
    ) -> None:
        key = member_key(properties, "template")
        nested = properties[key] if key is not None else None
        resources = member(nested, "resources") if isinstance(nested, dict) else None
        if isinstance(nested, dict) and (resources is None or isinstance(resources, list | dict)):
            self.resources(nested, f"{path}.{key}", file, chain)
            return
        self.note(
            file,
            f"{path}.{key}" if key is not None else path,
            "DeploymentNotLiteral",
            "The template of this nested deployment is missing or an expression, so that nobody can "
            "tell what it deploys.",
            "Write out template as an object, or link to a file with templateLink.relativePath.",
        )

    def link_template(
        self, properties: dict[str, Any], path: str, file: JsonFile, chain: tuple[str, ...]
    ) -> None:
        key = member_key(properties, "templateLink") or ""
        here = f"{path}.{key}"
        try:
            if member_key(properties, "template") is not None:
                raise file.place(path).error(
                    "InvalidTemplate",
                    "There is a template and a templateLink.",
                    "Keep one of them.",
                )
            _check_inner(properties, path, file)
            linked_path, place = _linked_path(properties[key], here, file)
            steps = (*chain, linked_path)
            if linked_path in chain:
                raise place.error(
                    "LinkCycle",
                    f"Templates link in a circle: {' -> '.join(steps[chain.index(linked_path) :])}.",
                    "Remove one of the links.",
                )
            if len(chain) > MAX_LINK_DEPTH:
                raise place.error(
                    "TooDeep", f"Templates link more than {MAX_LINK_DEPTH} deep.", "Link flatter."
                )
            linked = self.template(linked_path, place, chain)
        except SourceError as error:
            self.problems.extend(error.problems)
            return
        if linked is None:
            return
        self.check_version(properties[key], here, file, linked)
        self.sizes[chain[-1]] += self.sizes[linked.path]
        del properties[key]
        properties["template"] = linked.value
        properties["expressionEvaluationOptions"] = {"scope": "inner"}
        self.origins[id(linked.value)] = linked

    def check_version(self, link: Json, at: str, file: JsonFile, linked: JsonFile) -> None:
        wanted = member(link, "contentVersion")
        found = member(linked.value, "contentVersion")
        if wanted is not None and wanted != found:
            self.note(
                file,
                f"{at}.contentVersion",
                "ContentVersionMismatch",
                f"The link asks for another contentVersion than {shown(linked.path)} has.",
                "Write the file's contentVersion, or leave it out of the link.",
            )

    def link_parameters(self, properties: dict[str, Any], path: str, file: JsonFile) -> None:
        key = member_key(properties, "parametersLink") or ""
        try:
            if member_key(properties, "parameters") is not None:
                raise file.place(path).error(
                    "InvalidTemplate",
                    "There are parameters and a parametersLink.",
                    "Keep one of them, as ARM demands.",
                )
            linked_path, place = _linked_path(properties[key], f"{path}.{key}", file)
            linked = JsonFile(linked_path, self.files.read(linked_path, place))
            entries = entries_of(linked)
            self.check_version(properties[key], f"{path}.{key}", file, linked)
        except SourceError as error:
            self.problems.extend(error.problems)
            return
        del properties[key]
        properties["parameters"] = as_literal(entries)

    def note(self, file: JsonFile, path: str, code: str, message: str, hint: str) -> None:
        self.problems.append(file.place(path).problem(code, message, hint))


def _check_inner(properties: dict[str, Any], path: str, file: JsonFile) -> None:
    key = member_key(properties, "expressionEvaluationOptions")
    options = properties.pop(key) if key is not None else None
    said = member(options, "scope") if isinstance(options, dict) else options
    if said is not None and not (
        isinstance(said, str) and said.lower() in ("inner", "notspecified")
    ):
        raise file.place(f"{path}.{key}").error(
            "InvalidTemplate",
            "A linked template is always evaluated in its own scope.",
            "Write inner, or leave expressionEvaluationOptions out.",
        )


def _linked_path(link: Any, at: str, file: JsonFile) -> tuple[str, Place]:
    place = file.place(at)
    if not isinstance(link, dict):
        raise place.error(
            "TemplateLinkNotAllowed",
            "The link is not an object, so nobody can follow it.",
            _LINK_HINT,
        )
    for refused in ("uri", "id", "queryString"):
        key = member_key(link, refused)
        if key is not None:
            raise file.place(f"{at}.{key}").error(
                "TemplateLinkNotAllowed",
                f"A link by {refused} is not allowed: its content is not in this repository and may "
                "change without a commit.",
                _LINK_HINT,
            )
    key = member_key(link, "relativePath")
    written = link[key] if key is not None else None
    if not isinstance(written, str) or is_expression(written):
        raise place.error(
            "TemplateLinkNotAllowed",
            "The link has no relativePath in plain text, so it cannot be read before ARM evaluates it.",
            _LINK_HINT,
        )
    place = file.place(f"{at}.{key}")
    return clean_path(written, place, relative_to=file.path), place
