"""What flows need from the world, as small protocols; the contract that fakes keep too.

Adapters in ``shared/adapters`` implement them over Azure, Git and the system; ``tests/fakes`` over
memory. ``tests/contract`` runs the same tests on both.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from shared.core.activity import Reading
from shared.core.arm_model import Deployment, DeploymentRequest, Operation, SightingsPage
from shared.core.budget import Kind as BudgetKind
from shared.core.budget import Purpose
from shared.core.commit_status import CommitStatus
from shared.core.prediction import Predicting, Prediction
from shared.core.record import Attempt
from shared.core.secret import Secret
from shared.core.source.tree import SourceTree

A = TypeVar("A")
B = TypeVar("B")


class ChangedError(Exception):
    """A compare-and-swap lost: the document is not what the caller read (HTTP 412), or is gone."""


class ExistsError(Exception):
    """A document that should be created is there already (HTTP 409 or 412)."""


@dataclass(frozen=True)
class Version:
    """What a write returns: the new ETag and the storage server's time (UTC) at the write."""

    etag: str
    at: datetime


@dataclass(frozen=True)
class Stored:
    """A document as read: bytes, ETag, and the storage server's time (UTC) at the read."""

    data: bytes
    etag: str
    at: datetime


@dataclass(frozen=True)
class Listed:
    """A document in a listing: its name, its facts (blob metadata, lower-case keys), its ETag."""

    name: str
    facts: Mapping[str, str]
    etag: str


class Documents(Protocol):
    """The ``state`` container: documents changed by compare-and-swap only.

    Every method raises Transient when storage does not answer, and Stalled when it refuses
    (credentials, missing container).
    """

    def read(self, name: str) -> Stored | None:
        """Return the document, or None when there is none."""
        ...

    def create(self, name: str, data: bytes, facts: Mapping[str, str]) -> Version:
        """Write a document that must not exist yet; raises ExistsError."""
        ...

    def replace(self, name: str, data: bytes, etag: str, facts: Mapping[str, str]) -> Version:
        """Write over exactly the version ``etag``; raises ChangedError otherwise."""
        ...

    def delete(self, *names: str) -> None:
        """Remove documents, 256 per storage call; it is no error when one is gone already."""
        ...

    def list(self, prefix: str) -> Iterable[Listed]:
        """Yield the documents below ``prefix`` by name, 5,000 per storage call."""
        ...


class History(Protocol):
    """The ``history`` container: written once, never changed. Errors as in Documents."""

    def put(self, name: str, data: bytes) -> bool:
        """Write ``name`` if it is not there; True when this call wrote it, False when it was there."""
        ...

    def read(self, name: str) -> bytes | None:
        """Return the bytes, or None when there are none."""
        ...

    def list(self, prefix: str) -> Iterable[str]:
        """Yield the names below ``prefix``, sorted."""
        ...


@dataclass(frozen=True)
class PoisonMessage:
    """A message that was tried too often. ``body`` is raw; ``receipt`` is for ``discard``."""

    queue: str
    id: str
    receipt: str
    body: bytes
    dequeue_count: int
    inserted_at: datetime | None


class Queues(Protocol):
    """Storage queues by their short names (``sync``, ``release``, ...). Errors as in Documents."""

    def send(self, queue: str, body: bytes, delay_s: float = 0.0) -> None:
        """Put a message that becomes visible after ``delay_s`` (whole seconds, rounded up).

        It never expires (time to live -1); at most 48 KiB.
        """
        ...

    def length(self, queue: str) -> int:
        """Return about how many messages are in the queue, hidden ones included; 0 if missing."""
        ...

    def poisoned(self, queue: str, limit: int = 32) -> Sequence[PoisonMessage]:
        """Take up to ``limit`` messages from ``<queue>-poison``, hidden for five minutes."""
        ...

    def poison_length(self, queue: str) -> int:
        """Return about how many messages are in ``<queue>-poison``; counted as ``length`` does."""
        ...

    def discard(self, message: PoisonMessage) -> None:
        """Remove a poison message that was dealt with; gone already is no error."""
        ...


@dataclass(frozen=True)
class GitRepository:
    """Where a followed repository is. ``url`` carries no credentials."""

    key: str
    url: str
    branch: str
    user: str | None = None
    token: Secret | None = None


@dataclass(frozen=True)
class GitHost:
    """Where commit statuses go: ``api`` is the repository's address in the host's API."""

    api: str
    token: Secret


class CommitStatuses(Protocol):
    """Commit statuses at a Git host.

    Raises Transient (network, 403 and 429 with a limit, 5xx) and Stalled (``StatusRefused``).
    """

    def send(self, host: GitHost, revision: str, status: CommitStatus) -> None:
        """Set one context of a revision."""
        ...

    def sent(self, host: GitHost, revision: str) -> Mapping[str, str]:
        """Return the newest state of each context that a revision has there."""
        ...


class Git(Protocol):
    """Reading followed repositories, without a git binary and without a work tree.

    Both methods raise Transient (network, 408, 429 with its Retry-After, 5xx) and Stalled
    (``GitAuthenticationFailed``, ``GitRepositoryNotFound``, ``GitRedirected``, ``GitProtocolError``).
    No error text carries a credential.
    """

    def tip(self, repository: GitRepository) -> str | None:
        """Return the branch's commit id (hex), or None when the branch does not exist."""
        ...

    def tree(self, repository: GitRepository, revision: str) -> SourceTree:
        """Return the files at ``revision``; raises Transient when the server no longer offers it."""
        ...


@dataclass(frozen=True)
class CallsLeft:
    """What ARM said of a bucket: ``calls`` are left at ``at``, on this worker's monotonic clock."""

    calls: int
    at: float


class ArmLimits(Protocol):
    """What ARM's answers said of its limits; nothing is asked for it."""

    def left(self, subscription: str, kind: BudgetKind) -> CallsLeft | None:
        """Return what the newest answer said of a subscription (lower case), None before it."""
        ...

    def subscriptions(self) -> Sequence[str]:
        """Return the subscriptions that were spoken of, in lower case."""
        ...


class ArmBudget(Protocol):
    """Who may call ARM now, so that releases go before what can wait (architecture.md, part 9)."""

    def take(self, subscription: str, kind: BudgetKind, purpose: Purpose, calls: int = 1) -> None:
        """Take calls out of the budget; raises Waiting until there are as many.

        The message comes back by itself, and no try is counted.
        """
        ...


class ArmLooks(Protocol):
    """Looking at releases that run (rule 9)."""

    def look(
        self, deployment_id: str, attempt: Attempt, *, alone: bool = False
    ) -> Deployment | None:
        """Return the deployment, or None when there is none; errors as in Arm.

        One that runs and carries ``attempt`` may be told by a recent listing of its scope, unless it
        is to be looked at ``alone``; anything else is as fresh as ``Arm.deployment``.
        """
        ...


class Arm(ArmLimits, Protocol):
    """Azure Resource Manager. Every method makes one attempt: retries are messages.

    Raises Transient (408, 429, 5xx, no answer, with ARM's Retry-After), and Stalled
    (``AuthorizationFailed`` and others a person must act on, naming the missing action).
    """

    def deployment(self, deployment_id: str) -> Deployment | None:
        """Return the deployment, or None when there is none."""
        ...

    def running(self, scope: str) -> Sequence[Deployment]:
        """Return the deployments that run in ``scope``, as one listing tells it.

        It may lag behind ``deployment``, and need not show one that was just accepted: what is not
        in it may run all the same. A scope that is not there has none.
        """
        ...

    def put(self, request: DeploymentRequest) -> Deployment:
        """Start a deployment; returns it as accepted.

        Raises core.arm_errors.Refused when ARM refused it outright (nothing was changed), and
        core.arm_errors.Unknown when it is not known whether ARM took it (settle it by GET).
        """
        ...

    def cancel(self, deployment_id: str) -> None:
        """Ask for a running deployment to start nothing more; what it has done stays.

        One that has ended, or is not there, is no error.
        """
        ...

    def forget(self, deployment_id: str) -> None:
        """Remove a deployment that has ended from ARM's history; what it made stays.

        One that is not there is no error.
        """
        ...

    def operations(self, deployment_id: str) -> Sequence[Operation]:
        """Return the operations of the deployment and of its nested deployments.

        Of a nested one that is not there (not begun, or its history gone) one of kind HISTORY_GONE.
        """
        ...

    def has_group(self, scope: str) -> bool:
        """Tell whether the resource group with the id ``scope`` exists."""
        ...

    def create_group(self, scope: str, location: str, tags: Mapping[str, str]) -> None:
        """Create the resource group; the caller has seen that it is missing."""
        ...

    def register_provider(self, subscription_id: str, namespace: str) -> str:
        """Ask for registration; returns the state ARM answers (``Registering``, ``Registered``)."""
        ...

    def resource(self, resource_id: str, api_version: str) -> Mapping[str, Any] | None:
        """Return the resource's body, or None when there is none."""
        ...

    def predict(self, request: DeploymentRequest) -> Prediction | Predicting:
        """Start a what-if of a deployment; it changes nothing, and costs a write.

        Raises core.arm_errors.Refused when ARM refuses the template outright, and Unregistered.
        """
        ...

    def prediction(self, address: str) -> Prediction | Predicting:
        """Return how a what-if ended, or that it still runs.

        Raises Stalled: ``PredictionGone`` for one that ARM does not know any more,
        ``PredictionRefused`` for an address that is no what-if's; both want a new what-if.
        """
        ...

    def sightings(self, scope: str, after: str | None = None) -> SightingsPage:
        """Return one page of the resources in a subscription or resource group, 1,000 per page.

        ``scope`` is the id of either. A group that is not there has none. What cannot be read, or
        ends before its last page, is Transient: absence from a listing means that it was deleted.
        """
        ...

    def api_version(self, subscription_id: str, resource_type: str) -> str | None:
        """Return the newest stable api-version of a type, None for a type that ARM does not know."""
        ...

    def delete_resource(self, resource_id: str, api_version: str) -> None:
        """Ask for a resource to be deleted; it may take a while until ``resource`` is None.

        One that is not there is no error. Raises Stalled for what ARM refuses (locks, rights), and
        Transient where others stand in the way for now (409).
        """
        ...


class ActivityLog(Protocol):
    """Who changed what in a subscription. Errors as in Arm."""

    def writes(self, subscription: str, since: datetime, workspace: str | None = None) -> Reading:
        """Return what was changed or deleted and has reached the log since a moment.

        With the id of a Log Analytics ``workspace`` that one is asked, and ``since`` is compared with
        ``seen_at``. Else ARM is, which knows only when something happened: then what happened before
        ``since`` is left out, however late it came. Reads, and what failed, are not in it; of one
        operation there is one write. Raises Stalled (``ActivityLogMissing``, ``AuthorizationFailed``)
        where the log cannot be asked.
        """
        ...


@dataclass(frozen=True)
class Caller:
    """Who sends a request, as the sign-in tells it."""

    name: str
    is_operator: bool


class Callers(Protocol):
    """Who may give orders."""

    def identify(self, bearer: str | None, key: str | None) -> Caller | None:
        """Return who holds the token or key; None when neither proves anybody.

        Raises Transient when the keys of the token's issuer cannot be had now.
        """
        ...


class Clock(Protocol):
    """Time."""

    def now(self) -> datetime:
        """Return the current time, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start, never going back."""
        ...


class Ids(Protocol):
    """Unique names."""

    def new(self) -> str:
        """Return a fresh UUID in its usual form."""
        ...


class Parallel(Protocol):
    """The one way to fan out, so that a simulation can schedule the calls."""

    def map(self, function: Callable[[A], B], items: Sequence[A]) -> Sequence[B]:
        """Apply ``function`` to each item, concurrently; results in order; the first error raises."""
        ...


class Log(Protocol):
    """Named events with fields (shared/events.py)."""

    def __call__(self, event: str, **fields: object) -> None:
        """Write one event."""
        ...


class Journal(Log, Protocol):
    """A log that also binds fields to every event in a block."""

    def bound(self, **fields: object) -> AbstractContextManager[None]:
        """Add fields to every event in the block; inner blocks win."""
        ...


class Ports(Protocol):
    """The world, as the flows see it."""

    @property
    def documents(self) -> Documents:
        """The ``state`` container."""
        ...

    @property
    def history(self) -> History:
        """The ``history`` container."""
        ...

    @property
    def queues(self) -> Queues:
        """The storage queues."""
        ...

    @property
    def git(self) -> Git:
        """The followed repositories."""
        ...

    @property
    def arm(self) -> Arm:
        """Azure Resource Manager."""
        ...

    @property
    def activity(self) -> ActivityLog:
        """The Activity Log."""
        ...

    @property
    def hosts(self) -> CommitStatuses:
        """Commit statuses at the Git hosts."""
        ...

    @property
    def callers(self) -> Callers:
        """Who may give orders."""
        ...

    @property
    def clock(self) -> Clock:
        """Time."""
        ...

    @property
    def ids(self) -> Ids:
        """Unique names."""
        ...

    @property
    def parallel(self) -> Parallel:
        """The way to fan out."""
        ...

    @property
    def log(self) -> Journal:
        """The log."""
        ...
