"""The door that anybody can knock at: ``receive_push`` through Microsoft's library, over storage.

Nobody gets more than a status and a sentence; nothing is stored that is not a genuine push to the
followed branch; and whatever is sent, the answer is never 500.
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.core.push import MAX_BODY_BYTES
from tests.conftest import Azurite
from tests.functions import payloads
from tests.functions.account import Account
from tests.functions.conftest import (
    BODY_TEXT,
    CANARIES,
    HOOK,
    app_settings,
    configuration,
    signed,
)
from tests.functions.payloads import URL, body_of, elsewhere, headers_of
from tests.functions.playing import Played, Player, playing

GONE = "0" * 40
TOO_MUCH = MAX_BODY_BYTES + 1


@pytest.fixture(scope="module")
def door(azurite: Azurite, account: Account, folder: Path) -> Iterator[Player]:
    """Start a worker that follows one repository; nothing of it is ever fetched here."""
    account.configure(configuration(URL))
    with playing(app_settings(azurite.connection_string), folder) as player:
        yield player


def knock(door: Player, body: bytes, hook: str = HOOK, **changed: str | None) -> Played:
    """Deliver a body, validly signed unless a header is changed; nothing that leaks goes through."""
    headers = headers_of(body, **changed)
    played = door.http("receive_push", method="POST", headers=headers, body=body, hook=hook)
    assert played.error is None, played.trace
    seen = played.seen()
    assert not [canary for canary in CANARIES if canary in seen], seen
    return played


BODY = body_of()
GENUINE = signed(BODY)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param(signed(BODY, "another secret"), id="of another secret"),
        pytest.param(signed(BODY + b" "), id="of another body"),
        pytest.param(f"{GENUINE},{GENUINE}", id="doubled"),
        pytest.param(f"{GENUINE}, {signed(BODY, 'x')}", id="two"),
        pytest.param(GENUINE.removeprefix("sha256="), id="without its prefix"),
        pytest.param(GENUINE.replace("sha256", "sha1"), id="of another algorithm"),
        pytest.param(GENUINE.upper(), id="in capitals"),
        pytest.param("sha256=" + "é" * 64, id="not ASCII"),
        pytest.param("sha256=" + "٣" * 64, id="digits of another script"),
        pytest.param("sha256=" + "\x00" * 64, id="zeros"),
    ],
)
@pytest.mark.parametrize("event", ["push", "ping"])
def test_without_a_genuine_signature_nothing_is_said(
    door: Player, account: Account, signature: str | None, event: str | None
) -> None:
    """401 whatever the event is, the same to the byte as for a hook that does not exist."""
    before = account.names("history", "deliveries/")
    refused = knock(door, BODY, x_hub_signature_256=signature, x_github_event=event)
    unknown = knock(door, BODY, "another-hook-altogether")

    assert (refused.status, unknown.status) == (401, 401)
    assert (refused.body, refused.headers) == (unknown.body, unknown.headers)
    assert account.names("history", "deliveries/") == before


@pytest.mark.parametrize("hook", ["", "é", "../../state", HOOK.upper(), HOOK + "/", "x" * 5000])
def test_an_unknown_hook_is_a_bad_signature(door: Player, hook: str) -> None:
    """Nobody finds out which hooks there are."""
    assert knock(door, BODY, hook).status == 401


@pytest.mark.parametrize(
    ("body", "length", "status"),
    [
        pytest.param(b"x" * TOO_MUCH, None, 413, id="measured, nothing claimed"),
        pytest.param(b"x" * TOO_MUCH, "10", 413, id="measured, less claimed"),
        pytest.param(b"x" * TOO_MUCH, "-1", 413, id="measured, nonsense claimed"),
        pytest.param(BODY, str(TOO_MUCH), 413, id="claimed only"),
        pytest.param(BODY, "9" * 5000, 413, id="claimed beyond all numbers"),
        pytest.param(BODY, "1e9", 202, id="claimed in no number"),
        pytest.param(BODY, "٣", 202, id="claimed in another script"),
        pytest.param(BODY, None, 202, id="no claim"),
    ],
)
def test_a_body_over_the_cap_is_413(
    door: Player, body: bytes, length: str | None, status: int
) -> None:
    """One MiB is the cap, by what is claimed and by what came; GitHub's own is 25 MiB."""
    assert knock(door, body, content_length=length).status == status


def test_a_body_of_exactly_the_cap_is_taken(door: Player) -> None:
    """The cap itself is allowed."""
    body = BODY + b" " * (MAX_BODY_BYTES - len(BODY))

    assert knock(door, body).status == 202


@pytest.mark.parametrize(
    ("encoding", "status"),
    [("gzip", 415), ("br", 415), ("identity, gzip", 415), ("é", 415), ("identity", 202), ("", 202)],
)
def test_an_encoded_body_is_415(door: Player, encoding: str, status: int) -> None:
    """Nothing is unpacked for a stranger."""
    assert knock(door, BODY, content_encoding=encoding).status == status


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b'{"ref":', "not valid JSON"),
        (b"[" * 200_000, "not valid JSON"),
        (b"payload=%7B%7D", "not valid JSON"),
        (b'{"ref":1e999}', "not valid JSON"),
        (body_of(ref="refs/heads/\ud800"), "not valid JSON"),
        (b"[]", "an object"),
        (b'"text"', "an object"),
        (b"null", "an object"),
        (b"{}", "repository"),
        (body_of(repository=[]), "repository"),
        (body_of(repository={}), "clone_url"),
        (body_of(ref=None), "ref"),
        (body_of(ref=["refs/heads/main"]), "ref"),
        (body_of(after=BODY_TEXT), "after"),
        (body_of(after=7), "after"),
        (body_of(after="A" * 40), "after"),
        (body_of(after="1" * 39 + "\n"), "after"),
    ],
)
def test_what_is_no_push_is_400_and_says_where(door: Player, body: bytes, place: str) -> None:
    """A genuine sender learns which node is wrong, never what was in it."""
    played = knock(door, body)

    assert (played.status, played.json()["result"]) == (400, "refused")
    assert place in played.json()["reason"]


@pytest.mark.parametrize(
    ("body", "event", "reason"),
    [
        (BODY, "issues", "only push and ping"),
        (BODY, None, "only push and ping"),
        (BODY, "PUSH", "only push and ping"),
        (b"\xff", "workflow_run", "only push and ping"),
        (elsewhere("https://git.example/acme/other.git"), "push", "another repository"),
        (elsewhere("https://git.example.evil.org/acme/shop.git"), "push", "another repository"),
        (elsewhere("https://evil.org/git.example/acme/shop"), "push", "another repository"),
        (elsewhere("https://[::1/acme/shop"), "push", "another repository"),
        (body_of(ref="refs/heads/feature"), "push", "'feature' is not followed"),
        (body_of(ref="refs/heads/Main"), "push", "'Main' is not followed"),
        (body_of(ref="refs/heads/main/x"), "push", "'main/x' is not followed"),
        (body_of(ref="refs/tags/main"), "push", "is not a branch"),
        (body_of(ref=""), "push", "is not a branch"),
        (body_of(ref="refs/heads/\u202e\x00<script>"), "push", "not followed"),
        (body_of(ref="refs/heads/" + "x" * 5000), "push", "…"),
        (body_of(after=GONE, deleted=True), "push", "deleted: nothing is touched"),
        (body_of(ref="refs/heads/feature", after=GONE), "push", "not followed"),
    ],
)
def test_what_does_not_concern_us_is_202_with_a_reason(
    door: Player, account: Account, body: bytes, event: str | None, reason: str
) -> None:
    """The Git host is content, the sender reads why, and nothing is stored or started."""
    before = account.names("history", "deliveries/"), account.length("sync")

    played = knock(door, body, x_github_event=event)

    answered = played.json()
    assert (played.status, answered["result"]) == (202, "ignored")
    assert reason in answered["reason"]
    assert len(answered["reason"]) < 300
    assert "\x00" not in answered["reason"]
    assert "\u202e" not in answered["reason"]
    assert (account.names("history", "deliveries/"), account.length("sync")) == before


@pytest.mark.parametrize("body", [b'{"zen":"canary"}', b"", b"\xff"])
def test_a_ping_is_answered(door: Player, body: bytes) -> None:
    """GitHub's first delivery says whether address and secret are right."""
    played = knock(door, body, x_github_event="ping")

    assert (played.status, played.json()["result"]) == (200, "pong")


def test_a_redelivery_is_stored_once(door: Player, account: Account) -> None:
    """The same delivery again is 202 again; what was stored stays, and is what was sent."""
    key = str(uuid.uuid4())
    stored = f"deliveries/github/{key}.json"

    answers = [knock(door, BODY, x_github_delivery=key).status for _ in range(3)]

    assert answers == [202, 202, 202]
    assert account.names("history", stored) == [stored]
    assert account.read("history", stored) == BODY
    assert len(account.names("state", f"pending/deliveries/shop/{key}")) == 1


@pytest.mark.parametrize("key", [None, "", "../../state/x", "é", "a" * 65, "a/b", "a\nb"])
def test_an_odd_delivery_id_never_becomes_a_name(
    door: Player, account: Account, key: str | None
) -> None:
    """The body's digest names it then, so that a redelivery is still the same one."""
    body = body_of(pusher={"name": str(uuid.uuid4())})
    before = set(account.names("history"))

    answers = [knock(door, body, x_github_delivery=key).status for _ in range(2)]

    [new] = set(account.names("history")) - before
    assert answers == [202, 202]
    assert len(new) == len("deliveries/github/.json") + 64
    assert account.read("history", new) == body


def test_the_message_says_only_which_repository(door: Player, account: Account) -> None:
    """Nothing of a payload travels through the queues (rule 1)."""
    account.take("sync")

    assert knock(door, BODY).status == 202

    message = json.loads(account.wait_for("sync"))
    assert message == {"v": 1, "repository": "shop", "pushed": True}


def test_every_node_may_be_missing(door: Player) -> None:
    """A payload without one of its nodes is a push or 400, never 500."""
    needed = {("ref",), ("after",), ("repository",), ("repository", "clone_url"), ()}
    statuses = {
        path: knock(door, json.dumps(payloads.without(path)).encode()).status
        for path in payloads.paths(payloads.sample())
    }

    assert {path for path, status in statuses.items() if status == 400} == needed
    assert set(statuses.values()) == {202, 400}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["refs/heads/main", GONE, URL, "https://[", "git@:", "http://x:99999/"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(payloads.paths(payloads.sample()))), JSON)
def test_every_node_may_be_anything(door: Player, path: payloads.Path, value: Any) -> None:
    """A payload with any value at any node is taken, ignored or refused, never 500."""
    played = knock(door, json.dumps(payloads.replaced(path, value)).encode())

    assert played.status in {202, 400}
    assert played.json()["result"] in {"accepted", "ignored", "refused"}


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.binary(max_size=60), st.integers(0, len(BODY)), st.integers(0, 60))
def test_any_bytes_may_come(door: Player, noise: bytes, at: int, cut: int) -> None:
    """A genuine signature over damaged bytes is no reason to fall over."""
    damaged = BODY[:at] + noise + BODY[at + cut :]

    assert knock(door, damaged).status in {202, 400}
