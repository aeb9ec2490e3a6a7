"""A Git host's commit statuses in memory: it keeps every status that it was sent, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.core.commit_status import CommitStatus
from shared.ports import GitHost
from tests.fakes.system import Faults


@dataclass
class FakeHosts:
    """The port CommitStatuses. Calls are named ``hosts.send`` and ``hosts.sent``."""

    faults: Faults = field(default_factory=Faults)
    kept: list[tuple[str, CommitStatus]] = field(default_factory=list)

    def send(self, host: GitHost, revision: str, status: CommitStatus) -> None:  # noqa: ARG002 - the port
        """Keep one status."""
        with self.faults.around("hosts.send", status.context):
            self.kept.append((revision, status))

    def sent(self, host: GitHost, revision: str) -> Mapping[str, str]:  # noqa: ARG002 - the port
        """Return the newest state of each context."""
        with self.faults.around("hosts.sent", revision):
            return {one.context: one.state for sha, one in self.kept if sha == revision}

    def states(self, revision: str, context: str) -> list[str]:
        """Return every state that a context of a revision has had, oldest first."""
        return [one.state for sha, one in self.kept if (sha, one.context) == (revision, context)]
