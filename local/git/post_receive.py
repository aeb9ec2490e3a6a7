"""The post-receive hook: announces each ref of a push to the webhook's receiver.

Git runs it in the bare repository with one line per ref on standard input; what it prints, the
pusher reads. It always ends well: the push has happened, announced or not.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from local.git import push_event, pushed_commits
from local.git.push_event import RefUpdate, Repository
from local.git.repositories import HOOK_SETTINGS

TIMEOUT_S = 10.0
"""GitHub gives a receiver ten seconds too."""
WAITS_S = (0.2, 0.5, 1.0)
"""Pauses between the tries; a host that is being restarted comes back within that."""


@dataclass(frozen=True)
class Delivery:
    """One announcement: where it goes and what it says. The same id at every try."""

    url: str
    id: str
    body: bytes
    signature: str | None


def main() -> int:
    """Announce what standard input says; returns 0 always."""
    bare = Path(os.environ.get("GIT_DIR", ".")).resolve()
    try:
        settings = json.loads((bare / HOOK_SETTINGS).read_text())
        if settings["url"] is None:
            return 0
        repository = Repository(
            settings["repository"], settings["clone_url"], settings["default_branch"]
        )
        secret = _secret(settings["secret_file"])
    except (OSError, ValueError, KeyError) as error:
        _say(f"the webhook is not set up ({type(error).__name__}); restart the Git server")
        return 0
    for update in updates(sys.stdin):
        body = _body(bare, repository, update)
        signed = None if secret is None else push_event.signature(secret, body)
        outcome = deliver(Delivery(settings["url"], str(uuid.uuid4()), body, signed))
        _say(f"{outcome} ({_short(update)})")
    return 0


def updates(lines: Iterable[str]) -> Iterator[RefUpdate]:
    """Yield what git says on standard input: old id, new id, ref."""
    for line in lines:
        before, after, ref = line.rstrip("\n").split(" ", 2)
        yield RefUpdate(ref, before, after)


def deliver(delivery: Delivery) -> str:
    """Send the announcement, again when refused or on a 5xx; returns what came of it."""
    outcome = ""
    for wait_s in (*WAITS_S, None):
        status, outcome = _try(delivery)
        if status is not None and status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return outcome
        if wait_s is not None:
            time.sleep(wait_s)
    return outcome


def _try(delivery: Delivery) -> tuple[int | None, str]:
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked at start
        delivery.url, data=delivery.body, method="POST", headers=_headers(delivery)
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            return response.status, _told(response.status, response.read(4096))
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, _told(refusal.code, refusal.read(4096))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        host = urllib.parse.urlsplit(delivery.url).netloc
        return None, f"could not reach {host}: {reason}"


def _headers(delivery: Delivery) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/local",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": delivery.id,
        "X-GitHub-Hook-ID": "1",
    }
    if delivery.signature is not None:
        headers["X-Hub-Signature-256"] = delivery.signature
    return headers


def _told(status: int, answer: bytes) -> str:
    """Return the status in words, with the receiver's own reason when it gives one."""
    try:
        word = HTTPStatus(status).phrase.lower()
    except ValueError:
        word = "unknown status"
    try:
        fields = json.loads(answer)
    except ValueError:
        fields = None
    reason = fields.get("reason") if isinstance(fields, dict) else None
    told = f"{status} {word}"
    return f"{told}, {reason}" if isinstance(reason, str) and reason else told


def _body(bare: Path, repository: Repository, update: RefUpdate) -> bytes:
    return json.dumps(
        push_event.payload(
            repository,
            update,
            forced=pushed_commits.is_forced(bare, update),
            pusher=os.environ.get("REMOTE_USER") or "anonymous",
            commits=pushed_commits.pushed(bare, update),
            head=pushed_commits.head(bare, update),
        )
    ).encode()


def _secret(file: str | None) -> bytes | None:
    return None if file is None else Path(file).read_bytes().strip()


def _short(update: RefUpdate) -> str:
    name = update.ref.removeprefix("refs/heads/").removeprefix("refs/")
    return f"{name} deleted" if update.deleted else f"{name} {update.after[:7]}"


def _say(text: str) -> None:
    print(f"plumbline: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
