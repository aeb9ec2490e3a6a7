"""The world for real: Azure, Git and the system."""

from typing import TYPE_CHECKING

from shared.adapters.system import SystemClock, SystemIds, ThreadParallel
from shared.core.version import VERSION
from shared.made import made
from shared.ports import (
    ActivityLog,
    Arm,
    Callers,
    CommitStatuses,
    Documents,
    Git,
    History,
    Journal,
    Queues,
)
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.adapters.arm import AzureArm, ManagedIdentity
    from shared.adapters.storage_connection import StorageConnection


class AzurePorts:
    """The world for real: each SDK is imported when the first event needs it, and only here."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self.ids = SystemIds()
        self.clock = SystemClock()
        self.parallel = ThreadParallel()
        self.log = journal

    @made
    def _storage(self) -> "StorageConnection":
        from shared.adapters.storage_connection import StorageConnection

        return StorageConnection(self._settings.storage)

    @made
    def hosts(self) -> CommitStatuses:
        """Commit statuses at the Git hosts."""
        from shared.adapters.github import GitHubStatuses

        return GitHubStatuses(self._settings.storage.ca_file)

    @made
    def callers(self) -> Callers:
        """Who may give orders."""
        from shared.adapters.callers import OperatorCallers, Tenant

        told, ca_file = self._settings.operator, self._settings.storage.ca_file
        tenant = None
        if told.tenant_id is not None and told.audience is not None:
            tenant = Tenant(
                id=told.tenant_id,
                audience=told.audience,
                authority=told.authority,
                ca_file=ca_file,
            )
        return OperatorCallers(tenant, told.key, self.clock)

    @made
    def documents(self) -> Documents:
        """The ``state`` container."""
        from shared.adapters.blobs import BlobDocuments

        return BlobDocuments(self._storage, self.ids)

    @made
    def history(self) -> History:
        """The ``history`` container, with what this worker remembers of it."""
        from shared.adapters.blobs import BlobHistory
        from shared.adapters.recent import RecentHistory

        return RecentHistory(BlobHistory(self._storage, self.ids))

    @made
    def queues(self) -> Queues:
        """The storage queues."""
        from shared.adapters.queues import StorageQueues

        return StorageQueues(self._storage)

    @made
    def git(self) -> Git:
        """The followed repositories, by dulwich."""
        from shared.adapters.git import DulwichGit

        return DulwichGit()

    @made
    def _identity(self) -> "ManagedIdentity":
        from shared.adapters.arm import ManagedIdentity

        return ManagedIdentity(self._settings.arm.client_id)

    @made
    def arm(self) -> Arm:
        """Azure Resource Manager, by its SDK and the app's managed identity."""
        return self._azure_arm

    @made
    def _azure_arm(self) -> "AzureArm":
        from shared.adapters.arm import ArmEndpoint, AzureArm

        settings = self._settings.arm
        return AzureArm(
            ArmEndpoint(
                url=settings.endpoint,
                credential_scopes=(settings.audience,),
                ca_file=settings.ca_file,
            ),
            self._identity,
            self.clock,
            self.ids,
            user_agent=f"plumbline/{VERSION}",
        )

    @made
    def activity(self) -> ActivityLog:
        """The Activity Log; what ARM says of its limits there counts with the rest."""
        from shared.adapters.arm import Account, ArmEndpoint
        from shared.adapters.arm.activity import AzureActivityLog
        from shared.adapters.arm.activity_table import LogsEndpoint

        arm, logs = self._settings.arm, self._settings.logs
        return AzureActivityLog(
            ArmEndpoint(url=arm.endpoint, credential_scopes=(arm.audience,), ca_file=arm.ca_file),
            LogsEndpoint(
                url=logs.endpoint, credential_scopes=(logs.audience,), ca_file=arm.ca_file
            ),
            self._identity,
            self.clock,
            Account(self.ids.new, _uncounted, self._azure_arm.heard),
            user_agent=f"plumbline/{VERSION}",
        )


def _uncounted(_kind: str) -> None:
    """Nobody counts."""
