"""The composition root: settings in, services out.

``services()`` is what the functions ask for; it builds once per process, when the first event
needs it. Tests make ``Services`` with settings and ports of their own.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from shared import events
from shared.adapters.budget import WorkerBudget
from shared.adapters.looks import WorkerLooks
from shared.adapters.system import JsonLog, SystemClock, SystemIds, ThreadParallel
from shared.core.budget import Kind
from shared.core.drift.suspicion import Periods
from shared.core.redaction import keyed_digest
from shared.core.secret import Secret
from shared.core.version import VERSION
from shared.flows.activity import Activities
from shared.flows.adopt import Adopts
from shared.flows.answers import Answers
from shared.flows.audits import Audits
from shared.flows.bell import Bell
from shared.flows.claimants import Claimants
from shared.flows.conclude import Conclude
from shared.flows.deletions import Deletions
from shared.flows.dependencies import Dependencies
from shared.flows.estates import Estates
from shared.flows.foresee import Foresee
from shared.flows.gate import Gate
from shared.flows.gathering import Gathering
from shared.flows.inspect import Inspect
from shared.flows.messenger import Messenger
from shared.flows.moves import Moves
from shared.flows.operate import Operate
from shared.flows.owners import Owners
from shared.flows.poison import Poison
from shared.flows.poison_orders import PoisonOrders
from shared.flows.poisoned import Poisoned
from shared.flows.prune import Prune
from shared.flows.put import Puts
from shared.flows.rebuild import Rebuild
from shared.flows.receive_push import ReceivePush
from shared.flows.release import Releases
from shared.flows.renames import Renames
from shared.flows.replay import Replay
from shared.flows.scan_drift import ScanDrift
from shared.flows.settle import Settle
from shared.flows.sign_in import SignIn
from shared.flows.snapshot import Snapshots
from shared.flows.status import Status
from shared.flows.sweep import Sweep
from shared.flows.telling import Telling
from shared.flows.turn import Chain
from shared.flows.watch import Watch
from shared.made import BUILDING, made
from shared.ports import (
    ActivityLog,
    Arm,
    Callers,
    CommitStatuses,
    Documents,
    Git,
    History,
    Journal,
    Ports,
    Queues,
)
from shared.settings import Settings
from shared.state.activities import Activities as ActivityShelf
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.deliveries import Deliveries
from shared.state.drifts import Drifts
from shared.state.poisons import Poisons
from shared.state.records import Records
from shared.state.revisions import Revisions
from shared.state.tips import Tips

if TYPE_CHECKING:
    from shared.adapters.arm import AzureArm, ManagedIdentity
    from shared.adapters.storage_connection import StorageConnection
    from shared.flows.sync import Sync


class Services:
    """One flow for each function, put together over ``ports`` when it is first asked for.

    So a worker that only answers webhooks never imports the SDKs of ARM and Git.
    """

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self._settings = settings
        self._ports = ports
        self.clock = ports.clock
        self.log = ports.log

    @property
    def queues(self) -> Queues:
        """The queues, for the boundary to put messages back."""
        return self._ports.queues

    @made
    def receive_push(self) -> ReceivePush:
        """The flow of the function of this name."""
        return ReceivePush(
            self._configurations,
            self._archive,
            self._deliveries,
            Bell(self._push_bell, self.clock),
            self.clock,
            self.log,
        )

    def _push_bell(self, repository: str, delay_s: float) -> None:
        self._messenger.sync(repository, delay_s=delay_s, pushed=True)

    def _settle_bell(self, repository: str, delay_s: float) -> None:
        self._messenger.settle(repository, delay_s=delay_s)

    @made
    def _bell(self) -> Bell:
        """The bell for (settle), one for all flows of this worker."""
        return Bell(self._settle_bell, self.clock)

    @made
    def settle(self) -> Settle:
        """The flow of the function of this name."""
        return Settle(
            configurations=self._configurations,
            tips=self._tips,
            revisions=self._revisions,
            answers=self._answers,
            telling=Telling(self._revisions, self._ports.hosts, self.clock, self.log),
            parallel=self._ports.parallel,
            log=self.log,
        )

    @property
    def _answers(self) -> Answers:
        return Answers(self._records, self._archive)

    @made
    def sync(self) -> "Sync":
        """The flow of the function of this name."""
        from shared.flows.sync import Sync

        return Sync(
            configurations=self._configurations,
            tips=self._tips,
            records=self._records,
            revisions=self._revisions,
            archive=self._archive,
            deliveries=self._deliveries,
            git=self._ports.git,
            messenger=self._messenger,
            bell=self._bell,
            parallel=self._ports.parallel,
            clock=self.clock,
            log=self.log,
            poll=timedelta(seconds=self._settings.sync_poll_s),
        )

    @made
    def release(self) -> Releases:
        """The flow of the function of this name."""
        return Releases(
            configurations=self._configurations,
            records=self._records,
            archive=self._archive,
            arm=self._ports.arm,
            adopts=Adopts(
                self._archive,
                self._ports.arm,
                self._gate,
                self._budget,
                self._chain,
                self.log,
            ),
            puts=Puts(
                self._records,
                self._archive,
                self._ports.arm,
                self._gate,
                self._budget,
                self._chain,
                self.log,
            ),
            moves=Moves(self._records, self.log),
            renames=Renames(self._records, self._ports.arm, self._chain, self.log),
            chain=self._chain,
            conclude=self._conclude,
            dependencies=Dependencies(self._records, self._archive, self._ports.parallel),
            audits=Audits(self._records, self._archive),
            messenger=self._messenger,
            bell=self._bell,
            log=self.log,
        )

    @made
    def watch(self) -> Watch:
        """The flow of the function of this name."""
        return Watch(
            configurations=self._configurations,
            gate=self._gate,
            records=self._records,
            looks=self._looks,
            conclude=self._conclude,
            messenger=self._messenger,
            log=self.log,
            first_s=self._settings.watch_first_s,
            least_s=self._settings.watch_min_s,
            most_s=self._settings.watch_max_s,
            timeout=timedelta(seconds=self._settings.release_timeout_s),
        )

    @made
    def snapshot(self) -> Snapshots:
        """The flow of the function of this name."""
        return Snapshots(
            records=self._records,
            archive=self._archive,
            arm=self._ports.arm,
            budget=self._budget,
            parallel=self._ports.parallel,
            digest=_digest(self._settings),
            log=self.log,
        )

    @made
    def scan_drift(self) -> ScanDrift:
        """The flow of the function of this name."""
        return ScanDrift(
            configurations=self._configurations,
            estates=self._estates,
            drifts=self._drifts,
            arm=self._ports.arm,
            budget=self._budget,
            activities=self.activities,
            messenger=self._messenger,
            periods=self._periods,
            clock=self.clock,
            log=self.log,
        )

    @made
    def inspect(self) -> Inspect:
        """The flow of the function of this name."""
        return Inspect(
            records=self._records,
            drifts=self._drifts,
            archive=self._archive,
            estates=self._estates,
            gathering=Gathering(
                archive=self._archive,
                arm=self._ports.arm,
                budget=self._budget,
                activities=self._activity_shelf,
                parallel=self._ports.parallel,
                digests=_digests(self._settings),
                log=self.log,
            ),
            foresee=Foresee(
                configurations=self._configurations,
                archive=self._archive,
                dependencies=Dependencies(self._records, self._archive, self._ports.parallel),
                gate=self._gate,
                budget=self._budget,
            ),
            messenger=self._messenger,
            periods=self._periods,
            log=self.log,
        )

    @made
    def prune(self) -> Prune:
        """The flow of the function of this name."""
        parallel = self._ports.parallel
        return Prune(
            configurations=self._configurations,
            tips=self._tips,
            records=self._records,
            archive=self._archive,
            claimants=Claimants(self._records, self._archive, parallel),
            deletions=Deletions(
                self._records,
                self._archive,
                self._ports.arm,
                self._gate,
                self._budget,
                parallel,
                self.log,
            ),
            messenger=self._messenger,
            log=self.log,
        )

    @made
    def _estates(self) -> Estates:
        return Estates(self._records, self.clock)

    @property
    def _periods(self) -> Periods:
        settings = self._settings
        return Periods(
            confirm=timedelta(seconds=settings.confirm_s),
            full=timedelta(hours=settings.full_scan_hours),
            children=timedelta(hours=settings.child_scan_hours),
        )

    @made
    def sweep(self) -> Sweep:
        """The flow of the function of this name."""
        return Sweep(
            self._configurations,
            self._tips,
            self._records,
            self._deliveries,
            self._revisions,
            Owners(self._records, self._archive, self.log),
            self._messenger,
            self.clock,
            self.log,
        )

    @made
    def poison(self) -> Poison:
        """The flow of the function of this name."""
        return Poison(
            queues=self.queues,
            records=self._records,
            tips=self._tips,
            poisons=self._poisons,
            orders=self._poison_orders,
            clock=self.clock,
            log=self.log,
        )

    @made
    def replay(self) -> Replay:
        """The flow of the function of this name."""
        return Replay(
            sign_in=self._sign_in,
            poisons=self._poisons,
            archive=self._archive,
            orders=self._poison_orders,
            ids=self._ports.ids,
            log=self.log,
        )

    @made
    def operate(self) -> Operate:
        """The flow of the function of this name."""
        return Operate(
            records=self._records,
            audits=Audits(self._records, self._archive),
            sign_in=self._sign_in,
            messenger=self._messenger,
            ids=self._ports.ids,
            show=self.status.shown,
            log=self.log,
        )

    @made
    def rebuild(self) -> Rebuild:
        """The flow of the function of this name."""
        return Rebuild(
            configurations=self._configurations,
            tips=self._tips,
            records=self._records,
            archive=self._archive,
            sign_in=self._sign_in,
            messenger=self._messenger,
            parallel=self._ports.parallel,
            clock=self.clock,
            ids=self._ports.ids,
            log=self.log,
        )

    @made
    def status(self) -> Status:
        """The flow of the function of this name."""
        return Status(
            self._configurations,
            self._records,
            self._revisions,
            self._tips,
            self._archive,
            self._answers,
            self._drifts,
            self._deliveries,
            self._ports.parallel,
            self.clock,
            self._calls_left,
            Poisoned(self.queues, self._poisons, self._ports.parallel),
        )

    @made
    def activities(self) -> Activities:
        """The step of scans that asks the Activity Log what is new."""
        return Activities(
            self._configurations,
            self._activity_shelf,
            self._ports.activity,
            self._budget,
            self.log,
        )

    def _calls_left(self) -> Mapping[str, Mapping[Kind, int]]:
        # A worker that never called ARM knows nothing, and need not load the SDK to say so.
        return self._budget.shown() if "_budget" in self.__dict__ else {}

    @made
    def _configurations(self) -> Configurations:
        settings = self._settings
        return Configurations(
            self._ports.documents, self.clock, settings.configuration, settings.secrets.get
        )

    @property
    def _records(self) -> Records:
        return Records(self._ports.documents, self.clock)

    @property
    def _drifts(self) -> Drifts:
        return Drifts(self._ports.documents)

    @property
    def _activity_shelf(self) -> ActivityShelf:
        return ActivityShelf(self._ports.documents)

    @property
    def _tips(self) -> Tips:
        return Tips(self._ports.documents)

    @property
    def _revisions(self) -> Revisions:
        return Revisions(self._ports.documents)

    @property
    def _deliveries(self) -> Deliveries:
        return Deliveries(self._ports.documents)

    @property
    def _archive(self) -> Archive:
        return Archive(self._ports.history)

    @property
    def _poisons(self) -> Poisons:
        return Poisons(self._ports.documents, self._archive)

    @property
    def _poison_orders(self) -> PoisonOrders:
        return PoisonOrders(
            self.queues, self._records, self._tips, self._archive, self._poisons, self.log
        )

    @property
    def _sign_in(self) -> SignIn:
        return SignIn(self._ports.callers, self.log)

    @property
    def _messenger(self) -> Messenger:
        return Messenger(self.queues)

    @property
    def _chain(self) -> Chain:
        return Chain(self._messenger, self._settings.watch_first_s)

    @made
    def _budget(self) -> WorkerBudget:
        return WorkerBudget(self._ports.arm, self._ports.clock, self._configurations.reserves)

    @made
    def _looks(self) -> WorkerLooks:
        return WorkerLooks(self._ports.arm, self.clock, self.log)

    @property
    def _gate(self) -> Gate:
        return Gate(self._ports.arm)

    @property
    def _conclude(self) -> Conclude:
        return Conclude(
            self._configurations,
            self._records,
            self._archive,
            self._ports.arm,
            self._gate,
            self._messenger,
            self._ports.parallel,
            self._bell,
            self.log,
        )


def _digest(settings: Settings) -> Callable[[str], str]:
    """Return how a captured secret is replaced: the key's id and a digest made with the key."""
    return _digest_with(settings.digest_key, settings.digest_key_id)


def _digests(settings: Settings) -> Mapping[str, Callable[[str], str]]:
    """Return the same by the key's id: with the key of today first, then with the one before it."""
    found = {settings.digest_key_id: _digest(settings)}
    if settings.digest_key_previous is not None and settings.digest_key_previous_id is not None:
        previous = settings.digest_key_previous_id
        found.setdefault(previous, _digest_with(settings.digest_key_previous, previous))
    return found


def _digest_with(secret: Secret, key_id: str) -> Callable[[str], str]:
    key = secret.reveal().encode()
    return lambda value: f"{key_id}:{keyed_digest(key, value)}"


@cache
def log() -> JsonLog:
    """Return the process's log; it works even when the settings are wrong."""
    return JsonLog(levels=dict.fromkeys(events.ERRORS, logging.ERROR))


def services() -> Services:
    """Build the services over Azure and Git, once per process. Raises SettingsError.

    The first events of a cold worker come at once, in several threads: one of them builds.
    """
    with BUILDING:
        return _services()


@cache
def _services() -> Services:
    settings = Settings.from_environment()
    return Services(settings, AzurePorts(settings, log()))


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
