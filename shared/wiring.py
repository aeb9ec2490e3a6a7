"""The composition root: settings in, services out.

``services()`` is what the functions ask for; it builds once per process, when the first event
needs it, and only then are the SDKs imported. Tests call ``build`` with settings and ports of
their own.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Final

from shared import events
from shared.adapters.system import JsonLog, SystemClock, SystemIds, ThreadParallel
from shared.core.message import RepositoryMessage, StackMessage
from shared.core.redaction import keyed_digest
from shared.core.version import VERSION
from shared.flows.conclude import Conclude
from shared.flows.gate import Gate
from shared.flows.messenger import Messenger
from shared.flows.poison import Poison
from shared.flows.receive_push import ReceivePush
from shared.flows.release import Releases
from shared.flows.snapshot import Snapshots
from shared.flows.status import Status
from shared.flows.sweep import Sweep
from shared.flows.sync import Sync
from shared.flows.watch import Watch
from shared.ports import Arm, Clock, Documents, Git, History, Parallel, Queues
from shared.settings import Settings
from shared.state.archive import Archive
from shared.state.configurations import Configurations
from shared.state.deliveries import Deliveries
from shared.state.records import Records
from shared.state.revisions import Revisions
from shared.state.tips import Tips

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


_BUILDING: Final = Lock()


@dataclass(frozen=True)
class Ports:
    """The world, as the flows see it."""

    documents: Documents
    history: History
    queues: Queues
    git: Git
    arm: Arm
    clock: Clock
    parallel: Parallel
    log: JsonLog


@dataclass(frozen=True)
class Services:
    """One callable for each function, and what the boundary itself needs."""

    receive_push: ReceivePush
    sync: Callable[[RepositoryMessage], None]
    release: Callable[[StackMessage], None]
    watch: Callable[[StackMessage], None]
    snapshot: Callable[[StackMessage], None]
    sweep: Sweep
    poison: Poison
    status: Status
    queues: Queues
    clock: Clock
    log: JsonLog


def build(settings: Settings, ports: Ports) -> Services:
    """Put the flows together over ``ports``. No effects."""
    log, messenger = ports.log, Messenger(ports.queues)
    configurations = Configurations(
        ports.documents, ports.clock, settings.configuration, settings.secrets.get
    )
    records, tips = Records(ports.documents, ports.clock), Tips(ports.documents)
    revisions, deliveries = Revisions(ports.documents), Deliveries(ports.documents)
    archive, gate = Archive(ports.history), Gate(ports.arm)
    conclude = Conclude(configurations, records, archive, ports.arm, gate, messenger, log)
    return Services(
        receive_push=ReceivePush(configurations, archive, deliveries, messenger, ports.clock, log),
        sync=Sync(
            configurations=configurations,
            tips=tips,
            records=records,
            revisions=revisions,
            archive=archive,
            deliveries=deliveries,
            git=ports.git,
            messenger=messenger,
            parallel=ports.parallel,
            clock=ports.clock,
            log=log,
            poll=timedelta(seconds=settings.sync_poll_s),
        ),
        release=Releases(
            configurations=configurations,
            records=records,
            archive=archive,
            arm=ports.arm,
            gate=gate,
            conclude=conclude,
            messenger=messenger,
            log=log,
            first_look_s=settings.watch_first_s,
        ),
        watch=Watch(
            records=records,
            arm=ports.arm,
            conclude=conclude,
            messenger=messenger,
            log=log,
            first_s=settings.watch_first_s,
            least_s=settings.watch_min_s,
            most_s=settings.watch_max_s,
            timeout=timedelta(seconds=settings.release_timeout_s),
        ),
        snapshot=Snapshots(
            records=records,
            archive=archive,
            arm=ports.arm,
            parallel=ports.parallel,
            digest=_digest(settings),
            log=log,
        ),
        sweep=Sweep(configurations, tips, records, deliveries, messenger, ports.clock, log),
        poison=Poison(ports.queues, records, tips, archive, ports.clock, log),
        status=Status(
            configurations, records, revisions, tips, archive, deliveries, ports.parallel
        ),
        queues=ports.queues,
        clock=ports.clock,
        log=log,
    )


def _digest(settings: Settings) -> Callable[[str], str]:
    """Return how a captured secret is replaced: the key's id and a digest made with the key."""
    key, key_id = settings.digest_key.reveal().encode(), settings.digest_key_id
    return lambda value: f"{key_id}:{keyed_digest(key, value)}"


@cache
def log() -> JsonLog:
    """Return the process's log; it works even when the settings are wrong."""
    return JsonLog(levels=dict.fromkeys(events.ERRORS, logging.ERROR))


def services() -> Services:
    """Build the services over Azure and Git, once per process. Raises SettingsError.

    The first events of a cold worker come at once, in several threads: one of them builds.
    """
    with _BUILDING:
        return _services()


@cache
def _services() -> Services:
    settings = Settings.from_environment()
    return build(settings, connect(settings, log()))


def connect(settings: Settings, journal: JsonLog) -> Ports:
    """Connect to storage, Git and ARM. The SDKs are imported here, and only here."""
    from shared.adapters.arm import ArmEndpoint, AzureArm
    from shared.adapters.blobs import BlobDocuments, BlobHistory
    from shared.adapters.git import DulwichGit
    from shared.adapters.queues import StorageQueues
    from shared.adapters.recent import RecentHistory
    from shared.adapters.storage_connection import StorageConnection

    clock, ids = SystemClock(), SystemIds()
    storage = StorageConnection(settings.storage)
    arm = AzureArm(
        ArmEndpoint(
            url=settings.arm.endpoint,
            credential_scopes=(settings.arm.audience,),
            ca_file=settings.arm.ca_file,
        ),
        _credential(settings),
        clock,
        ids,
        user_agent=f"plumbline/{VERSION}",
    )
    return Ports(
        documents=BlobDocuments(storage, ids),
        history=RecentHistory(BlobHistory(storage, ids)),
        queues=StorageQueues(storage),
        git=DulwichGit(),
        arm=arm,
        clock=clock,
        parallel=ThreadParallel(),
        log=journal,
    )


def _credential(settings: Settings) -> "TokenCredential":
    """Return the identity that talks to ARM; without retries of its own (rule 9)."""
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=settings.arm.client_id, retry_total=0)
