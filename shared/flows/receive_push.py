"""Receive a push webhook: cap, verify, store, enqueue, and only then say 202.

Called by ``functions/receive_push.py``. The order is the security: nothing is parsed before the
signature was checked, and an unknown hook looks exactly like a bad signature.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from shared import events
from shared.core import names
from shared.core.configuration import Repository
from shared.core.push import (
    MAX_BODY_BYTES,
    MalformedPushError,
    is_genuine,
    is_oversized,
    parse_push,
    why_ignored,
)
from shared.core.secret import Secret
from shared.flows.bell import Bell
from shared.ports import Clock, Log
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.deliveries import Deliveries, Marker

SOURCE: Final = "github"

_NOBODYS_SECRET: Final = [Secret("an unknown hook is compared with this, so that it takes as long")]


@dataclass(frozen=True)
class Delivery:
    """A webhook as it came in; header values are None when they were missing."""

    hook: str
    body: bytes
    signature: str | None = None
    event: str | None = None
    key: str | None = None
    content_length: str | None = None
    content_encoding: str | None = None


@dataclass(frozen=True)
class Reply:
    """What the sender is told."""

    status: int
    result: str
    reason: str | None = None


@dataclass(frozen=True)
class ReceivePush:
    """The flow. Raises Transient or Stalled when the delivery could not be stored: no 2xx then."""

    configurations: Configurations
    archive: Archive
    deliveries: Deliveries
    bell: Bell
    clock: Clock
    log: Log

    def __call__(self, delivery: Delivery) -> Reply:
        """Answer one delivery; 2xx only after it is durable (rule 8)."""
        if reply := _why_unfit(delivery):
            return self._refuse(reply)
        found = self._followed(delivery.hook)
        secrets = self.configurations.hook_secrets(found[1]) if found else _NOBODYS_SECRET
        genuine = is_genuine(delivery.signature, delivery.body, secrets)
        if not genuine or found is None:
            return self._refuse(Reply(401, "refused", "unknown hook or bad signature"))
        repository, configured = found
        if delivery.event == "ping":
            return Reply(200, "pong")
        if delivery.event != "push":
            return self._ignore(repository, "only push and ping events are used here")
        try:
            push = parse_push(delivery.body)
        except MalformedPushError as e:
            return self._refuse(Reply(400, "refused", f"not a push payload: {e}"))
        reason = why_ignored(push, url=configured.url, branch=configured.branch)
        if reason is not None:
            return self._ignore(repository, reason)
        if push.deleted:
            return self._ignore(repository, "the followed branch was deleted: nothing is touched")
        self._accept(repository, delivery, push.after)
        return Reply(202, "accepted")

    def _followed(self, hook: str) -> tuple[str, Repository] | None:
        for key, repository in self.configurations.current().repositories.items():
            if repository.hook == hook:
                return key, repository
        return None

    def _accept(self, repository: str, delivery: Delivery, after: str) -> None:
        key = _key(delivery)
        self.archive.put_delivery(SOURCE, key, delivery.body)
        self.deliveries.mark(
            Marker(repository=repository, key=key, after=after, received_at=self.clock.now())
        )
        self.bell.ring(repository)
        self.log(events.PUSH_RECEIVED, repository=repository, revision=after, delivery=key)

    def _ignore(self, repository: str, reason: str) -> Reply:
        self.log(events.PUSH_IGNORED, repository=repository, reason=reason)
        return Reply(202, "ignored", reason)

    def _refuse(self, reply: Reply) -> Reply:
        self.log(events.PUSH_REFUSED, status=reply.status, reason=reply.reason)
        return reply


def _why_unfit(delivery: Delivery) -> Reply | None:
    """Return the refusal of a body that is not even looked at, or None. Pure."""
    claimed = delivery.content_length or ""
    lengths = [len(delivery.body)]
    if claimed.isascii() and claimed.isdigit():
        lengths.append(int(claimed[:20]))
    if is_oversized(lengths):
        limit = f"the body is over {MAX_BODY_BYTES} bytes; the sweep will find the push"
        return Reply(413, "refused", limit)
    if delivery.content_encoding not in {None, "", "identity"}:
        return Reply(415, "refused", "send the body without Content-Encoding")
    return None


def _key(delivery: Delivery) -> str:
    """Return the delivery's own id, which a redelivery repeats, or one made from its body."""
    given = delivery.key or ""
    if names.DELIVERY_FORM.fullmatch(given):
        return given
    return hashlib.sha256(delivery.body).hexdigest()
