"""States of the model, and the storage and queues in them.

A ``State`` is everything there is at one moment, hashable. A ``Draft`` is a state that is being changed
into the next; the calls that leave the product's flows are answered by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.simulation import claims
from tests.simulation.documents import FENCE, Blob, abstract, blob, fence_of, is_record
from tests.simulation.replay import Answer, Request, Task

Tags = tuple[tuple[str, str], ...]

FINISHED: Final = frozenset({"succeeded", "passing", "final", "canceled"})


class Budget(NamedTuple):
    """How often each thing may still go wrong."""

    crashes: int = 0
    expiries: int = 0
    losses: int = 0
    doubles: int = 0
    late: int = 0
    refusals: int = 0
    passing: int = 0
    final: int = 0


FAULTLESS: Final = Budget()


class Worker(NamedTuple):
    """A turn: its task and the answers so far. ``fresh``: whose documents nobody wrote since."""

    task: Task
    answers: tuple[Answer, ...]
    fresh: int


class State(NamedTuple):
    """Everything at one moment."""

    head: int
    documents: tuple[tuple[str, Blob], ...]
    history: tuple[tuple[str, Blob], ...]
    arm: tuple[tuple[str, Tags, str], ...]
    flying: tuple[tuple[str, Tags], ...]
    queue: tuple[Task, ...]
    workers: tuple[Worker, ...]
    orders: tuple[str, ...]
    told: tuple[tuple[tuple[str, str], str], ...]
    budget: Budget


@dataclass
class Hand:
    """A worker that is being moved."""

    task: Task
    answers: list[Answer] = field(default_factory=list)
    fresh: int = 0

    def note(self, name: str, answer: Answer) -> None:
        """Add an answer that brought the newest version of a document."""
        self.forget(name)
        self.fresh |= 1 << len(self.answers)
        self.answers.append(answer)

    def forget(self, name: str) -> None:
        """Let every version of a document that this worker knows be an old one."""
        if self.fresh:
            for n, answer in enumerate(self.answers):
                if len(answer) > 1 and answer[1] == name:
                    self.fresh &= ~(1 << n)

    def has_written(self, name: str) -> bool:
        """Tell whether this turn wrote the document."""
        return any(a[0] == "wrote" and a[1] == name for a in self.answers)


class Draft:
    """A state that is being changed."""

    def __init__(self, state: State, revisions: tuple[str, ...]) -> None:
        self.revisions = revisions
        self.head = state.head
        self.documents = dict(state.documents)
        self.history = dict(state.history)
        self.arm = {i: (tags, how) for i, tags, how in state.arm}
        self.flying = list(state.flying)
        self.queue = set(state.queue)
        self.hands = [Hand(w.task, list(w.answers), w.fresh) for w in state.workers]
        self.orders = state.orders
        self.told = dict(state.told)
        self.budget = state.budget

    def freeze(self) -> State:
        """Return the state; workers that are alike are told apart by nothing."""
        for name in {a[1] for h in self.hands for a in h.answers if a[0] == "read" and a[3]}:
            _compress(self.hands, name)
        workers = [Worker(h.task, tuple(h.answers), h.fresh) for h in self.hands]
        return State(
            self.head,
            tuple(sorted(self.documents.items(), key=_first)),
            tuple(sorted(self.history.items(), key=_first)),
            tuple(sorted((i, tags, how) for i, (tags, how) in self.arm.items())),
            tuple(sorted(self.flying)),
            tuple(sorted(self.queue)),
            tuple(sorted(workers, key=hash)),
            self.orders,
            tuple(sorted(self.told.items())),
            self.budget,
        )

    def spend(self, name: str) -> None:
        """Let one thing go wrong."""
        self.budget = self.budget._replace(**{name: getattr(self.budget, name) - 1})

    def records(self) -> Iterator[tuple[str, Blob]]:
        """Yield the records."""
        return ((n, b) for n, b in self.documents.items() if is_record(n))

    # ---- answers ----------------------------------------------------------------------------

    def perform(self, hand: Hand, request: Request) -> None:
        """Answer a call with what there is, and do what it does."""
        _ANSWERS[request.call](self, hand, request)

    def _read(self, hand: Hand, request: Request) -> None:
        found = self.documents.get(request.name)
        answer = ("read", request.name, found, 0)
        if found is None:
            hand.answers.append(answer)
        else:
            hand.note(request.name, answer)

    def _create(self, hand: Hand, request: Request) -> None:
        if request.name in self.documents:
            hand.answers.append(("exists", request.name))
            return
        self._write(hand, request.name, abstract(request.name, request.data, request.more))

    def _replace(self, hand: Hand, request: Request) -> None:
        version, facts = request.more
        name = request.name
        if not hand.fresh & (1 << version):
            hand.answers.append(("changed", name))
            return
        written = abstract(name, request.data, facts)
        if is_record(name):
            fence = fence_of(request.data)
            claims.check_record(name, self.documents[name], written, hand, fence)
            if fence > FENCE:
                for other in self.hands:
                    other.answers = [_older(a, name) for a in other.answers]
        else:
            claims.check_document(name, self.documents[name], written)
        self._write(hand, name, written)

    def _write(self, hand: Hand, name: str, written: Blob) -> None:
        self.documents[name] = written
        for other in self.hands:
            other.forget(name)
        hand.note(name, ("wrote", name, written))

    def _delete(self, hand: Hand, request: Request) -> None:
        for name in request.more:
            self.documents.pop(name, None)
            for other in self.hands:
                other.forget(name)
        hand.answers.append(("deleted",))

    def _list(self, hand: Hand, request: Request) -> None:
        found = sorted(
            ((n, b) for n, b in self.documents.items() if n.startswith(request.name)), key=_first
        )
        hand.answers.append(("list", tuple(found)))

    def _keep(self, hand: Hand, request: Request) -> None:
        is_new = request.name not in self.history
        if is_new:
            self.history[request.name] = blob(request.data)
        hand.answers.append(("keep", is_new))

    def _recall(self, hand: Hand, request: Request) -> None:
        found = self.history.get(request.name)
        hand.answers.append(("recall", found.data if found else None))

    def _recall_names(self, hand: Hand, request: Request) -> None:
        found = tuple(sorted(n for n in self.history if n.startswith(request.name)))
        hand.answers.append(("recall-names", found))

    def _send(self, hand: Hand, request: Request) -> None:
        self.queue.add(request.more)
        hand.answers.append(("sent",))

    def _tip(self, hand: Hand, request: Request) -> None:  # noqa: ARG002 - one shape
        hand.answers.append(("tip", self.revisions[self.head - 1]))

    def _tell(self, hand: Hand, request: Request) -> None:
        context, state = request.more
        claims.check_told(self.told.get((request.name, context)), state, context)
        self.told[request.name, context] = state
        hand.answers.append(("tell",))

    def _told(self, hand: Hand, request: Request) -> None:
        found = ((c, s) for (revision, c), s in self.told.items() if revision == request.name)
        hand.answers.append(("told", tuple(sorted(found))))

    def _deployment(self, hand: Hand, request: Request) -> None:
        tags, how = self.arm.get(request.name, (None, None))
        hand.answers.append(("deployment", tags, how))

    def _cancel(self, hand: Hand, request: Request) -> None:
        tags, how = self.arm.get(request.name, ((), ""))
        if how == "running":
            self.arm[request.name] = (tags, "canceled")
        hand.answers.append(("cancel",))

    def put(self, hand: Hand, request: Request, how: str) -> None:
        """Answer a PUT: taken, refused, or not answered and still on its way."""
        claims.check_put(request, hand, self.history)
        tags: Tags = request.more
        if how == "taken":
            how = "taken" if self.arrive(request.name, tags) else "active"
        elif how == "unknown":
            self.flying.append((request.name, tags))
        hand.answers.append((how,))

    def arrive(self, deployment_id: str, tags: Tags) -> bool:
        """Let a PUT reach ARM; False when a deployment of that name is active."""
        if self.arm.get(deployment_id, ((), ""))[1] == "running":
            return False
        self.arm[deployment_id] = (tags, "running")
        claims.check_active(self.arm)
        return True


_ANSWERS: Final = {
    "read": Draft._read,
    "create": Draft._create,
    "replace": Draft._replace,
    "delete": Draft._delete,
    "list": Draft._list,
    "keep": Draft._keep,
    "recall": Draft._recall,
    "recall-names": Draft._recall_names,
    "send": Draft._send,
    "tip": Draft._tip,
    "tell": Draft._tell,
    "told": Draft._told,
    "deployment": Draft._deployment,
    "cancel": Draft._cancel,
}


def _first(pair: tuple[str, Blob]) -> str:
    return pair[0]


def _older(answer: Answer, name: str) -> Answer:
    if answer[0] == "read" and answer[1] == name:
        return (*answer[:3], answer[3] + 1)
    return answer


def _compress(hands: list[Hand], name: str) -> None:
    """Leave out fences that nobody knows of: only their order is ever looked at.

    Who wrote a record believes in the fence after the one that it read, so that one is kept, too.
    """
    ages = {0}
    for hand in hands:
        wrote = hand.has_written(name)
        for answer in hand.answers:
            if answer[0] == "read" and answer[1] == name:
                ages.add(answer[3])
                if wrote and answer[3] > 0:
                    ages.add(answer[3] - 1)
    ranks = {age: n for n, age in enumerate(sorted(ages))}
    for hand in hands:
        hand.answers = [
            (*a[:3], ranks[a[3]]) if a[0] == "read" and a[1] == name else a for a in hand.answers
        ]
