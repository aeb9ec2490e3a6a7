"""A push webhook: genuine or not, ours or not, and never an exception for whatever is sent."""

import hashlib
import hmac
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.push import (
    MAX_BODY_BYTES,
    MalformedPushError,
    is_genuine,
    is_oversized,
    parse_push,
    place,
    why_ignored,
)
from shared.core.secret import Secret

SECRET = Secret("It's a Secret to Everybody")
BODY = b"Hello, World!"
# GitHub's own example, from "Validating webhook deliveries".
VECTOR = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
SHA = "1" * 40


def _payload(**changed: Any) -> dict[str, Any]:
    return {
        "ref": "refs/heads/main",
        "before": "0" * 40,
        "after": SHA,
        "repository": {"clone_url": "https://git.example/acme/shop.git"},
        **changed,
    }


def _sign(body: bytes, algorithm: str = "sha256") -> str:
    digest = hmac.new(SECRET.reveal().encode(), body, algorithm).hexdigest()
    return f"{algorithm}={digest}"


def test_githubs_own_vector_is_genuine() -> None:
    """The signature that GitHub documents for its example is accepted."""
    assert is_genuine(VECTOR, BODY, [SECRET])


def test_any_of_several_secrets_will_do() -> None:
    """During a rotation the old and the new secret are both valid."""
    assert is_genuine(VECTOR, BODY, [Secret("new"), SECRET])
    assert is_genuine(VECTOR, BODY, [SECRET, Secret("new")])


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        VECTOR.removeprefix("sha256="),
        VECTOR.upper(),
        "sha256=" + VECTOR.removeprefix("sha256=").upper(),
        VECTOR[:-1] + ("0" if VECTOR[-1] != "0" else "1"),
        VECTOR + "0",
        VECTOR[:-1],
        " " + VECTOR,
        f"{VECTOR},{VECTOR}",
        VECTOR.replace("sha256", "sha1"),
        _sign(BODY, "sha1"),
        _sign(b"Hello, World"),
        "sha256=" + "\u00e9" * 64,
        "sha256=" + "\udcff" * 64,
    ],
)
def test_anything_else_is_not(signature: str | None) -> None:
    """Wrong, missing, doubled, shortened, re-cased or non-ASCII: refused, and without an error."""
    assert not is_genuine(signature, BODY, [SECRET])


def test_without_a_secret_nothing_is_genuine() -> None:
    """A missing secret closes the endpoint; it never means that no check is made."""
    assert not is_genuine(_sign(BODY), BODY, [])


@given(st.binary(max_size=200), st.text(max_size=100))
def test_no_random_signature_is_genuine_and_none_raises(body: bytes, signature: str) -> None:
    """Whatever is sent, the answer is yes or no."""
    assert is_genuine(signature, body, [SECRET]) == (signature == _sign(body))


def test_a_push_says_where_and_what() -> None:
    """The ref, the new tip and the repository are read, nothing else."""
    push = parse_push(orjson.dumps(_payload()))

    assert (push.ref, push.after, push.deleted) == ("refs/heads/main", SHA, False)
    assert push.urls == {"git.example/acme/shop"}


def test_a_deleted_branch_is_told_by_its_id_of_zeros() -> None:
    """GitHub announces a deletion as a push to forty zeros."""
    assert parse_push(orjson.dumps(_payload(after="0" * 40))).deleted


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "object"),
        (b"null", "object"),
        (b"[" * 100_000, "JSON"),
        (b'{"a":NaN}', "JSON"),
        (orjson.dumps(_payload(ref=None)), "ref"),
        (orjson.dumps(_payload(ref=7)), "ref"),
        (orjson.dumps(_payload(after="main")), "after"),
        (orjson.dumps(_payload(after="1" * 39)), "after"),
        (orjson.dumps(_payload(after=["1"])), "after"),
        (orjson.dumps(_payload(repository=None)), "repository"),
        (orjson.dumps(_payload(repository="shop")), "repository"),
        (orjson.dumps(_payload(repository={})), "clone_url"),
        (orjson.dumps(_payload(repository={"clone_url": {"href": "x"}})), "clone_url"),
        (orjson.dumps({"ref": "refs/heads/main"}), "repository"),
    ],
)
def test_what_is_not_a_push_says_where(body: bytes, where: str) -> None:
    """Garbage, wrong types and missing nodes are named; what was sent is not repeated."""
    with pytest.raises(MalformedPushError, match=where):
        parse_push(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from(["ref", "before", "after", "repository"]), _JSON)
def test_any_node_may_be_anything(key: str, value: Any) -> None:
    """A mutated payload is read or refused, and never breaks anything (GHSA-gpx4-37g2-c8pv)."""
    try:
        parse_push(orjson.dumps(_payload(**{key: value})))
    except MalformedPushError:
        return


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"ref": "refs/heads/dev"}, "not followed"),
        ({"ref": "refs/tags/main"}, "not a branch"),
        ({"ref": "main"}, "not a branch"),
        ({"repository": {"clone_url": "https://git.example/acme/other.git"}}, "another repository"),
        ({"repository": {"clone_url": "https://evil.example/acme/shop.git"}}, "another repository"),
        ({"repository": {"clone_url": "git@git.example:acme/shop.git"}}, None),
        ({"repository": {"clone_url": "https://git.example/ACME/Shop"}}, None),
        ({"repository": {"clone_url": "x", "ssh_url": "git@git.example:acme/shop.git"}}, None),
    ],
)
def test_a_push_that_does_not_concern_us_is_ignored_with_a_reason(
    changed: dict[str, Any], reason: str | None
) -> None:
    """Only pushes to the followed branch of the followed repository start anything."""
    push = parse_push(orjson.dumps(_payload(**changed)))

    found = why_ignored(push, url="https://git.example/acme/shop.git", branch="main")

    assert (found is None) == (reason is None)
    assert reason is None or reason in (found or "")


def test_foreign_text_in_a_reason_is_printable_and_short() -> None:
    """A ref with control characters or of any length cannot garble a log or an answer."""
    push = parse_push(orjson.dumps(_payload(ref="refs/heads/\x1b[31m" + "x" * 10_000)))

    reason = why_ignored(push, url="https://git.example/acme/shop.git", branch="main") or ""

    assert reason.isprintable()
    assert len(reason) < 200


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:token@Git.Example:443/Acme/Shop.git/", "git.example/acme/shop"),
        ("http://127.0.0.1:8080/example.git", "127.0.0.1:8080/example"),
        ("ssh://git@git.example/acme/shop", "git.example/acme/shop"),
        ("https://git.example:port/x", ""),
        ("https://[::1", ""),
    ],
)
def test_urls_compare_by_place(url: str, expected: str) -> None:
    """Schemes, credentials, letter case and .git make no difference; ports do."""
    assert place(url) == expected


@pytest.mark.parametrize(
    ("length", "expected"), [(0, False), (MAX_BODY_BYTES, False), (MAX_BODY_BYTES + 1, True)]
)
def test_one_mebibyte_is_the_cap(length: int, *, expected: bool) -> None:
    """The claimed and the measured length are both held to the cap."""
    assert is_oversized([0, length]) is expected


def test_a_signature_is_compared_over_the_raw_body() -> None:
    """Re-encoding the same JSON breaks the signature: the bytes count, not their meaning."""
    body = orjson.dumps(_payload())
    signature = "sha256=" + hmac.new(SECRET.reveal().encode(), body, hashlib.sha256).hexdigest()

    assert is_genuine(signature, body, [SECRET])
    assert not is_genuine(signature, body + b"\n", [SECRET])
