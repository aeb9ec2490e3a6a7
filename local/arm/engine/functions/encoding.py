"""Functions between encodings: base64, data URIs and URIs."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes, urljoin, urlsplit

from local.arm.engine.functions.objects import json_of
from local.arm.engine.functions.signature import fail, function, table
from local.arm.engine.values import get, to_text

_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}


def to_base64(text: str) -> str:
    """Return the base64 of a text's UTF-8."""
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def from_base64(text: str) -> str:
    """Return the text of base64."""
    return _decode("base64ToString", text)


def data_uri(value: Any) -> str:
    """Return a data URI of plain UTF-8 text."""
    return f"data:text/plain;charset=utf-8;base64,{to_base64(to_text(value))}"


def from_data_uri(uri: str) -> str:
    """Return the text of a data URI."""
    head, comma, data = uri.partition(",")
    if not comma or not head.lower().startswith("data:"):
        raise fail("dataUriToString", f"'{uri[:80]}' is not a data URI.")
    if head.lower().endswith(";base64"):
        return _decode("dataUriToString", unquote(data))
    return unquote_to_bytes(data).decode("utf-8", "replace")


def join_uri(base: str, relative: str) -> str:
    """Return the absolute URI of a relative one."""
    if not urlsplit(base).scheme:
        raise fail("uri", f"the base URI '{base}' is not absolute.")
    return urljoin(base, relative)


def parse_uri(text: str) -> dict[str, Any]:
    """Return the parts of a URI."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise fail("parseUri", f"'{text}' is not a URI.") from error
    if not parts.scheme:
        raise fail("parseUri", f"'{text}' is not an absolute URI.")
    return {
        "scheme": parts.scheme,
        "host": parts.hostname or "",
        "port": port if port is not None else _DEFAULT_PORTS.get(parts.scheme, -1),
        "path": parts.path or "/",
        "query": f"?{parts.query}" if parts.query else "",
    }


def build_uri(parts: Mapping[str, Any]) -> str:
    """Return the URI of its parts."""
    scheme, host = get(parts, "scheme", "http"), get(parts, "host", "")
    if not isinstance(scheme, str) or not isinstance(host, str) or not host:
        raise fail("buildUri", "the parts need a 'host', and 'scheme' and 'host' are strings.")
    port = get(parts, "port")
    shown = "" if port in (None, -1, _DEFAULT_PORTS.get(scheme)) else f":{port}"
    path = str(get(parts, "path", ""))
    query = str(get(parts, "query", ""))
    slash = "" if path.startswith("/") else "/"
    mark = "" if not query or query.startswith("?") else "?"
    return f"{scheme}://{host}{shown}{slash}{path}{mark}{query}"


def _decode(name: str, text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise fail(name, "the text is not the base64 of UTF-8 text.") from error


FUNCTIONS = table(
    function("base64(string)", to_base64),
    function("base64ToString(string)", from_base64),
    function("base64ToJson(string)", lambda text: json_of(_decode("base64ToJson", text))),
    function("buildUri(object)", build_uri),
    function("dataUri(any)", data_uri, deep=True),
    function("dataUriToString(string)", from_data_uri),
    function("parseUri(string)", parse_uri),
    function("uri(string, string)", join_uri),
    function("uriComponent(string)", lambda text: quote(text, safe="", errors="replace")),
    function("uriComponentToString(string)", unquote),
)
