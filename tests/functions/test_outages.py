"""The app while its world is broken, through Microsoft's library: a clear answer, nothing lost."""

import base64
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local import ports
from local.git.background import serving
from local.git.server import GitServerSettings
from local.storage import Endpoints
from tests.conftest import Azurite
from tests.functions.account import Account
from tests.functions.conftest import (
    CANARIES,
    HOOK,
    app_settings,
    configuration,
)
from tests.functions.payloads import TIP, URL, body_of, headers_of
from tests.functions.playing import Played, Player, playing

SYNC = b'{"v":1,"repository":"shop"}'


def closed_port() -> int:
    """Return a port where nobody listens."""
    [port] = ports.free_ports(1)
    return port


@contextmanager
def worker(folder: Path, connection_string: str, url: str = URL, **more: str) -> Iterator[Player]:
    """Start a worker whose configuration is a setting, so that it needs no storage for it."""
    inline = json.dumps(configuration(url))
    with playing(app_settings(connection_string, PLUMBLINE_CONFIG=inline, **more), folder) as it:
        yield it


def deliver(player: Player, key: str | None = None) -> Played:
    """Deliver a genuine push."""
    body = body_of()
    headers = headers_of(body, x_github_delivery=key or str(uuid.uuid4()))
    return player.http("receive_push", method="POST", headers=headers, body=body, hook=HOOK)


def assert_nothing_leaks(player: Player, *played: Played, more: tuple[str, ...] = ()) -> None:
    """Check what was logged, answered, raised and printed for secrets."""
    seen = "\n".join(p.seen() for p in played) + player.errors.read_text()
    assert not [canary for canary in (*CANARIES, *more) if canary in seen]


def reasons(played: Played) -> list[Any]:
    """Return the reasons that the log gives."""
    lines = [*played.events("invocation_finished"), *played.events("invocation_failed")]
    lines += [*played.events("stalled"), *played.events("message_delayed")]
    return [line["reason"] for line in lines if line.get("reason")]


def test_without_storage_nothing_is_accepted(tmp_path: Path) -> None:
    """HTTP says 503 and when to come back, a message stays with its queue, a tick is put off."""
    nowhere = Endpoints(closed_port(), closed_port()).connection_string
    with worker(tmp_path, nowhere) as player:
        pushed = deliver(player)
        asked = player.http("status", path="stacks")
        synced = player.queue("sync", SYNC)
        swept = player.timer("sweep")

        for played in (pushed, asked):
            assert (played.error, played.status) == (None, 503)
            assert int(played.headers["retry-after"]) >= 1
            assert played.json()["error"] == reasons(played)[0]
        assert "StorageUnreachable" in (synced.error or "")
        assert swept.error is None
        for played in (pushed, asked, synced, swept):
            assert reasons(played)
        assert_nothing_leaks(player, pushed, asked, synced, swept)


def test_half_a_storage_is_none_and_a_redelivery_mends_it(
    azurite: Azurite, account: Account, tmp_path: Path
) -> None:
    """With the blobs there but no queues: 503; sent again later, it is one delivery, once queued."""
    half = Endpoints(azurite.endpoints.blob_port, closed_port()).connection_string
    key = str(uuid.uuid4())
    account.take("sync")
    with worker(tmp_path, half) as player:
        refused = deliver(player, key)
    with worker(tmp_path, azurite.connection_string) as player:
        accepted = deliver(player, key)
        pending = player.api(f"revisions/{TIP}")

    assert (refused.status, accepted.status) == (503, 202)
    assert account.names("history", f"deliveries/github/{key}") == [f"deliveries/github/{key}.json"]
    assert account.take("sync") == [b'{"v":1,"repository":"shop","pushed":true}']
    assert pending["status"] == "pending"


def test_a_storage_that_refuses_us_is_503_and_told(azurite: Azurite, tmp_path: Path) -> None:
    """A wrong account key is something for a person: the log says what, and not the key."""
    key = base64.b64encode(b"canary-of-the-account-key").decode()
    parts = dict(p.split("=", 1) for p in azurite.connection_string.strip(";").split(";"))
    wrong = ";".join(f"{name}={value}" for name, value in (parts | {"AccountKey": key}).items())
    with worker(tmp_path, wrong) as player:
        pushed = deliver(player)
        swept = player.timer("sweep")

        [told] = pushed.events("stalled")
        assert pushed.status == 503
        assert told["hint"]
        assert swept.error is None
        assert_nothing_leaks(player, pushed, swept, more=(key, "canary-of-the-account-key"))


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"PLUMBLINE_DIGEST_KEY": ""}, ["PLUMBLINE_DIGEST_KEY"]),
        (
            {"PLUMBLINE_DIGEST_KEY": "canary-short", "PLUMBLINE_WATCH_MAX_S": "soon"},
            ["PLUMBLINE_DIGEST_KEY", "PLUMBLINE_WATCH_MAX_S"],
        ),
        (
            {
                "PLUMBLINE_SECRET_GIT": "@Microsoft.KeyVault(SecretUri=https://v.example/canary-ref)",
                "PLUMBLINE_ARM_ENDPOINT": "ftp://arm",
            },
            ["PLUMBLINE_SECRET_GIT", "PLUMBLINE_ARM_ENDPOINT"],
        ),
    ],
)
def test_wrong_settings_are_all_named(
    azurite: Azurite, tmp_path: Path, wrong: Mapping[str, str], names: list[str]
) -> None:
    """503, and one line of the log names every wrong setting with its remedy, never its value."""
    with worker(tmp_path, azurite.connection_string, **wrong) as player:
        pushed = deliver(player)
        asked = player.http("status", path="health")
        synced = player.queue("sync", SYNC)
        swept = player.timer("sweep")

        assert [p.status for p in (pushed, asked)] == [503, 503]
        assert synced.error is not None
        assert swept.error is not None
        for played in (pushed, asked, synced, swept):
            [told] = played.events("stalled")
            assert [name for name in names if name not in told["message"]] == []
        assert_nothing_leaks(
            player, pushed, asked, synced, swept, more=("canary-short", "canary-ref")
        )


@pytest.fixture(scope="module")
def lonely(azurite: Azurite, account: Account, folder: Path) -> Iterator[Player]:
    """Start a worker whose storage works and whose Git host does not answer."""
    assert account.length("sync") >= 0
    url = f"http://127.0.0.1:{closed_port()}/shop.git"
    with worker(folder, azurite.connection_string, url) as player:
        yield player


def test_a_git_host_that_is_away_costs_a_message_only_time(
    lonely: Player, account: Account
) -> None:
    """The message is done, and a copy with one more try comes a little later."""
    account.take("sync")

    played = lonely.queue("sync", SYNC)

    assert played.error is None
    assert account.take("sync") == []
    assert json.loads(account.wait_for("sync")) == {"v": 1, "repository": "shop", "tries": 1}
    assert lonely.api("health")["repositories"][0]["problems"][0]["code"] in reasons(played)
    assert_nothing_leaks(lonely, played)


@pytest.mark.parametrize("queue", ["sync", "release", "watch", "snapshot"])
def test_what_is_followed_no_more_is_let_be(lonely: Player, account: Account, queue: str) -> None:
    """A message of a repository that the operator took out is done, and nothing comes of it."""
    stack = {} if queue == "sync" else {"stack": "web"}
    body = json.dumps({"v": 1, "repository": "elsewhere", **stack}).encode()
    before = account.names("state")

    played = lonely.queue(queue, body)

    assert played.error is None
    assert account.names("state") == before


@pytest.mark.parametrize("queue", ["sync", "release", "watch", "snapshot"])
@pytest.mark.parametrize(
    "body", [b"", b"no JSON", b"\xff\xfe", b'{"v":2,"repository":"shop"}', b'{"v":1,"what":1}']
)
def test_an_unreadable_message_fails_until_it_is_poison(
    lonely: Player, queue: str, body: bytes
) -> None:
    """The worker reports a failure, which is what makes storage hand it on to the poison queue."""
    played = lonely.queue(queue, body)

    assert "BadMessage" in (played.error or "")
    assert len(played.events("invocation_failed")) == 1


def test_a_git_host_that_refuses_our_token(
    azurite: Azurite, account: Account, tmp_path: Path
) -> None:
    """It is told to whoever asks for health, the message is done, and the token stays unsaid."""
    git = GitServerSettings(tmp_path / "git", user="plumbline", token="a newer token")
    account.take("sync")
    with (
        serving(git) as server,
        worker(tmp_path, azurite.connection_string, server.url) as player,
    ):
        played = player.queue("sync", SYNC)
        health = player.http("status", path="health")

        [told] = played.events("stalled")
        assert played.error is None
        assert told["reason"] == "GitAuthenticationFailed"
        assert health.json()["status"] == "problem"
        assert health.json()["repositories"][0]["problems"][0]["code"] == told["reason"]
        assert_nothing_leaks(player, played, health)
