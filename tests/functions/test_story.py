"""Every function, through Microsoft's library, from a signed push to an answer about its release.

Over a real Azurite, the ARM simulator over TLS and a real Git server, whose own hook signs the
push. The host's part is played by hand: messages are handed out one by one until none is left.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local import waiting
from local.arm.server import Address
from local.git.background import serving
from local.git.repositories import Webhook
from local.git.server import GitServerSettings
from tests.functions.account import Account
from tests.functions.conftest import (
    CANARIES,
    GIT_TOKEN,
    HOOK,
    HOOK_SECRET,
    ROOT,
    app_settings,
    configuration,
)
from tests.functions.playing import Played, Player, playing
from tests.git.receiver import Received, receiving
from tests.git.working_copy import WorkingCopy

OPERATOR_KEY = "canary-of-the-operator-key"
STACKS = ["logs", "network", "storage", "vault", "web", "worker"]


@dataclass
class Story:
    """What was done and what came of it."""

    player: Player
    account: Account
    played: list[tuple[str, Played]] = field(default_factory=list)
    answers: list[Played] = field(default_factory=list)
    first: str = ""
    quiet: str = ""
    known_before: list[Any] = field(default_factory=list)
    swept: Played | None = None
    swept_messages: list[tuple[str, Played]] = field(default_factory=list)

    def deliver(self, delivery: Received) -> Played:
        """Hand a webhook to ``receive_push``, as the host would."""
        played = self.player.http(
            "receive_push", method="POST", headers=delivery.headers, body=delivery.body, hook=HOOK
        )
        self.answers.append(played)
        return played

    def drain(self) -> list[tuple[str, Played]]:
        """Let the queue functions work until there is nothing left to do."""
        done = self.account.drain(self.player)
        self.played += done
        return done


def _settings(arm: Address, connection_string: str) -> Mapping[str, str]:
    return app_settings(
        connection_string,
        PLUMBLINE_ARM_ENDPOINT=arm.endpoint,
        PLUMBLINE_ARM_CA_FILE=arm.ca_file,
        PLUMBLINE_LOGS_ENDPOINT=arm.endpoint,
        PLUMBLINE_WATCH_FIRST_S="0",
        PLUMBLINE_WATCH_MIN_S="0",
        PLUMBLINE_WATCH_MAX_S="1",
        PLUMBLINE_SYNC_POLL_S="1",
        PLUMBLINE_OPERATOR_KEY=OPERATOR_KEY,
        IDENTITY_ENDPOINT=arm.identity.endpoint,
        IDENTITY_HEADER=arm.identity.header,
    )


@pytest.fixture(scope="module")
def story(azurite: Any, account: Account, arm: Address, folder: Path) -> Iterator[Story]:
    """Play it once; the tests look at what came of it."""
    secret = folder / "secret"
    secret.write_text(HOOK_SECRET)
    with receiving() as receiver:
        git = GitServerSettings(
            folder / "git",
            user="plumbline",
            token=GIT_TOKEN,
            webhook=Webhook(receiver.url, secret),
        )
        with (
            serving(git) as server,
            playing(_settings(arm, azurite.connection_string), folder) as player,
        ):
            account.configure(configuration(server.url, arm.subscription_id))
            story = Story(player, account)
            copy = WorkingCopy.clone(server.url_with_credentials, folder / "copy")
            shutil.copytree(ROOT / "examples" / "shop", copy.folder, dirs_exist_ok=True)
            story.first = copy.commit("the shop")
            copy.push()
            story.deliver(receiver.received[0])
            story.known_before = [player.api(f"revisions/{story.first}"), player.api("stacks")]
            story.drain()
            _lose_a_webhook(story, copy)
            yield story


def _lose_a_webhook(story: Story, copy: WorkingCopy) -> None:
    """Push words only, and tell nobody: the sweep has to find it."""
    (copy.folder / "README.md").write_text("Only words.\n")
    story.quiet = copy.commit("words")
    copy.push()
    sweeps: list[Played] = []

    def found() -> bool:
        sweeps.append(story.player.timer("sweep", past_due=True))
        return story.account.length("sync") > 0

    waiting.until(found, limit_s=10, what="the sweep to ask for a sync", pause_s=0.3)
    story.swept = sweeps[-1]
    story.swept_messages = story.drain()


def test_every_function_is_indexed_as_documented(story: Story) -> None:
    """What Microsoft's library tells the host is, function by function, docs/functions.md."""
    page = (ROOT / "docs" / "functions.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    documented = {row[0].strip("| `"): row[1] for row in rows}

    assert {name: _shown(it) for name, it in story.player.functions.items()} == documented
    assert len(documented) == 15


def _shown(trigger: Mapping[str, Any]) -> str:
    match trigger["type"]:
        case "httpTrigger":
            methods = " ".join(trigger["methods"])
            return f"HTTP {methods} `/api/{trigger['route']}`, {trigger['authLevel'].lower()}"
        case "queueTrigger":
            assert trigger["connection"] == "PlumblineStorage"
            return f"queue `{trigger['queueName']}`"
        case kind:
            assert kind == "timerTrigger"
            return f"timer `{trigger['schedule']}`"


def test_a_push_is_accepted_before_anything_else_happens(story: Story) -> None:
    """202, the delivery is kept, and the revision can be asked for although nobody synced yet."""
    answer = story.answers[0]
    revision, stacks = story.known_before

    assert (answer.error, answer.status, answer.json()["result"]) == (None, 202, "accepted")
    assert len(story.account.names("history", "deliveries/github/")) == 1
    assert (revision["status"], revision["final"], stacks) == ("pending", False, [])


def test_each_queue_function_did_its_part(story: Story) -> None:
    """One sync for the push, and each stack was released, watched and captured."""
    turns = Counter(queue for queue, _ in story.played)
    did = {name: _did(story, name) for name in ("release_put", "release_succeeded")}

    assert turns.keys() == {"sync", "release", "watch", "snapshot", "settle"}
    assert did == {"release_put": STACKS, "release_succeeded": STACKS}
    assert _did(story, "snapshot_taken") == STACKS


def _did(story: Story, event: str) -> list[str]:
    return sorted(e["stack"] for _, played in story.played for e in played.events(event))


def test_status_answers_what_was_deployed(story: Story) -> None:
    """Stacks, one stack, its releases, the revision and the health: all of the first push."""
    api = story.player.api
    shown = {s["name"]: (s["phase"], s["applied"]["revision"], s["problem"]) for s in api("stacks")}
    release = api("stacks/network/releases")[0]
    revision = api(f"revisions/{story.first}")

    assert shown == dict.fromkeys(STACKS, ("steady", story.first, None))
    assert api("stacks/shop.web")["name"] == "web"
    assert (release["release"], release["outcome"]) == ("1.1", "succeeded")
    assert any("networkSecurityGroups" in owned for owned in release["resources"])
    assert revision == {
        "revision": story.first,
        "final": True,
        "status": "deployed",
        "stacks": dict.fromkeys(STACKS, "deployed"),
        "by": None,
    }
    assert api("health")["status"] == "ok"


def test_the_sweep_finds_a_push_that_nobody_announced(story: Story) -> None:
    """A lost webhook costs time only; and words deploy nothing, and say so."""
    assert story.swept is not None
    assert story.swept.error is None
    assert {queue for queue, _ in story.swept_messages} <= {"sync", "settle"}
    assert story.player.api(f"revisions/{story.quiet}")["status"] == "nothing"
    assert len(story.player.api("stacks/network/releases")) == 1


def test_nothing_secret_is_said_or_stored(story: Story) -> None:
    """Neither log lines nor answers nor documents carry a secret (invariant I28)."""
    said = "\n".join(p.seen() for p in [*story.answers, *(p for _, p in story.played)])
    stored = story.account.everything().decode("utf-8", "replace")
    printed = story.player.errors.read_text()

    for canary in CANARIES:
        assert canary not in said
        assert canary not in stored
        assert canary not in printed


def test_every_invocation_is_told_in_one_line(story: Story) -> None:
    """Each invocation ends with its function, outcome, milliseconds, and its own id."""
    finished = [p.events("invocation_finished") for _, p in story.played]
    ids = [e["invocation_id"] for events in finished for e in events]

    assert all(len(events) == 1 for events in finished)
    assert [e[0]["function"] for e in finished] == [queue for queue, _ in story.played]
    assert len(set(ids)) == len(story.played)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("", 404, "NotFound"),
        ("nothing/here", 404, "NotFound"),
        ("stacks/unknown", 404, "NotFound"),
        ("stacks/../../x", 404, "NotFound"),
        ("stacks/é", 404, "NotFound"),
        ("revisions/main", 404, "NotFound"),
        ("revisions/" + "0" * 40, 404, "NotFound"),
        ("incidents", 404, "NotFound"),
        ("stacks/unknown/drift", 404, "NotFound"),
    ],
)
def test_questions_without_an_answer(story: Story, path: str, status: int, error: str) -> None:
    """What is not there is 404 with a sentence, whatever was asked."""
    played = story.player.http("status", path=path)

    assert (played.status, played.json()["error"]) == (status, error)
    assert played.json()["message"]


def test_a_message_that_is_done_again_changes_nothing(story: Story) -> None:
    """Doubled and late messages of every queue end where they began (invariant I12)."""
    before = story.player.api("stacks")
    for queue in ("release", "watch", "snapshot"):
        body = json.dumps({"v": 1, "repository": "shop", "stack": "web", "looks": 3}).encode()
        assert story.player.queue(queue, body).error is None
    assert story.player.queue("sync", b'{"v":1,"repository":"shop"}').error is None
    story.account.drain(story.player)

    after = story.player.api("stacks")

    for stack in [*before, *after]:
        del stack["due_at"]
    assert after == before


def _dealt(story: Story, message: str, operation: str, key: str = OPERATOR_KEY) -> Played:
    return story.player.http(
        "replay",
        method="POST",
        headers={"X-Plumbline-Operator-Key": key},
        body=b'{"why":"the defect is mended"}',
        id=message,
        operation=operation,
    )


def test_poison_is_shown_kept_and_dealt_with(story: Story) -> None:
    """What was tried too often is a problem until an operator sends it back, or throws it away."""
    readable = b'{"v":1,"repository":"shop","stack":"storage"}'
    unreadable = b'{"v":9,"what":"is this"}'
    story.account.put("release-poison", readable)
    story.account.put("sync-poison", unreadable)

    played = story.player.timer("poison")

    problem = story.player.api("stacks/storage")["problem"]
    health = story.player.api("health")
    shown = {kept["queue"]: kept for kept in health["poison"]["newest"]}
    assert played.error is None
    assert len(played.events("poison_found")) == 2
    assert problem["code"] == "MessagePoisoned"
    assert health["status"] == "problem"
    assert shown["release"]["subject"] == "shop.storage"
    assert (shown["sync"]["subject"], shown["sync"]["size"]) == (None, len(unreadable))
    assert len(story.account.names("history", "poison/")) == 2
    assert story.account.length("release-poison") + story.account.length("sync-poison") == 0

    unsigned = _dealt(story, shown["release"]["id"], "replay", key="wrong")
    refused = _dealt(story, shown["sync"]["id"], "replay")
    statuses = [
        _dealt(story, shown["sync"]["id"], "discard").status,
        _dealt(story, shown["release"]["id"], "replay").status,
        _dealt(story, shown["release"]["id"], "replay").status,
    ]

    assert unsigned.status == 401
    assert (refused.status, refused.json()["error"]) == (409, "PoisonUnreadable")
    assert statuses == [202, 202, 404]
    assert OPERATOR_KEY not in unsigned.seen() + refused.seen()
    assert story.account.length("release") == 1
    story.account.drain(story.player)
    assert story.player.api("stacks/storage")["problem"] is None
    assert story.player.api("health")["status"] == "ok"
