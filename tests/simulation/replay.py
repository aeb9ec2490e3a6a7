"""Workers of the model: the product's own flows, stopped at every call that leaves them.

A flow is a function of its message and of the answers to its calls. A worker is therefore kept as
exactly that: what it was asked to do, and the answers so far. Its next call is found by running the
real flow again with those answers, and is remembered. Nothing here decides anything.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from shared import wiring
from shared.core import message as messages
from shared.core.arm_errors import Active, Refused, Unknown
from shared.core.arm_model import Deployment, DeploymentRequest, DeploymentState, SightingsPage
from shared.core.commit_status import CommitStatus
from shared.core.errors import Stalled, Transient, Waiting
from shared.core.message import QUEUES, Queue, RepositoryMessage, StackMessage
from shared.core.problem import Problem
from shared.flows.lookup import Answered
from shared.flows.receive_push import Delivery
from shared.flows.sign_in import Credentials
from shared.ports import (
    Caller,
    ChangedError,
    ExistsError,
    GitHost,
    GitRepository,
    Listed,
    Stored,
    Version,
)
from shared.settings import Settings, load
from tests.fakes.git import FakeGit, FakeTree, Files
from tests.flows.world import CONFIGURATION, HOOK, HOOK_SECRET, URL
from tests.simulation.documents import NOW, concrete

REPOSITORY: Final = "example"
FAILURES: Final[Mapping[str, str]] = {"passing": "InternalServerError", "final": "SkuNotAvailable"}
"""How a deployment may fail, and with which code of ARM's."""

STATUSES: Final = {
    "statuses": {
        "github": "https://api.git.example/repos/acme/shop",
        "token": "PLUMBLINE_SECRET_HOOK",
    }
}


class Task(NamedTuple):
    """What a worker was asked: a message, or what a person or a timer does at one go."""

    kind: str
    subject: str = ""
    is_delayed: bool = False
    is_pushed: bool = False


class Request(NamedTuple):
    """A call that leaves a flow."""

    call: str
    name: str = ""
    data: bytes = b""
    more: Any = None


Answer = tuple[Any, ...]
END: Final = Request("end")
AGAIN: Final = Request("again")


class _Stop(BaseException):
    """The flow made a call that has no answer yet."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.call)
        self.request = request


class Repository:
    """The followed repository: every revision there will be, and the contents that come of them."""

    def __init__(self, revisions: Sequence[Files]) -> None:
        self.git = FakeGit()
        self.git.create(URL)
        self.revisions = tuple(self.git.push(URL, files) for files in revisions)
        self.contents: dict[str, bytes] = {}

    def tree(self, revision: str) -> FakeTree:
        """Return the files of a revision."""
        return FakeTree(revision, self.git.repositories[URL].commits[revision])


class _World:
    """All ports of one replay: answers in their order, then a stop."""

    def __init__(self, repository: Repository, answers: Sequence[Answer], now: datetime) -> None:
        self._repository, self._answers, self._now = repository, answers, now
        self._next = 0
        self.documents = self.history = self.queues = self.git = self.arm = self
        self.hosts = self.callers = self.clock = self.ids = self.parallel = self
        self.log = _Silence()

    def _ask(self, call: str, name: str = "", data: bytes = b"", more: Any = None) -> Answer:
        if self._next == len(self._answers):
            raise _Stop(Request(call, name, data, more))
        self._next += 1
        return self._answers[self._next - 1]

    # ---- Documents and History: one class for all ports, told apart by what is asked ----------

    def read(self, name: str) -> Any:
        """See ports.Documents and ports.History."""
        if name.startswith("contents/"):
            return self._repository.contents.get(name)
        if not name.endswith(("record.json", "tip.json")) and "/revisions/" not in name:
            return self._ask("recall", name)[1]
        _, _, blob, age = self._ask("read", name)
        if blob is None:
            return None
        return Stored(concrete(name, blob, age), str(self._next - 1), self._now)

    def create(self, name: str, data: bytes, facts: Mapping[str, str]) -> Version:
        """See ports.Documents."""
        answer = self._ask("create", name, data, tuple(sorted(facts.items())))
        if answer[0] == "exists":
            raise ExistsError(name)
        return Version(str(self._next - 1), NOW)

    def replace(self, name: str, data: bytes, etag: str, facts: Mapping[str, str]) -> Version:
        """See ports.Documents."""
        answer = self._ask("replace", name, data, (int(etag), tuple(sorted(facts.items()))))
        if answer[0] == "changed":
            raise ChangedError(name)
        return Version(str(self._next - 1), NOW)

    def delete(self, *names: str) -> None:
        """See ports.Documents."""
        if names:
            self._ask("delete", more=names)

    def list(self, prefix: str) -> Iterable[Any]:
        """See ports.Documents and ports.History."""
        if prefix.endswith("/releases/"):
            kept: tuple[str, ...] = self._ask("recall-names", prefix)[1]
            return kept
        found = self._ask("list", prefix)[1]
        return [Listed(name, dict(blob.facts), "") for name, blob in found]

    def put(self, first: Any, data: bytes = b"") -> Any:
        """See ports.History.put and ports.Arm.put."""
        if isinstance(first, DeploymentRequest):
            return self._put(first)
        if first.startswith("contents/"):
            self._repository.contents[first] = data
            return True
        if "/releases/" not in first:
            return True  # nobody reads deliveries, audits and snapshots back
        return self._ask("keep", first, data)[1]

    # ---- Queues -----------------------------------------------------------------------------

    def send(self, first: Any, second: Any = None, third: Any = 0.0) -> None:
        """See ports.Queues.send and ports.CommitStatuses.send."""
        if isinstance(first, GitHost):
            self._tell(second, third)
            return
        message = messages.decode(first, second)
        subject = message.stack if isinstance(message, StackMessage) else ""
        pushed = isinstance(message, RepositoryMessage) and message.pushed
        self._ask("send", more=Task(first, subject, third > 0, pushed))

    def length(self, queue: str) -> int:  # noqa: ARG002 - the port
        """See ports.Queues."""
        return 0

    # ---- Git and its host -------------------------------------------------------------------

    def tip(self, repository: GitRepository) -> str:
        """See ports.Git."""
        return str(self._ask("tip", repository.key)[1])

    def tree(self, repository: GitRepository, revision: str) -> FakeTree:  # noqa: ARG002 - the port
        """See ports.Git."""
        return self._repository.tree(revision)

    def _tell(self, revision: str, status: CommitStatus) -> None:
        self._ask("tell", revision, more=(status.context, status.state))

    def sent(self, host: GitHost, revision: str) -> Mapping[str, str]:  # noqa: ARG002 - the port
        """See ports.CommitStatuses."""
        return dict(self._ask("told", revision)[1])

    # ---- ARM --------------------------------------------------------------------------------

    def left(self, subscription: str, kind: str) -> None:
        """Say nothing of limits: time does not count here."""

    def deployment(self, deployment_id: str) -> Deployment | None:
        """See ports.Arm."""
        _, tags, state = self._ask("deployment", self._place(deployment_id))
        if tags is None:
            return None
        found = dict(tags)
        how: DeploymentState = "failed" if state in FAILURES else state
        code = FAILURES.get(state)
        content = self._repository.contents.get(f"contents/{found['plumbline-source']}")
        return Deployment(
            id=deployment_id,
            state=how,
            tags=found,
            correlation_id="c",
            timestamp=NOW,
            outputs=_outputs(content) if how == "succeeded" else {},
            error={"code": code, "message": code} if code else None,
        )

    def _place(self, deployment_id: str) -> str:
        """Return the name of a deployment in ARM: one for each stack (rule 5)."""
        return deployment_id

    def _put(self, request: DeploymentRequest) -> None:
        taken = orjson.dumps(dict(request.parameters), option=orjson.OPT_SORT_KEYS)
        answer = self._ask(
            "put", self._place(request.id), taken, tuple(sorted(request.tags.items()))
        )[0]
        if answer == "active":
            raise Active("DeploymentActive", "a deployment of this name is active")
        if answer == "unknown":
            raise Unknown("Timeout", "no answer")
        if answer == "refused":
            raise Refused(Problem(code="InvalidTemplate", message="no"))

    def cancel(self, deployment_id: str) -> None:
        """See ports.Arm."""
        self._ask("cancel", deployment_id)

    def operations(self, deployment_id: str) -> Sequence[Any]:  # noqa: ARG002 - the port
        """See ports.Arm; what they say changes no decision."""
        return ()

    def sightings(self, scope: str, after: str | None = None) -> SightingsPage:  # noqa: ARG002 - the port
        """See ports.Arm; the groups are empty, so that no first release has to be asked about."""
        return SightingsPage(())

    # ---- the machine ------------------------------------------------------------------------

    def identify(self, bearer: str | None, key: str | None) -> Caller:  # noqa: ARG002 - the port
        """See ports.Callers: in the model everybody who gives orders may."""
        return Caller("somebody", is_operator=True)

    def now(self) -> datetime:
        """See ports.Clock; only the sweep's stands elsewhere."""
        return self._now

    def monotonic(self) -> float:
        """See ports.Clock: a turn takes no time, so a worker never finds its hold too short."""
        return 1000.0

    def new(self) -> str:
        """See ports.Ids."""
        return "00000000-0000-4000-8000-000000000001"

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Sequence[Any]:
        """See ports.Parallel."""
        return [function(item) for item in items]


class _Silence:
    """The port Log, unheard."""

    def __call__(self, event: str, **fields: object) -> None:
        """Forget it."""

    def bound(self, **fields: object) -> nullcontext[None]:  # noqa: ARG002 - the port
        """Forget it."""
        return nullcontext()


def _outputs(content: bytes | None) -> Mapping[str, Any]:
    import zlib  # noqa: PLC0415 - one use

    if content is None:
        return {}
    found: Mapping[str, Any] = orjson.loads(zlib.decompress(content))["template"].get("outputs", {})
    return found


def settings(*, tells_host: bool) -> Settings:
    """Return the settings of the modelled installation."""
    example: Any = CONFIGURATION["repositories"]["example"]  # type: ignore[index]
    told = {**example, **STATUSES} if tells_host else example
    text = orjson.dumps({**CONFIGURATION, "repositories": {REPOSITORY: told}}).decode()
    return load(
        {
            "PlumblineStorage": "UseDevelopmentStorage=true",
            "PLUMBLINE_DIGEST_KEY": "k" * 40,
            "PLUMBLINE_DIGEST_KEY_ID": "test",
            "PLUMBLINE_SECRET_HOOK": HOOK_SECRET,
            "PLUMBLINE_OPERATOR_KEY": "the operator's key",
            "PLUMBLINE_CONFIG": text,
        }
    )


class Flows:
    """The product's flows as functions from answers to the next call, remembered."""

    def __init__(self, repository: Repository, *, tells_host: bool = False) -> None:
        self.repository = repository
        self._settings = settings(tells_host=tells_host)
        self._known: dict[tuple[Any, ...], Request] = {}
        self.runs = 0

    def next(self, task: Task, answers: tuple[Answer, ...], now: datetime = NOW) -> Request:
        """Return the call that follows these answers; END and AGAIN are ends of a turn."""
        key = (task, answers, now)
        found = self._known.get(key)
        if found is None:
            self.runs += 1
            found = self._known[key] = self._run(task, answers, now)
        return found

    def result(self, task: Task, answers: tuple[Answer, ...]) -> Any:
        """Return what a flow returns when all of its calls are answered."""
        return self._flow(task, _World(self.repository, answers, NOW))

    def _run(self, task: Task, answers: tuple[Answer, ...], now: datetime) -> Request:
        try:
            self._flow(task, _World(self.repository, answers, now))
        except _Stop as stop:
            return stop.request
        except (Transient, Waiting):
            return AGAIN  # the boundary sends a copy for later
        except Stalled:
            return END  # the boundary reports it
        return END

    def _flow(self, task: Task, world: Any) -> Any:
        services = wiring.Services(self._settings, world)
        if task.kind in QUEUES:
            queue: Queue = task.kind
            return getattr(services, queue)(_message(queue, task))
        if task.kind == "sweep":
            return services.sweep()
        if task.kind == "push":
            return services.receive_push(_delivery(task.subject))
        if task.kind == "answer":
            return services.status.revision(task.subject)
        if task.kind == "inputs":
            held = services.release.records.read(REPOSITORY, task.subject)
            return None if held is None else services.release.dependencies(held.document)
        operation, _, stack = task.kind.partition(" ")
        return _order(services, operation, stack)


def _message(queue: Queue, task: Task) -> Any:
    if queue in messages.REPOSITORY_QUEUES:
        return RepositoryMessage(repository=REPOSITORY, pushed=task.is_pushed)
    return StackMessage(repository=REPOSITORY, stack=task.subject)


def _delivery(revision: str) -> Delivery:
    body = orjson.dumps(
        {"ref": "refs/heads/main", "after": revision, "repository": {"clone_url": URL}}
    )
    digest = hmac.new(HOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return Delivery(hook=HOOK, body=body, signature=f"sha256={digest}", event="push", key=revision)


def _order(services: wiring.Services, operation: str, stack: str) -> Answered:
    until = {"until": (NOW + timedelta(hours=4)).isoformat()} if operation == "freeze" else {}
    body = orjson.dumps({"why": "the model", **until})
    return services.operate(stack, operation, body, Credentials(None, "k"))
