"""The flows about what is there: scans, inspections, deletions. Imported when one of them is asked for."""

from typing import TYPE_CHECKING

from shared.made import made
from shared.wiring.parts import Parts, digests

if TYPE_CHECKING:
    from shared.flows.activity import Activities
    from shared.flows.inspect import Inspect
    from shared.flows.prune import Prune
    from shared.flows.scan_drift import ScanDrift


class DriftFlows(Parts):
    """One flow for each of these functions."""

    @made
    def scan_drift(self) -> "ScanDrift":
        """The flow of the function of this name."""
        from shared.flows.scan_drift import ScanDrift

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
    def inspect(self) -> "Inspect":
        """The flow of the function of this name."""
        from shared.flows.dependencies import Dependencies
        from shared.flows.foresee import Foresee
        from shared.flows.gathering import Gathering
        from shared.flows.inspect import Inspect

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
                digests=digests(self._settings),
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
    def prune(self) -> "Prune":
        """The flow of the function of this name."""
        from shared.flows.claimants import Claimants
        from shared.flows.deletions import Deletions
        from shared.flows.prune import Prune

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
    def activities(self) -> "Activities":
        """The step of scans that asks the Activity Log what is new."""
        from shared.flows.activity import Activities

        return Activities(
            self._configurations,
            self._activity_shelf,
            self._ports.activity,
            self._budget,
            self.log,
        )
