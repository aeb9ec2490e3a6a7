"""Linked templates and parameters: over HTTP from this machine, and out of template specs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from local.arm.knobs import Knobs
from local.arm.server import Settings, start
from tests.arm.azure import Azure, ask, clients, eventually, plain, template

VERSION = "2022-02-01"


@dataclass
class Shelf:
    """A web server with documents by path; what was asked of it is in `asked`."""

    documents: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def put(self, path: str, document: Any) -> str:
        """Serve a document; return its URL."""
        self.documents[path] = document if isinstance(document, bytes) else _bytes(document)
        return f"{self.url}{path}"


def _bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


@pytest.fixture
def web() -> Iterator[Shelf]:
    """Serve documents on a free port of the loopback address."""
    shelf = Shelf()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shelf.asked.append(self.path)
            found = shelf.documents.get(self.path.partition("?")[0])
            if self.path.startswith("/moved"):
                self.send_response(302)
                self.send_header("Location", "/there.json")
                found = b""
            else:
                self.send_response(200 if found is not None else 404)
            self.send_header("Content-Length", str(len(found or b"")))
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        shelf.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield shelf
        server.shutdown()
        thread.join()


def linked(link: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """Return the body of a deployment whose template is linked."""
    return {"properties": {"mode": "Incremental", "templateLink": link, **properties}}


def inner(name: str, link: Any, **properties: Any) -> dict[str, Any]:
    """Return a nested deployment whose template is linked."""
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": name,
        "properties": {"mode": "Incremental", "templateLink": link, **properties},
    }


SIZED = {"size": {"type": "int", "defaultValue": 1}}
ECHO = {"size": {"type": "int", "value": "[parameters('size')]"}}


def put(azure: Azure, body: dict[str, Any], name: str = "main") -> Any:
    """Deploy a body and return its end."""
    return azure.deployments.deployments.begin_create_or_update("rg-shop", name, body).result()


def shelves(azure: Azure) -> set[str]:
    """Return the names of what is in the group."""
    return {one.name for one in azure.resources.resources.list()}


def test_a_template_and_its_parameters_are_fetched(azure: Azure, web: Shelf) -> None:
    """The deployment shows the links; a query string goes along and is not shown."""
    azure.group()
    document = template([plain("a")], SIZED, ECHO)
    uri = web.put("/main.json", b"// a comment\n" + _bytes(document))
    file = {"$schema": "x", "contentVersion": "1.0.0.0", "parameters": {"size": {"value": 7}}}
    link = {"uri": uri, "contentVersion": "1.0.0.0", "queryString": "sig=hush"}
    body = linked(link, parametersLink={"uri": web.put("/p.json", file)})
    done = put(azure, body)
    exported = azure.deployments.deployments.export_template("rg-shop", "main").template

    assert done.properties.outputs["size"]["value"] == 7
    assert done.properties.template_link.uri == uri
    assert done.properties.template_link.content_version == "1.0.0.0"
    assert done.properties.template_link.query_string is None
    assert web.asked[0] == "/main.json?sig=hush"
    assert exported == document


def test_nested_links_are_worked_out_and_followed(azure: Azure, web: Shelf) -> None:
    """By expression, by the parent's address, by relative path; the inner parameters are its own."""
    azure.group()
    web.put(
        "/deep/leaf.json", template([plain("[parameters('name')]")], {"name": {"type": "string"}})
    )
    web.put(
        "/deep/middle.json",
        template(
            [
                inner(
                    "leaf",
                    {"relativePath": "leaf.json"},
                    parameters={"name": {"value": "[parameters('name')]"}},
                )
            ],
            {"name": {"type": "string"}},
        ),
    )
    web.put("/p.json", {"parameters": {"name": {"value": "from-file"}, "raw": {"value": "[x]"}}})
    raw = plain("[parameters('name')]", properties={"raw": "[parameters('raw')]"})
    web.put(
        "/by-file.json", template([raw], {"name": {"type": "string"}, "raw": {"type": "string"}})
    )
    root = template(
        [
            inner(
                "by-address",
                {"uri": "[uri(deployment().properties.templateLink.uri, 'deep/middle.json')]"},
                parameters={"name": {"value": "[concat('from', '-', 'parent')]"}},
            ),
            inner(
                "by-file",
                {"uri": "[concat(parameters('at'), '/by-file.json')]"},
                parametersLink={"uri": "[concat(parameters('at'), '/p.json')]"},
            ),
            {**inner("never", {"uri": "https://example.com/x.json"}), "condition": False},
        ],
        {"at": {"type": "string"}},
    )
    body = linked({"uri": web.put("/main.json", root)}, parameters={"at": {"value": web.url}})
    put(azure, body)
    child = azure.deployments.deployments.get("rg-shop", "by-address").properties
    exported = azure.deployments.deployments.export_template("rg-shop", "main").template

    shelf = f"{azure.subscription}/resourceGroups/rg-shop/providers/Contoso.Shop/shelves/from-file"
    found = azure.call("GET", f"{shelf}?api-version=2024-01-01").body

    assert found["properties"]["raw"] == "[x]"
    assert shelves(azure) == {"from-parent", "from-file"}
    assert child.template_link.uri == f"{web.url}/deep/middle.json"
    assert exported == root


def test_a_nested_link_works_from_an_inline_template(azure: Azure, web: Shelf) -> None:
    """In language version 2.0, with an inner template around it."""
    azure.group()
    uri = web.put("/leaf.json", template([plain("leaf")], SIZED, ECHO))
    whole = {
        **template({"around": {**inner("around", None)}}),
        "languageVersion": "2.0",
        "outputs": {"size": {"type": "int", "value": "[reference('around').outputs.size.value]"}},
    }
    properties = whole["resources"]["around"]["properties"]
    del properties["templateLink"]
    properties["expressionEvaluationOptions"] = {"scope": "inner"}
    properties["parameters"] = {"at": {"value": uri}}
    leaf = inner("leaf", {"uri": "[parameters('at')]"}, parameters={"size": {"value": 3}})
    out = {"size": {"type": "int", "value": "[reference('leaf').outputs.size.value]"}}
    properties["template"] = template([leaf], {"at": {"type": "string"}}, out)
    done = put(azure, {"properties": {"mode": "Incremental", "template": whole}})

    assert done.properties.outputs["size"]["value"] == 3
    assert shelves(azure) == {"leaf"}


def spec(azure: Azure, properties: dict[str, Any]) -> str:
    """Store a version of a template spec; return its id."""
    group = azure.group("rg-specs")
    base = f"{group}/providers/Microsoft.Resources/templateSpecs/shop"
    path = f"{base}/versions/1.0"
    for one, body in ((base, {}), (path, properties)):
        reply = azure.call(
            "PUT",
            f"{one}?api-version={VERSION}",
            {"location": "westeurope", "properties": body},
        )
        assert reply.status in (200, 201), reply
    return path


def test_a_template_spec_is_deployed_with_what_it_links_to(azure: Azure) -> None:
    """Relative paths start where the linking document stands in the spec."""
    azure.group()
    main = template([inner("one", {"relativePath": "parts/one.json"})])
    one = template([inner("two", {"relativePath": "../two.json"}), plain("one")])
    two = template([plain("two")])
    found = spec(
        azure,
        {
            "mainTemplate": main,
            "linkedTemplates": [
                {"path": "parts/one.json", "template": one},
                {"path": "two.json", "template": two},
            ],
        },
    )
    done = put(azure, linked({"id": found}))

    assert done.properties.template_link.id == found
    assert {"one", "two"} <= shelves(azure)


def test_a_spec_that_is_not_there_is_refused(azure: Azure) -> None:
    """404 with the version's name."""
    group = azure.group()
    wanted = f"{group}/providers/Microsoft.Resources/templateSpecs/shop/versions/9.9"
    with pytest.raises(ResourceNotFoundError, match="TemplateSpecVersionNotFound"):
        put(azure, linked({"id": wanted}))


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com/main.json",
        "http://169.254.169.254/metadata",
        "http://127.0.0.1.example.com/main.json",
        "http://user@127.0.0.1/main.json",
        "file:///etc/passwd",
        "http://127.0.0.1:1/main.json",
        "http://127.0.0.1:99999/main.json",
        "nonsense",
        "{}/absent.json",
        "{}/moved.json",
    ],
)
def test_a_link_that_leads_nowhere_is_refused(azure: Azure, web: Shelf, uri: str) -> None:
    """400 InvalidContentLink: other machines, other schemes, redirects, what is not there."""
    azure.group()
    web.put("/there.json", template([]))
    with pytest.raises(HttpResponseError) as caught:
        put(azure, linked({"uri": uri.format(web.url), "queryString": "sig=hush"}))

    assert caught.value.error is not None
    assert caught.value.error.code == "InvalidContentLink"
    assert "Unable to download deployment content from" in str(caught.value.error.message)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ({"uri": "{}/main.json", "contentVersion": "9.0.0.0"}, "InvalidTemplate"),
        ({"uri": "{}/bad.json"}, "InvalidTemplate"),
        ({"uri": "{}/list.json"}, "InvalidTemplate"),
        ({"relativePath": "main.json"}, "InvalidContentLink"),
        ({"uri": "{}/main.json", "id": "x"}, "InvalidRequestContent"),
        ({"uri": 7}, "InvalidRequestContent"),
        ({"id": "/subscriptions/x"}, "InvalidRequestContent"),
        ({}, "InvalidRequestContent"),
    ],
)
def test_a_bad_link_is_refused(azure: Azure, web: Shelf, link: dict[str, Any], code: str) -> None:
    """Version, form and content are checked."""
    azure.group()
    web.put("/main.json", template([]))
    web.put("/bad.json", b"{")
    web.put("/list.json", b"[]")
    filled = {
        name: value.format(web.url) if isinstance(value, str) else value
        for name, value in link.items()
    }
    with pytest.raises(HttpResponseError) as caught:
        put(azure, linked(filled))

    assert caught.value.error is not None
    assert caught.value.error.code == code


@pytest.mark.parametrize("path", ["//[", "//example.com/x.json", "https://example.com/", "absent"])
def test_a_relative_path_leads_nowhere_else(azure: Azure, web: Shelf, path: str) -> None:
    """It stays on this machine, whatever it is made of."""
    azure.group()
    main = template([inner("one", {"relativePath": path})])
    with pytest.raises(HttpResponseError, match="InvalidContentLink"):
        put(azure, linked({"uri": web.put("/main.json", main)}))

    assert len(web.asked) <= 2


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (None, "InvalidContentLink"),
        ("x", "InvalidContentLink"),
        ([1, {"path": "two.json"}], "InvalidContentLink"),
        ([{"path": "./one.json", "template": 7}], "InvalidTemplate"),
        ([{"path": "ONE.json", "template": {}}], "InvalidTemplate"),
    ],
)
def test_a_spec_that_is_no_use_is_refused(azure: Azure, parts: Any, code: str) -> None:
    """Linked templates that are missing or no templates."""
    azure.group()
    main = template([inner("one", {"relativePath": "one.json"})])
    found = spec(azure, {"mainTemplate": main, "linkedTemplates": parts})
    with pytest.raises(HttpResponseError) as caught:
        put(azure, linked({"id": found}))

    assert caught.value.error is not None
    assert caught.value.error.code == code


def test_both_kinds_of_parameters_are_refused(azure: Azure, web: Shelf) -> None:
    """Only one of parameters and parametersLink."""
    azure.group()
    body = ask([], given={"size": {"value": 1}})
    body["properties"]["parametersLink"] = {"uri": web.put("/p.json", {"parameters": {}})}
    with pytest.raises(HttpResponseError, match="InvalidRequestContent"):
        put(azure, body)


def test_a_link_known_at_run_time_only_is_refused(azure: Azure, web: Shelf) -> None:
    """The sentence names the deployment."""
    azure.group()
    leaf = inner("leaf", {"uri": "[reference('s1').uri]"})
    with pytest.raises(HttpResponseError, match="leaf"):
        azure.deploy("main", [plain("s1"), leaf])
    assert web.asked == []


def test_links_in_a_circle_come_to_an_end(azure: Azure, web: Shelf) -> None:
    """A template that links to itself is refused after a bounded number of fetches."""
    azure.group()
    web.put("/self.json", template([inner("again", {"relativePath": "self.json"})]))
    with pytest.raises(HttpResponseError, match="InvalidTemplate"):
        put(azure, linked({"uri": f"{web.url}/self.json"}))

    assert len(web.asked) < 30


def test_a_document_that_is_too_large_is_refused(azure: Azure, web: Shelf) -> None:
    """More than 4 MB are not read."""
    azure.group()
    large = template([])
    large["variables"] = {"padding": "x" * (4 * 1024 * 1024)}
    with pytest.raises(HttpResponseError, match="InvalidContentLink"):
        put(azure, linked({"uri": web.put("/large.json", large)}))


@pytest.mark.parametrize("verb", ["begin_validate", "begin_what_if"])
def test_asking_follows_links_too(azure: Azure, web: Shelf, verb: str) -> None:
    """Validate and what-if see what would be deployed."""
    group = azure.group()
    web.put("/leaf.json", template([plain("leaf")]))
    main = template([plain("root"), inner("one", {"relativePath": "leaf.json"})])
    body = linked({"uri": web.put("/main.json", main)})
    found = getattr(azure.deployments.deployments, verb)("rg-shop", "main", body).result()
    if verb == "begin_validate":
        named = {one.id for one in found.properties.validated_resources}
    else:
        named = {one.resource_id for one in found.properties.changes}

    assert named == {f"{group}/providers/Contoso.Shop/shelves/{name}" for name in ("root", "leaf")}


def test_what_was_fetched_is_kept(web: Shelf, tmp_path: Path) -> None:
    """A deployment taken up after a restart fetches nothing again."""
    web.put("/leaf.json", template([plain("leaf")]))
    main = template([inner("one", {"relativePath": "leaf.json"})])
    body = linked({"uri": web.put("/main.json", main)})
    slow = Knobs(retry_after=0.02, deployment_seconds=30)
    with start(Settings(folder=tmp_path, knobs=slow)) as address, clients(address) as azure:
        azure.group()
        put = azure.deployments.deployments.begin_create_or_update
        put("rg-shop", "main", body, polling=False)
    fetched = len(web.asked)
    web.documents.clear()
    quick = Knobs(retry_after=0.02)
    with start(Settings(folder=tmp_path, knobs=quick)) as address, clients(address) as azure:
        get = azure.deployments.deployments.get
        eventually(
            lambda: bool(get("rg-shop", "main").properties.provisioning_state == "Succeeded")
        )
        found = shelves(azure)

    assert found == {"leaf"}
    assert len(web.asked) == fetched == 2
