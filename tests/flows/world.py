"""The whole loop in memory: the real flows behind the real boundary, over fakes with teeth.

A ``World`` is a cloud that stands still until somebody moves it. ``run`` plays the Functions host:
it hands visible messages to the functions' boundary, lets the sweep tick, and moves the clock.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import azure.functions as func
import orjson
import pytest

from functions import _boundary
from shared import wiring
from shared.adapters.callers import OperatorCallers
from shared.core import names
from shared.core.document import decode
from shared.core.drift.model import Drift
from shared.core.message import QUEUES, Queue
from shared.core.record import Record
from shared.core.source.tree import SourceTree
from shared.flows.lookup import Answered
from shared.flows.receive_push import Delivery, Reply
from shared.flows.sign_in import Credentials
from shared.ports import GitRepository
from shared.settings import Settings, load
from tests.fakes.activity import FakeActivityLog
from tests.fakes.arm import FakeArm, Outcome
from tests.fakes.blobs import MemoryDocuments, MemoryHistory
from tests.fakes.git import FakeGit, Files
from tests.fakes.hosts import FakeHosts
from tests.fakes.queues import MemoryQueues, TakenMessage
from tests.fakes.system import (
    FakeClock,
    FakeIds,
    Faults,
    ListLog,
    Moment,
    SerialParallel,
    SkewedClock,
)

SUB: Final = "11111111-1111-1111-1111-111111111111"
URL: Final = "https://git.example/acme/shop.git"
HOOK: Final = "a-random-hook"
OPERATOR_KEY: Final = "the operator's key"
HOOK_SECRET: Final = "the hook's secret"
SCHEMA: Final = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
LEASE_S: Final = 600.0
"""How long the host hides a message that it handed out: a dead worker gives back nothing sooner."""
SWEEP_S: Final = 30.0
CONFIGURATION: Final = {
    "installation": "laptop",
    "repositories": {
        "example": {
            "url": URL,
            "branch": "main",
            "hook": HOOK,
            "hook_secrets": ["PLUMBLINE_SECRET_HOOK"],
            "default_subscription": SUB,
            "scopes": [f"/subscriptions/{SUB}"],
        }
    },
}


class Killed(BaseException):
    """The worker's process is gone, as after SIGKILL."""


@dataclass(frozen=True)
class MemoryPorts:
    """The world in memory, as wiring.Ports wants it."""

    documents: MemoryDocuments
    history: MemoryHistory
    queues: MemoryQueues
    git: "FaultyGit"
    arm: FakeArm
    activity: FakeActivityLog
    hosts: FakeHosts
    callers: OperatorCallers
    clock: FakeClock | SkewedClock
    ids: FakeIds
    parallel: SerialParallel
    log: ListLog


class FaultyGit:
    """The port Git over FakeGit, with faults."""

    def __init__(self, git: FakeGit, faults: Faults) -> None:
        self._git, self._faults = git, faults

    def tip(self, repository: GitRepository) -> str | None:
        """See ports.Git."""
        with self._faults.around("git.tip", repository.key):
            return self._git.tip(repository)

    def tree(self, repository: GitRepository, revision: str) -> SourceTree:
        """See ports.Git."""
        with self._faults.around("git.tree", revision):
            return self._git.tree(repository, revision)


def template(note: str = "", name: str = "nsg", **more: Any) -> bytes:
    """Return a template with one network security group; ``note`` makes digests differ."""
    resource = {
        "type": "Microsoft.Network/networkSecurityGroups",
        "apiVersion": "2023-11-01",
        "name": name,
        "location": "westeurope",
        "tags": {"note": note},
        "properties": {"securityRules": []},
    }
    body = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [resource], **more}
    return orjson.dumps(body)


def manifest(*stacks: str, create: bool = True) -> str:
    """Return a manifest in which each stack has a template and a resource group of its name."""
    group = ", createResourceGroup: westeurope" if create else ""
    lines = [f"  {name}: {{template: {name}.json, scope: rg-{name}{group}}}" for name in stacks]
    return "\n".join(["version: 1", "stacks:", *lines])


def files(*stacks: str, **notes: str) -> dict[str, Any]:
    """Return a repository with these stacks; ``notes`` are what their templates say."""
    found: dict[str, Any] = {"plumbline.yaml": manifest(*stacks)}
    return found | {f"{name}.json": template(notes.get(name, "")) for name in stacks}


def deployment_id(stack: str) -> str:
    """Return the id of a stack's deployment."""
    scope = f"/subscriptions/{SUB}/resourceGroups/rg-{stack}"
    return names.deployment_id(scope, "example", stack)


class World:
    """Everything there is, and the moves that people and machines make in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
        self.clock = FakeClock()
        self.faults = Faults(self._struck)
        self.documents = MemoryDocuments(self.clock, self.faults)
        self.history = MemoryHistory(self.faults)
        self.queues = MemoryQueues(self.clock, self.faults)
        self.git = FakeGit()
        self.ids = FakeIds()
        self.hosts = FakeHosts(self.faults)
        self.arm = FakeArm(self.clock, self.faults, outcome=Outcome(seconds=1.0))
        self.activity = FakeActivityLog(self.clock, self.faults)
        self.activity.entries = self.arm.writes  # what is written in Azure is in its log
        self.log = ListLog()
        self.hook: Callable[[Moment, str, str], None] | None = None
        self.errors: list[BaseException] = []
        self.unheard: set[str] = set()
        self.turn = ""
        self.last_sweep = self.clock.monotonic()
        self.git.create(URL)
        text = json.dumps(options.pop("configuration", CONFIGURATION))
        self.documents.create(names.CONFIGURATION, text.encode(), {})
        self.settings: Settings = load(
            {
                "PlumblineStorage": "UseDevelopmentStorage=true",
                "PLUMBLINE_DIGEST_KEY": "k" * 40,
                "PLUMBLINE_DIGEST_KEY_ID": "test",
                "PLUMBLINE_SECRET_HOOK": HOOK_SECRET,
                "PLUMBLINE_OPERATOR_KEY": OPERATOR_KEY,
                **options,
            }
        )
        self.restart()
        monkeypatch.setattr(wiring, "services", lambda: self.services)
        monkeypatch.setattr(wiring, "log", lambda: self.log)

    def restart(self) -> None:
        """Start a new worker: nothing that the old one had in memory is left."""
        self.services = self.worker(self.clock)

    def worker(self, clock: FakeClock | SkewedClock) -> wiring.Services:
        """Return one more worker in this world, whose own clock says what it likes."""
        return wiring.Services(
            self.settings,
            MemoryPorts(
                documents=self.documents,
                history=self.history,
                queues=self.queues,
                git=FaultyGit(self.git, self.faults),
                arm=self.arm,
                activity=self.activity,
                hosts=self.hosts,
                callers=OperatorCallers(None, self.settings.operator.key, clock),
                clock=clock,
                ids=self.ids,
                parallel=SerialParallel(),
                log=self.log,
            ),
        )

    def _struck(self, moment: Moment, call: str, name: str) -> None:
        if self.hook is not None:
            self.hook(moment, call, name)

    # ---- what people do --------------------------------------------------------------------

    def commit(self, content: Files) -> str:
        """Push without a webhook, as if its delivery was lost."""
        return self.git.push(URL, content)

    def push(self, content: Files) -> str:
        """Push, and let the Git host tell us; returns the revision."""
        revision = self.commit(content)
        self.announce(revision)
        return revision

    def announce(
        self,
        revision: str,
        key: str | None = None,
        *,
        hook: str = HOOK,
        secret: str = HOOK_SECRET,
        branch: str = "main",
    ) -> Reply | None:
        """Deliver the webhook of a push; None when the worker died over it."""
        ref = f"refs/heads/{branch}"
        body = orjson.dumps({"ref": ref, "after": revision, "repository": {"clone_url": URL}})
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        delivery = Delivery(
            hook=hook, body=body, signature=f"sha256={digest}", event="push", key=key or revision
        )
        try:
            return self.services.receive_push(delivery)
        except Killed:
            self.unheard.add(revision)
            self.restart()
            return None

    def order(self, stack: str, operation: str, why: str = "a test", **more: Any) -> Any:
        """Give an operator's order; returns the body of a 202."""
        answered = self.ordered(stack, operation, why, **more)
        assert answered.status == 202, answered
        return orjson.loads(_json(answered.body))

    def ordered(
        self, stack: str, operation: str, why: str = "a test", key: str = OPERATOR_KEY, **more: Any
    ) -> Answered:
        """Give an operator's order; returns the answer, whatever it is."""
        body = orjson.dumps({"why": why, **more})
        return self.services.operate(stack, operation, body, Credentials(None, key))

    def configure(self, configuration: Any) -> None:
        """Let the operator write another configuration; bytes are written as they are."""
        raw = isinstance(configuration, bytes)
        text = configuration if raw else orjson.dumps(configuration)
        self.documents.overwrite(names.CONFIGURATION, text)

    def rebuild(
        self, key: str = OPERATOR_KEY, repository: str = "example", **body: Any
    ) -> Answered:
        """Order a rebuild of a repository's state; returns the answer, whatever it is."""
        said = orjson.dumps({"why": "a test", **body})
        return self.services.rebuild(repository, said, Credentials(None, key))

    # ---- what the Functions host does ------------------------------------------------------

    def handle(self, message: TakenMessage) -> None:
        """Run one invocation; complete the message, or give it back as the host does."""
        self.turn = message.queue
        queue: Queue = message.queue  # type: ignore[assignment]  # the fake's queues are ours
        context: Any = SimpleNamespace(invocation_id="i", function_name=queue)
        flow: Callable[[Any, Any], None] = lambda services, decoded: getattr(services, queue)(  # noqa: E731
            decoded
        )
        try:
            received = func.QueueMessage(id=message.id, body=message.body)
            _boundary.handle(queue, received, context, flow)
        except Killed:
            self.restart()  # the message comes back when its lease has run out
            return
        except Exception as e:  # noqa: BLE001 — the host's part: whatever a function raises
            self.errors.append(e)
            self.queues.fail(message)
            return
        self.queues.complete(message)

    def sweep(self) -> None:
        """Let the sweep tick."""
        self.last_sweep = self.clock.monotonic()
        context: Any = SimpleNamespace(invocation_id="i", function_name="sweep")
        try:
            _boundary.tick(context, lambda services: services.sweep())
        except Killed:
            self.restart()

    def scan(self) -> None:
        """Let the drift scan tick, and let everything come of it."""
        context: Any = SimpleNamespace(invocation_id="i", function_name="scan_drift")
        try:
            _boundary.tick(context, lambda services: services.scan_drift())
        except Killed:
            self.restart()
        self.run(30, sweeps=False)

    def deliver_visible(self) -> int:
        """Hand out every message that is visible now; returns how many there were."""
        count = 0
        for queue in QUEUES:
            for message in self.queues.take(queue, 32, hidden_s=LEASE_S):
                self.handle(message)
                count += 1
        return count

    def run(self, seconds: float = 300.0, *, sweeps: bool = True) -> None:
        """Let ``seconds`` pass, second by second, with everything that happens in them."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            while self.deliver_visible():
                pass
            if sweeps and self.clock.monotonic() - self.last_sweep >= SWEEP_S:
                self.sweep()
                continue
            self.clock.advance(1.0)

    # ---- what one can look at --------------------------------------------------------------

    def record(self, stack: str) -> Record:
        """Return a stack's record."""
        stored = self.documents.read(names.record("example", stack))
        assert stored is not None, f"no record of {stack}"
        return decode(Record, stack, stored.data).document

    def drift(self, stack: str) -> Drift:
        """Return what inspections know of a stack."""
        stored = self.documents.read(names.drift("example", stack))
        assert stored is not None, f"no drift document of {stack}"
        return decode(Drift, stack, stored.data).document

    def kept(self) -> list[str]:
        """Return the names of everything in history."""
        return list(self.history.list(""))

    def api(self, path: str) -> Any:
        """Ask the API; returns the JSON of a 200 answer."""
        answered = self.services.status(path)
        assert answered.status == 200, answered
        return orjson.loads(_json(answered.body))

    def status(self, revision: str) -> str:
        """Return the status of a revision."""
        found: str = self.api(f"revisions/{revision}")["status"]
        return found

    def puts(self, stack: str) -> int:
        """Return how many PUTs of a stack ARM has taken."""
        return len(self.arm.puts(deployment_id(stack)))

    def note(self, stack: str) -> str | None:
        """Return what the stack's resource says in Azure now."""
        resource = (
            f"/subscriptions/{SUB}/resourceGroups/rg-{stack}"
            "/providers/Microsoft.Network/networkSecurityGroups/nsg"
        )
        body: Mapping[str, Any] | None = self.arm.resources.get(resource.lower())
        return None if body is None else body["tags"]["note"]


def _json(body: Any) -> bytes:
    from shared.core.view import to_json  # noqa: PLC0415 — one use

    return to_json(body)
