"""A valid request for every method of every route, and ways to break one."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from local.arm.routes.table import Route
from tests.arm.azure import API, network, plain, storage, template

SUB = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-shop"
WORDS = {
    "sub": SUB,
    "group": "rg-shop",
    "scope": GROUP,
    "namespace": "Microsoft.Storage",
    "location": "westeurope",
    "name": "shop",
    "rest": "Contoso.Shop/shelves/s1",
    "collection": "deletedVaults",
}
NESTED = {
    "type": "Microsoft.Resources/deployments",
    "apiVersion": API,
    "name": "inner",
    "properties": {
        "mode": "Incremental",
        "expressionEvaluationOptions": {"scope": "inner"},
        "parameters": {"size": {"value": 2}},
        "template": template(
            [plain("s2")],
            parameters={"size": {"type": "int"}},
            outputs={"o": {"type": "int", "value": "[parameters('size')]"}},
        ),
    },
}
TEMPLATE = {
    **template(
        [
            storage("[concat('st', parameters('name'))]"),
            network("vnet", ("a", "b"), dependsOn=["[resourceId('Contoso.Shop/shelves', 's0')]"]),
            plain("[format('s{0}', copyIndex())]", copy={"name": "loop", "count": 2}),
            NESTED,
        ],
        parameters={
            "name": {
                "type": "string",
                "defaultValue": "shop",
                "minLength": 2,
                "metadata": {"a": 1},
            },
            "secret": {"type": "secureString", "defaultValue": "x"},
            "kind": {"type": "string", "allowedValues": ["a", "b"], "defaultValue": "a"},
        },
        outputs={"id": {"type": "string", "value": "[resourceId('Contoso.Shop/shelves', 's0')]"}},
    ),
    "variables": {
        "list": "[createArray(1, 2)]",
        "copy": [{"name": "many", "count": 2, "input": 1}],
    },
    "functions": [],
}
DEPLOYMENT = {
    "location": "westeurope",
    "tags": {"owner": "me"},
    "properties": {
        "mode": "Incremental",
        "template": TEMPLATE,
        "parameters": {"name": {"value": "abc"}},
        "debugSetting": {"detailLevel": "none"},
        "whatIfSettings": {"resultFormat": "FullResourcePayloads"},
    },
}
RESOURCE = {
    **storage(),
    "tags": {"owner": "me"},
    "identity": {"type": "SystemAssigned"},
    "zones": ["1"],
}
BODIES: dict[str, Any] = {
    "deployment": DEPLOYMENT,
    "deployment-validate": DEPLOYMENT,
    "deployment-what-if": DEPLOYMENT,
    "calculate-template-hash": TEMPLATE,
    "resource": RESOURCE,
    "resource-group": {"location": "westeurope", "tags": {"a": "b"}, "managedBy": "x"},
    "group-export": {"resources": ["*"], "options": "IncludeComments"},
    "group-move": {
        "resources": [f"{GROUP}/providers/Contoso.Shop/shelves/s1"],
        "targetResourceGroup": GROUP,
    },
    "group-validate-move": {
        "resources": [f"{GROUP}/providers/Contoso.Shop/shelves/s1"],
        "targetResourceGroup": GROUP,
    },
    "tags": {"operation": "Merge", "properties": {"tags": {"a": "b"}}},
    "lock": {"properties": {"level": "NotSpecified", "notes": "n"}},
    "management-group": {
        "properties": {
            "displayName": "d",
            "details": {"parent": {"id": "/providers/Microsoft.Management/managementGroups/root"}},
        }
    },
    "management-name": {"name": "shop", "type": "Microsoft.Management/managementGroups"},
    "check-resource-name": {"name": "shop", "type": "Microsoft.Web/sites"},
    "logs-query": {
        "query": "AzureActivity | where TimeGenerated > ago(1h) | take 5",
        "timespan": "PT1H",
    },
    "logs-resource-query": {"query": "AzureActivity | summarize count() by Caller"},
    "logs-batch": {"requests": [{"id": "1", "workspace": "w", "body": {"query": "AzureActivity"}}]},
}
_PLAIN: dict[str, Any] = {
    "location": "westeurope",
    "tags": {"a": "b"},
    "properties": {"x": [1, {"y": None}]},
}


@dataclass(frozen=True)
class Sample:
    """One request; `body` is JSON, or bytes that stand for themselves."""

    method: str
    path: str
    query: str
    body: Any

    @property
    def target(self) -> str:
        """What stands in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def payload(self) -> bytes | None:
        """The body as it is sent."""
        if self.body is None or isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()


def path_of(pattern: str) -> str:
    """Return a path that a route's pattern fits: named parts from `WORDS`, the rest left out."""
    path, at = "", 0
    while at < len(pattern):
        if pattern[at] == "(":
            end = _closing(pattern, at)
            inner = pattern[at + 1 : end]
            named = re.match(r"\?P<(\w+)>(.*)", inner, re.DOTALL)
            optional = pattern[end + 1 : end + 2] == "?"
            if named:
                choices = re.fullmatch(r"[\w|]+", named[2])
                path += named[2].split("|")[0] if choices else WORDS.get(named[1], named[1])
            elif not optional:
                path += path_of(inner.removeprefix("?:").split("|")[0])
            at = end + 1 + optional
        elif pattern[at] == "\\":
            path, at = path + pattern[at + 1], at + 2
        elif pattern[at + 1 : at + 2] == "?":
            at += 2
        else:
            path, at = path + pattern[at], at + 1
    return path


def _closing(pattern: str, start: int) -> int:
    depth = 0
    for at in range(start, len(pattern)):
        depth += {"(": 1, ")": -1}.get(pattern[at], 0)
        if depth == 0:
            return at
    raise ValueError(pattern)


def samples(routes: tuple[Route, ...]) -> list[Sample]:
    """Return a valid request for every method of every route."""
    return [
        Sample(
            method,
            path_of(route.pattern.pattern),
            f"api-version={API}",
            None if method in ("GET", "HEAD", "DELETE") else BODIES.get(route.name, _PLAIN),
        )
        for route in routes
        for method in route.methods
    ]


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, 0, -1, 10**30, 1.5, 1e308, "", "[", "[]", "[[", "x" * 300, "\x00", "\ud800", "é", "..",
        "[parameters('name')]", "[nope()]", "[reference('x')]", "[copyIndex()]", "[resourceId('a/b', 'c', 'd')]",
        "[json('[')]", "[concat(", "[variables('list')[5]]", "/", "a/b/c", {}, [], [[]], {"": {}}, [None], {"a": None},
        {"copy": {"name": "x", "count": -1}}, {"copy": [{"name": "x", "count": 3, "input": "[copyIndex('x')]"}]},
        {"reference": {"keyVault": {"id": "x"}, "secretName": 7}}, {"$ref": "#/definitions/x"}, {"type": "object"},
    ]
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a JSON value, itself excluded."""
    found: list[tuple[Any, ...]] = []
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in inner:
        found += [(*path, key), *places(one, (*path, key))]
    return found


@st.composite
def broken(draw: st.DrawFn, value: Any) -> Any:
    """Return a JSON value with one to three places changed."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 3))):
        found = places(value)
        if not found:
            return copy.deepcopy(draw(JUNK))
        *way, last = draw(st.sampled_from(found))
        holder = value
        for key in way:
            holder = holder[key]
        how = draw(
            st.sampled_from(["replace", "replace", "delete", "case", "wrap", "deep", "twice"])
        )
        _break(holder, last, how, draw(JUNK))
    return value


def _break(holder: Any, key: Any, how: str, junk: Any) -> None:
    junk = copy.deepcopy(junk)
    if how == "delete":
        del holder[key]
    elif how == "case" and isinstance(key, str):
        holder[key.upper()] = junk
    elif how == "wrap":
        holder[key] = [holder[key]]
    elif how == "twice" and isinstance(holder, list):
        holder.append(holder[key])
    elif how == "deep":
        for _ in range(150):
            junk = {"a": junk}
        holder[key] = junk
    else:
        holder[key] = junk


TEXTS = st.sampled_from(
    [
        b"", b"{", b"}", b"null", b"7", b"[]", b'""', b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":1e999}',
        b"[" * 20_000, b'{"a":' * 20_000, b'{"a":1,"A":2,"a":3}', b'{"properties":"\\ud800"}', b"// x", b"{/*",
        b'{"\xc3\x28":1}', b"\x00", b"{} {}", b"'x'",
    ]
)  # fmt: skip
SEGMENTS = st.sampled_from(
    ["", ".", "..", "%2e%2e", "%2F", "%00", "%FF", "%zz", "%25", "%C3%28", "providers", "a" * 300, "x" * 65_536, "%20", "~",
     "subscriptions", "Microsoft.Web", "%EF%BF%BD", "()", "*", "$", "a;b", "%0d%0a"]
)  # fmt: skip
QUERIES = st.sampled_from(
    ["", "api-version=", "api-version=x", "api-version=2025-99-99", f"api-version={API}&api-version=2020-01-01", "&&&=&", "%zz=%FF",
     *(f"api-version={API}&{more}" for more in (
        "$top=-1", "$top=x", "$top=99999999999999999999999", "$skiptoken=x", "$skiptoken=-5", "$filter=", "$filter=a", "$filter=((((",
        "$filter=tagName eq 'a' and", "$filter=" + "a eq 'b' and " * 200, "$expand=x,,", "$filter=%00", "%24filter=resourceType%20eq%20'x",
        "$filter=eventTimestamp ge 'x'", "forceDeletionTypes=x", "$top=1.5", "timespan=x", "query=|", "$filter=atScope()", "$select=,",
        "$filter=eventTimestamp ge '0001-01-01T00:00:00Z' and eventTimestamp le '9999-12-31T23:59:59Z'", "timespan=P99999999999Y"))]
)  # fmt: skip


@st.composite
def broken_request(draw: st.DrawFn, sample: Sample) -> Sample:
    """Return a request with its body, text, path or query broken."""
    how = draw(st.sampled_from(["text", "segment", "insert", "query", "both"]))
    if how == "text":
        return replace(sample, body=draw(TEXTS))
    if how == "query":
        return replace(sample, query=draw(QUERIES).replace(" ", "%20"))
    parts = sample.path.split("/")
    at = draw(st.integers(1, len(parts) - 1)) if len(parts) > 1 else 0
    parts[at : at + (how != "insert")] = [draw(SEGMENTS)]
    query = draw(QUERIES).replace(" ", "%20") if how == "both" else sample.query
    return replace(sample, path="/".join(parts) or "/", query=query)
