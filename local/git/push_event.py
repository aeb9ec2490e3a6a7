"""What a push looks like to a webhook's receiver: GitHub's ``push`` payload, and its signature.

Pure. Field names and meanings follow GitHub's documentation of the event.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ZERO = "0" * 40
"""The id that stands for "no commit": before a creation, after a deletion."""

MAX_COMMITS = 2048
"""The most commits that one payload lists, as on GitHub."""


@dataclass(frozen=True)
class RefUpdate:
    """One line of what a push did: ``ref`` moved from ``before`` to ``after`` (hex ids)."""

    ref: str
    before: str
    after: str

    @property
    def created(self) -> bool:
        """Tell whether the ref is new."""
        return self.before == ZERO

    @property
    def deleted(self) -> bool:
        """Tell whether the ref is gone."""
        return self.after == ZERO


@dataclass(frozen=True)
class Person:
    """An author or committer."""

    name: str
    email: str


@dataclass(frozen=True)
class Commit:
    """A pushed commit with the paths that it touched; ``timestamp`` is ISO 8601 with offset."""

    id: str
    tree_id: str
    message: str
    timestamp: str
    author: Person
    committer: Person
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    modified: Sequence[str] = ()


@dataclass(frozen=True)
class Repository:
    """The repository as the payload names it. ``clone_url`` carries no credentials."""

    name: str
    clone_url: str
    default_branch: str

    @property
    def full_name(self) -> str:
        """Return owner and name."""
        return f"{OWNER}/{self.name}"


OWNER = "local"


def payload(
    repository: Repository,
    update: RefUpdate,
    *,
    forced: bool,
    pusher: str,
    commits: Sequence[Commit],
    head: Commit | None,
) -> dict[str, Any]:
    """Return the body of the ``push`` event for one ref. ``commits`` are oldest first."""
    web_url = repository.clone_url.removesuffix(".git")
    return {
        "ref": update.ref,
        "before": update.before,
        "after": update.after,
        "created": update.created,
        "deleted": update.deleted,
        "forced": forced,
        "base_ref": None,
        "compare": f"{web_url}/compare/{update.before[:12]}...{update.after[:12]}",
        "commits": [_commit(commit, web_url) for commit in commits[-MAX_COMMITS:]],
        "head_commit": None if head is None else _commit(head, web_url),
        "repository": _repository(repository, web_url),
        "pusher": {"name": pusher, "email": f"{pusher}@localhost"},
        "sender": {"login": pusher, "id": 1, "type": "User"},
    }


def signature(secret: bytes, body: bytes) -> str:
    """Return the value of ``X-Hub-Signature-256``: HMAC-SHA256 over the body as sent."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def _repository(repository: Repository, web_url: str) -> Mapping[str, Any]:
    return {
        "id": 1,
        "name": repository.name,
        "full_name": repository.full_name,
        "private": True,
        "owner": {"name": OWNER, "login": OWNER, "id": 1, "type": "User"},
        "html_url": web_url,
        "url": web_url,
        "clone_url": repository.clone_url,
        "git_url": repository.clone_url,
        "default_branch": repository.default_branch,
        "master_branch": repository.default_branch,
    }


def _commit(commit: Commit, web_url: str) -> Mapping[str, Any]:
    return {
        "id": commit.id,
        "tree_id": commit.tree_id,
        "distinct": True,
        "message": commit.message,
        "timestamp": commit.timestamp,
        "url": f"{web_url}/commit/{commit.id}",
        "author": _person(commit.author),
        "committer": _person(commit.committer),
        "added": list(commit.added),
        "removed": list(commit.removed),
        "modified": list(commit.modified),
    }


def _person(person: Person) -> Mapping[str, str]:
    return {"name": person.name, "email": person.email, "username": person.name}
