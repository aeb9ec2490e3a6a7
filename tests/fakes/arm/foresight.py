"""The fake's what-if: the planned bodies against what is there, and the script of what it cannot tell.

It is worked out when it is asked for, and shown once it was looked at ``Outlook.looks`` times.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.core.arm_errors import Unregistered
from shared.core.arm_model import DeploymentRequest
from shared.core.errors import Stalled
from shared.core.prediction import (
    Diagnostic,
    Predicting,
    Prediction,
    PropertyChange,
    ResourceChange,
)
from shared.core.scopes import subscription_of
from shared.ports import Clock
from tests.fakes.arm.differences import differences
from tests.fakes.arm.estate import FakeEstate, Kept, is_listed
from tests.fakes.arm.template import NESTED, PlannedResource, planned_resources
from tests.fakes.system import Faults


@dataclass(frozen=True)
class Outlook:
    """How a what-if goes.

    ``looks`` is how often it still runs when it is looked at; None: the first answer is the end.
    ``unsupported`` are reasons by resource name, ``potential`` names that may or may not be
    deployed; ``error`` is ARM's error object.
    """

    looks: int | None = 0
    error: Mapping[str, Any] | None = None
    unsupported: Mapping[str, str] = field(default_factory=dict)
    potential: frozenset[str] = frozenset()
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass
class _WhatIf:
    prediction: Prediction
    looks: int


class FakeForesight(FakeEstate):
    """The part of the fake about what a deployment would change.

    ``noise`` maps ids (lower case) to differences that every what-if finds and nobody made.
    ``foretold`` are the requests that a what-if was started for; ``outlook`` is how they go.
    """

    def __init__(self, clock: Clock, faults: Faults | None, groups: Sequence[str]) -> None:
        super().__init__(clock, faults, groups)
        self.noise: dict[str, tuple[PropertyChange, ...]] = {}
        self.foretold: list[DeploymentRequest] = []
        self.outlook = Outlook()
        self._outlooks: dict[str, list[Outlook]] = {}
        self._whatifs: dict[str, _WhatIf] = {}
        self._asked = 0

    # ---- the port --------------------------------------------------------------------------

    def predict(self, request: DeploymentRequest) -> Prediction | Predicting:
        """Start a what-if, or refuse it as a PUT; it changes nothing."""
        with self.faults.around("arm.predict", request.id), self._lock:
            self._settle()
            self._refuse_scope(request)
            self.foretold.append(copy.deepcopy(request))
            planned = self._outlooks.get(request.id.lower())
            outlook = planned.pop(0) if planned else self.outlook
            prediction = self._foretell(request, outlook)
            if outlook.looks is None:
                return copy.deepcopy(prediction)
            self._asked += 1
            above = f"/subscriptions/{subscription_of(request.id)}"
            address = f"{above}/operationresults/{self._asked}?api-version=2026-06-01"
            self._whatifs[address] = _WhatIf(prediction, outlook.looks)
            return Predicting(address)

    def prediction(self, address: str) -> Prediction | Predicting:
        """Return the what-if's end, or that it runs; each call is one look at it."""
        with self.faults.around("arm.prediction", address), self._lock:
            found = self._whatifs.get(address)
            if found is None:
                raise Stalled("PredictionGone", "ARM does not know this what-if any more.")
            if found.looks > 0:
                found.looks -= 1
                return Predicting(address)
            return copy.deepcopy(found.prediction)

    # ---- the script ------------------------------------------------------------------------

    def foretell(self, deployment_id: str, *outlooks: Outlook) -> None:
        """Say how the next what-ifs of this id go, one after the other."""
        self._outlooks.setdefault(deployment_id.lower(), []).extend(outlooks)

    def forget_predictions(self) -> None:
        """Let ARM know no what-if any more."""
        with self._lock:
            self._whatifs.clear()

    # ---- inside ----------------------------------------------------------------------------

    def _foretell(self, request: DeploymentRequest, outlook: Outlook) -> Prediction:
        correlation_id = f"f0e1{len(self.foretold):04x}-0000-4000-8000-000000000000"
        error = outlook.error
        try:
            self._refuse_template(request)
        except Unregistered as refused:
            # Found by what-if's own work, and told as its result.
            error = {"code": refused.reason, "message": refused.message}
        if error is not None:
            return Prediction(correlation_id=correlation_id, error=copy.deepcopy(error))
        planned, _ = planned_resources(request.template, request.scope, request.id)
        planned = [one for one in planned if one.type.lower() != NESTED]
        potential = [one for one in planned if one.name in outlook.potential]
        certain = [one for one in planned if one.name not in outlook.potential]
        changes = [self._changed(one, outlook.unsupported.get(one.name)) for one in certain]
        # What cannot be told apart is in the group all the same, and nobody knows that it is declared.
        known = [one for one in planned if one.name not in outlook.unsupported]
        return Prediction(
            changes=(*changes, *self._ignored(request, known)),
            potential=tuple(self._changed(one, None) for one in potential),
            diagnostics=outlook.diagnostics,
            correlation_id=correlation_id,
        )

    def _changed(self, one: PlannedResource, unsupported: str | None) -> ResourceChange:
        if unsupported is not None:
            return ResourceChange(f"[format('{one.name}')]", "unsupported", reason=unsupported)
        kept = self._kept.get(one.id.lower())
        after = {"apiVersion": one.api_version, **one.body}
        if kept is None:
            return ResourceChange(one.id, "create", after=after)
        before = {"apiVersion": one.api_version, **kept.body}
        delta = (*differences(before, after), *self.noise.get(one.id.lower(), ()))
        same = all(change.kind == "no_effect" for change in delta)
        return ResourceChange(one.id, "no_change" if same else "modify", before, after, delta)

    def _ignored(
        self, request: DeploymentRequest, planned: Sequence[PlannedResource]
    ) -> Iterator[ResourceChange]:
        """Yield what stands in a group that the deployment touches and not in its template."""
        declared = {one.id.lower() for one in planned}
        touched = {_group_of(place) for place in (f"{request.scope}/", *declared)} - {""}
        for key, kept in self._kept.items():
            group = _group_of(key)
            if group in touched and key not in declared and is_listed(key, f"{group}/"):
                yield ResourceChange(kept.id, "ignore", before=_shown(kept))


def _shown(kept: Kept) -> Mapping[str, Any]:
    return copy.deepcopy(kept.body)


def _group_of(resource_id: str) -> str:
    parts = resource_id.lower().split("/")
    is_group = len(parts) > 5 and parts[3] == "resourcegroups"
    return "/".join(parts[:5]) if is_group else ""
