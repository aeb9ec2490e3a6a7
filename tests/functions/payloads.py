"""A push payload as GitHub sends it, and every way to break one node of it."""

import copy
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.functions.conftest import BODY_TEXT, signed

URL: Final = "https://git.example/acme/shop.git"
TIP: Final = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
Path = tuple[str | int, ...]

_PERSON: Final = {"name": BODY_TEXT, "email": f"{BODY_TEXT}@example.org", "login": BODY_TEXT}


def sample() -> dict[str, Any]:
    """Return a push of one commit to ``main``; its texts carry the canary."""
    return {
        "ref": "refs/heads/main",
        "before": "1" * 40,
        "after": TIP,
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": f"https://git.example/acme/shop/compare/{BODY_TEXT}",
        "repository": {
            "id": 186853002,
            "name": "shop",
            "full_name": "acme/shop",
            "private": True,
            "owner": dict(_PERSON),
            "html_url": "https://git.example/acme/shop",
            "clone_url": URL,
            "git_url": "git://git.example/acme/shop.git",
            "ssh_url": "git@git.example:acme/shop.git",
            "default_branch": "main",
        },
        "pusher": dict(_PERSON),
        "sender": dict(_PERSON),
        "head_commit": {
            "id": TIP,
            "message": BODY_TEXT,
            "author": dict(_PERSON),
            "added": [],
            "removed": [],
            "modified": [f"stacks/{BODY_TEXT}.json"],
        },
        "commits": [{"id": TIP, "message": BODY_TEXT, "modified": [BODY_TEXT]}],
    }


def body_of(**changed: Any) -> bytes:
    """Return the sample as bytes, with other values at the top."""
    return json.dumps(sample() | changed).encode()


def elsewhere(url: str) -> bytes:
    """Return a push to the repository at another URL."""
    document = sample()
    for key in ("html_url", "clone_url", "git_url", "ssh_url"):
        document["repository"][key] = url
    return json.dumps(document).encode()


def headers_of(body: bytes, **changed: str | None) -> dict[str, str]:
    """Return a delivery's headers, validly signed; a change to None leaves one out."""
    given: Mapping[str, str | None] = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "x-github-event": "push",
        "x-github-delivery": str(uuid.uuid4()),
        "x-hub-signature-256": signed(body),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }
    return {name: value for name, value in given.items() if value is not None}


def paths(node: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the path of every node, the root first."""
    yield at
    children: Sequence[tuple[str | int, Any]] = ()
    if isinstance(node, dict):
        children = list(node.items())
    elif isinstance(node, list):
        children = list(enumerate(node))
    for key, child in children:
        yield from paths(child, (*at, key))


def without(path: Path) -> Any:
    """Return the sample without one node; None for the root."""
    if not path:
        return None
    document = sample()
    del _holder(document, path)[path[-1]]
    return document


def replaced(path: Path, value: Any) -> Any:
    """Return the sample with another value at one node."""
    if not path:
        return value
    document = sample()
    _holder(document, path)[path[-1]] = copy.deepcopy(value)
    return document


def _holder(document: Any, path: Path) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document
