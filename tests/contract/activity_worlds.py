"""The Activity Logs of the contract tests: the fake, ARM's route and a workspace of the simulator."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest

from local.arm.knobs import Knobs
from local.arm.server import Address, Settings, start
from shared.adapters.arm import Account, ArmEndpoint, ManagedIdentity
from shared.adapters.arm.activity import AzureActivityLog
from shared.adapters.arm.activity_table import LogsEndpoint
from shared.adapters.system import SystemClock, SystemIds
from shared.core.activity import Reading
from tests.arm.azure import Azure, clients
from tests.fakes.activity import FakeActivityLog
from tests.fakes.system import FakeClock

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stshop"
ANN = "ann@contoso.example"
WORKSPACE = "fake-workspace"


class World(Protocol):
    """An Activity Log, and people who do things."""

    def now(self) -> datetime:
        """Return the time in this world."""

    def read(self, since: datetime) -> Reading:
        """Ask the log."""

    def change(self, actor: str) -> None:
        """Change the storage account by hand."""

    def delete(self, actor: str) -> None:
        """Delete it by hand."""

    def ask_for_keys(self) -> None:
        """Do something that changes nothing."""

    def late(self, seconds: float) -> None:
        """Let the log have from now on what happens only after this long."""

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""

    def forbid(self) -> None:
        """Take the right to read away, for one call."""


class FakeWorld:
    """The fake, with a workspace or without."""

    def __init__(self, workspace: str | None) -> None:
        self.clock = FakeClock()
        self.fake = FakeActivityLog(self.clock, workspaces=[WORKSPACE])
        self._workspace = workspace

    def now(self) -> datetime:
        """See World."""
        return self.clock.now()

    def read(self, since: datetime) -> Reading:
        """See World."""
        return self.fake.writes(SUBSCRIPTION, since, self._workspace)

    def change(self, actor: str) -> None:
        """See World."""
        self.fake.note(ACCOUNT, caller=actor, times=2)

    def delete(self, actor: str) -> None:
        """See World."""
        self.fake.note(ACCOUNT, "delete", caller=actor)

    def ask_for_keys(self) -> None:
        """See World."""
        self.fake.note(ACCOUNT, "Microsoft.Storage/storageAccounts/listKeys/action")

    def late(self, seconds: float) -> None:
        """See World."""
        self.fake.lag_s = seconds

    def pass_time(self, seconds: float) -> None:
        """See World."""
        self.clock.advance(seconds)

    def forbid(self) -> None:
        """See World."""
        self.fake.forbid()


class SimulatedWorld:
    """The simulator; ``route`` is the name of the one by which it is asked."""

    def __init__(self, log: AzureActivityLog, azure: Azure, workspace: str | None) -> None:
        self.log, self.azure, self.workspace = log, azure, workspace
        self.route = "logs-query" if workspace else "activity-log"
        self._offset = 0.0

    def now(self) -> datetime:
        """See World."""
        return SystemClock().now() + timedelta(seconds=self._offset)

    def read(self, since: datetime) -> Reading:
        """See World."""
        return self.log.writes(SUBSCRIPTION, since, self.workspace)

    def change(self, actor: str) -> None:
        """See World."""
        body = {"id": ACCOUNT, "set": {"tags": {"by": actor}}, "actor": actor}
        self.azure.control("POST", "/change", body)

    def delete(self, actor: str) -> None:
        """See World."""
        self.azure.control("POST", "/delete", {"id": ACCOUNT, "actor": actor})

    def ask_for_keys(self) -> None:
        """See World."""
        reply = self.azure.call("POST", f"{ACCOUNT}/listKeys?api-version=2023-05-01")
        assert reply.status == 200, reply

    def late(self, seconds: float) -> None:
        """See World."""
        self.azure.turn(activity_lag_seconds=seconds)

    def pass_time(self, seconds: float) -> None:
        """See World."""
        self._offset += seconds
        self.azure.turn(clock_offset_seconds=self._offset)

    def forbid(self) -> None:
        """See World."""
        error = {"code": "InsufficientAccessError", "message": "The credentials are not enough"}
        told: dict[str, Any] = {"kind": "authorization_failed"}
        if self.workspace:
            told = {"status": 403, "body": {"error": error}}
        self.azure.script(told, route=self.route)


@contextmanager
def simulated(
    patch: pytest.MonkeyPatch, *, workspace: bool, **knobs: Any
) -> Iterator[SimulatedWorld]:
    """Start a simulator with a storage account, and an adapter with a managed identity."""
    settings = Settings(subscription=SUBSCRIPTION, knobs=Knobs(retry_after=None, **knobs))
    with start(settings) as address, clients(address) as azure:
        patch.setenv("IDENTITY_ENDPOINT", address.identity.endpoint)
        patch.setenv("IDENTITY_HEADER", address.identity.header)
        azure.group()
        account = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
        _put(azure, ACCOUNT, "2023-05-01", account)
        found = _workspace(azure) if workspace else None
        with closing(ManagedIdentity()) as identity, closing(adapter(address, identity)) as log:
            yield SimulatedWorld(log, azure, found)


def adapter(address: Address, identity: ManagedIdentity) -> AzureActivityLog:
    """Return an adapter for a simulator."""
    return AzureActivityLog(
        ArmEndpoint(url=address.endpoint, ca_file=address.ca_file),
        LogsEndpoint(url=address.endpoint, ca_file=address.ca_file),
        identity,
        SystemClock(),
        Account(SystemIds().new, lambda _: None, lambda _, __: None),
    )


def _workspace(azure: Azure) -> str:
    path = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
    body = _put(azure, path, "2023-09-01", {"location": "westeurope"})
    found: str = body["properties"]["customerId"]
    return found


def _put(azure: Azure, resource_id: str, version: str, body: Any) -> Any:
    reply = azure.call("PUT", f"{resource_id}?api-version={version}", body)
    assert reply.status < 300, reply
    return reply.body
