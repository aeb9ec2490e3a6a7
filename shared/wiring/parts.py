"""What several flows are made of: documents, queues, budgets, made once for each worker."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from shared.adapters.budget import WorkerBudget
from shared.adapters.looks import WorkerLooks
from shared.core.drift.suspicion import Periods
from shared.core.redaction import keyed_digest
from shared.core.secret import Secret
from shared.flows.answers import Answers
from shared.flows.bell import Bell
from shared.flows.conclude import Conclude
from shared.flows.estates import Estates
from shared.flows.gate import Gate
from shared.flows.messenger import Messenger
from shared.flows.poison_orders import PoisonOrders
from shared.flows.sign_in import SignIn
from shared.flows.turn import Chain
from shared.made import made
from shared.ports import (
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


class Parts:
    """The parts, over ``ports``."""

    def __init__(self, settings: Settings, ports: Ports) -> None:
        self._settings = settings
        self._ports = ports
        self.clock = ports.clock
        self.log = ports.log

    @property
    def queues(self) -> Queues:
        """The queues, for the boundary to put messages back."""
        return self._ports.queues

    def _push_bell(self, repository: str, delay_s: float) -> None:
        self._messenger.sync(repository, delay_s=delay_s, pushed=True)

    def _settle_bell(self, repository: str, delay_s: float) -> None:
        self._messenger.settle(repository, delay_s=delay_s)

    @made
    def _bell(self) -> Bell:
        """The bell for (settle), one for all flows of this worker."""
        return Bell(self._settle_bell, self.clock)

    @property
    def _answers(self) -> Answers:
        return Answers(self._records, self._archive)

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


def digest(settings: Settings) -> Callable[[str], str]:
    """Return how a captured secret is replaced: the key's id and a digest made with the key."""
    return _digest_with(settings.digest_key, settings.digest_key_id)


def digests(settings: Settings) -> Mapping[str, Callable[[str], str]]:
    """Return the same by the key's id: with the key of today first, then with the one before it."""
    found = {settings.digest_key_id: digest(settings)}
    if settings.digest_key_previous is not None and settings.digest_key_previous_id is not None:
        previous = settings.digest_key_previous_id
        found.setdefault(previous, _digest_with(settings.digest_key_previous, previous))
    return found


def _digest_with(secret: Secret, key_id: str) -> Callable[[str], str]:
    key = secret.reveal().encode()
    return lambda value: f"{key_id}:{keyed_digest(key, value)}"
