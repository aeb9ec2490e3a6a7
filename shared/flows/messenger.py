"""Sending messages: encoded, to the queue of their type."""

from dataclasses import dataclass

from shared.core.message import Queue, RepositoryMessage, StackMessage, encode
from shared.ports import Queues


@dataclass(frozen=True)
class Messenger:
    """What flows say to the queues."""

    queues: Queues

    def sync(self, repository: str, *, delay_s: float = 0.0, pushed: bool = False) -> None:
        """Ask for a look at a repository; ``pushed`` when a webhook is the reason."""
        message = RepositoryMessage(repository=repository, pushed=pushed)
        self.queues.send("sync", encode(message), delay_s)

    def settle(self, repository: str, *, delay_s: float = 0.0) -> None:
        """Ask for a look at a repository's unsettled revisions."""
        self.queues.send("settle", encode(RepositoryMessage(repository=repository)), delay_s)

    def stack(
        self, queue: Queue, repository: str, stack: str, *, delay_s: float = 0.0, looks: int = 0
    ) -> None:
        """Ask for a look at a stack by ``release``, ``watch``, ``snapshot`` or ``prune``."""
        message = StackMessage(repository=repository, stack=stack, looks=looks)
        self.queues.send(queue, encode(message), delay_s)
