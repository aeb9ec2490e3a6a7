"""Documents by link, fetched at the edge: over HTTP from this machine, or out of template specs.

Azure fetches from anywhere; the simulator must not be a way out of, or into, the machine it runs
on, so it fetches from the loopback address alone, follows nothing, and is bounded in the number,
size and time of what one deployment fetches. Runs in a worker thread.
"""

from __future__ import annotations

import http.client
import posixpath
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from local.arm import engine, errors, ids
from local.arm.clock import new_guid
from local.arm.cloud import Cloud
from local.arm.deploy.refusals import refused
from local.arm.engine.values import get
from local.arm.errors import ArmError

_LOOPBACK = {"127.0.0.1": "127.0.0.1", "localhost": "127.0.0.1", "::1": "::1"}
_SPEC = "microsoft.resources/templatespecs/versions"
_MOST_DOCUMENTS = 200
_MOST_BYTES = 4 * 1024 * 1024
_MOST_BYTES_TOGETHER = 32 * 1024 * 1024
_MOST_SECONDS = 30.0
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Base:
    """Where a document came from, so that `relativePath` can start there.

    `uri` and `query` of a document fetched over HTTP, or `spec` and the `path` in it.
    """

    uri: str = ""
    query: str = ""
    spec: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A fetched document, the link as the deployment shows it, and where it came from."""

    content: dict[str, Any]
    link: dict[str, Any]
    base: Base


class Library:
    """What one deployment may fetch."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._documents = self._bytes = 0
        self._deadline = time.monotonic() + _MOST_SECONDS

    def template(self, link: Any, base: Base | None) -> Document:
        """Return the template behind a `templateLink`; raises InvalidContentLink and its like."""
        found = self._find(link, base)
        version = get(link, "contentVersion")
        has = get(found.content, "contentVersion")
        if version is not None and version != has:
            raise ArmError(
                400,
                "InvalidTemplate",
                "Deployment template validation failed: 'The template's content version"
                f" '{has}' is not the '{version}' that its link asks for'.",
            )
        shown = {**found.link, "contentVersion": has}
        return Document(found.content, shown, found.base)

    def parameters(self, link: Any) -> dict[str, Any]:
        """Return the parameters in the file behind a `parametersLink`; raises `ArmError`."""
        if not isinstance(link, Mapping) or _text(link, "uri") is None:
            raise errors.invalid_content("properties.parametersLink.uri must be a string")
        found = get(self.template(link, None).content, "parameters")
        if isinstance(found, dict):
            return found
        raise errors.invalid_content("a parameter file must have an object 'parameters'")

    def _find(self, link: Any, base: Base | None) -> Document:
        if not isinstance(link, Mapping):
            raise errors.invalid_content("a templateLink must be an object")
        uri, spec, relative = (_text(link, name) for name in ("uri", "id", "relativePath"))
        query = (_text(link, "queryString") or "").lstrip("?")
        if sum(one is not None for one in (uri, spec, relative)) != 1:
            raise errors.invalid_content(
                "a templateLink needs exactly one of 'uri', 'id' and 'relativePath'"
            )
        if uri is not None:
            return Document(self._get(uri, query), {"uri": uri}, Base(uri=uri, query=query))
        if spec is not None:
            return self._main_template(spec)
        return self._relative(relative or "", base)

    def _relative(self, path: str, base: Base | None) -> Document:
        if base is None:
            raise ArmError(
                400,
                "InvalidContentLink",
                f"The relative path '{path}' of a template link cannot be resolved: the template"
                " that it stands in was not itself linked by 'uri' or 'id'. Please see"
                " https://aka.ms/arm-template-links for usage details.",
            )
        if base.spec:
            return self._linked_template(path, base)
        try:
            uri = urljoin(base.uri, path)
        except ValueError as error:
            raise _unavailable(path) from error
        shown = {"uri": uri, "relativePath": path}
        return Document(self._get(uri, base.query), shown, Base(uri=uri, query=base.query))

    # Template specs are resources like others; what they hold is in their properties.

    def _spec(self, spec_id: str) -> dict[str, Any]:
        rid = ids.parse(spec_id)
        if rid is None or rid.type.lower() != _SPEC:
            raise errors.invalid_content(
                f"the templateLink.id '{spec_id}' is not the id of a template spec's version"
            )
        record = self._cloud.resource(spec_id)
        if record is None:
            raise ArmError(
                404,
                "TemplateSpecVersionNotFound",
                f"The template spec version '{rid.name}' in resource group '{rid.group}' could not"
                " be found.",
            )
        properties: dict[str, Any] = record.put.get("properties") or {}
        return properties

    def _main_template(self, spec_id: str) -> Document:
        content = get(self._spec(spec_id), "mainTemplate")
        return Document(self._counted(content, spec_id), {"id": spec_id}, Base(spec=spec_id))

    def _linked_template(self, path: str, base: Base) -> Document:
        wanted = _normal(posixpath.join(posixpath.dirname(base.path), path))
        listed = get(self._spec(base.spec), "linkedTemplates")
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and _normal(str(get(one, "path"))) == wanted:
                content = self._counted(get(one, "template"), path)
                shown = {"id": base.spec, "relativePath": path}
                return Document(content, shown, Base(spec=base.spec, path=wanted))
        raise ArmError(
            400,
            "InvalidContentLink",
            f"The template spec version '{base.spec}' has no linked template at '{wanted}'.",
        )

    def _counted(self, content: Any, what: str) -> dict[str, Any]:
        self._count(what)
        if not isinstance(content, dict):
            raise ArmError(
                400,
                "InvalidTemplate",
                f"Deployment template parse failed: 'The document at '{what}' is no JSON object'.",
            )
        return content

    def _count(self, what: str) -> None:
        self._documents += 1
        if self._documents > _MOST_DOCUMENTS:
            raise ArmError(
                400,
                "InvalidContentLink",
                f"The deployment links to more than '{_MOST_DOCUMENTS}' documents: '{what}' is one"
                " too many.",
            )

    # Over HTTP.

    def _get(self, uri: str, query: str) -> dict[str, Any]:
        self._count(uri)
        place = _loopback(uri)
        if place is None:
            raise _unavailable(uri)
        try:
            data = self._read(place, query)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _unavailable(uri) from error
        if data is None:
            raise _unavailable(uri)
        try:
            content = engine.parse_template(data)
        except engine.TemplateError as error:
            raise refused(error) from error
        if isinstance(content, dict):
            return content
        raise ArmError(
            400,
            "InvalidTemplate",
            f"Deployment template parse failed: 'The document at '{uri}' is no JSON object'.",
        )

    def _read(self, place: SplitResult, query: str) -> bytes | None:
        """Return the body; None if it is refused, too large or too slow."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            return None
        connection = _connect(place, left)
        asked = "&".join(part for part in (place.query, query) if part)
        try:
            connection.request("GET", f"{place.path or '/'}{'?' if asked else ''}{asked}")
            response = connection.getresponse()
            if response.status != HTTPStatus.OK:
                return None
            found = bytearray()
            while piece := response.read1(_CHUNK):
                found += piece
                self._bytes += len(piece)
                too_much = len(found) > _MOST_BYTES or self._bytes > _MOST_BYTES_TOGETHER
                if too_much or time.monotonic() > self._deadline:
                    return None
            return bytes(found)
        finally:
            connection.close()


def _text(link: Mapping[str, Any], name: str) -> str | None:
    value = get(link, name)
    if value is None:
        return None
    if isinstance(value, str) and value:
        return value
    raise errors.invalid_content(f"the {name} of a link must be a string that is not empty")


def _loopback(uri: str) -> SplitResult | None:
    """Return the parts of a URI on this machine; None for any other. Pure."""
    try:
        place = urlsplit(uri)
        port_is_good = place.port is None or place.port > 0
    except ValueError:
        return None
    is_known = place.scheme in ("http", "https") and (place.hostname or "") in _LOOPBACK
    return place if is_known and port_is_good and "@" not in place.netloc else None


def _connect(place: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host = _LOOPBACK[place.hostname or ""]
    if place.scheme == "http":
        return http.client.HTTPConnection(host, place.port, timeout=timeout)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, place.port, context=context, timeout=timeout)


def _unavailable(uri: str) -> ArmError:
    """Refuse a link that leads nowhere; what a query may hold (a signature) is not repeated."""
    return ArmError(
        400,
        "InvalidContentLink",
        f"Unable to download deployment content from '{uri.partition('?')[0]}'. The tracking Id is"
        f" '{new_guid()}'. Please see https://aka.ms/arm-deploy for usage details.",
    )


def _normal(path: str) -> str:
    """Return a path in a template spec as paths are compared. Pure."""
    return posixpath.normpath(path.replace("\\", "/")).lstrip("/").lower()
