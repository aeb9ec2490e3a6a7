"""The flows of the loop, one for each function, put together when they are first asked for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.core.budget import Kind
from shared.flows.adopt import Adopts
from shared.flows.audits import Audits
from shared.flows.bell import Bell
from shared.flows.dependencies import Dependencies
from shared.flows.moves import Moves
from shared.flows.operate import Operate
from shared.flows.owners import Owners
from shared.flows.poison import Poison
from shared.flows.poisoned import Poisoned
from shared.flows.put import Puts
from shared.flows.rebuild import Rebuild
from shared.flows.receive_push import ReceivePush
from shared.flows.release import Releases
from shared.flows.renames import Renames
from shared.flows.replay import Replay
from shared.flows.settle import Settle
from shared.flows.snapshot import Snapshots
from shared.flows.status import Status
from shared.flows.sweep import Sweep
from shared.flows.telling import Telling
from shared.flows.watch import Watch
from shared.made import made
from shared.wiring.drift import DriftFlows
from shared.wiring.parts import digest

if TYPE_CHECKING:
    from shared.flows.sync import Sync


class Services(DriftFlows):
    """One flow for each function, put together over ``ports`` when it is first asked for.

    So a worker that only answers webhooks never imports the SDKs of ARM and Git.
    """

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
            digest=digest(self._settings),
            log=self.log,
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

    def _calls_left(self) -> Mapping[str, Mapping[Kind, int]]:
        # A worker that never called ARM knows nothing, and need not load the SDK to say so.
        return self._budget.shown() if "_budget" in self.__dict__ else {}
