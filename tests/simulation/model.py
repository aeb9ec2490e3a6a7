"""The protocol model: every order in which things can happen, with the product's own flows at work.

What is real: the flows, the decision, the changes of records, tips and revisions, compilation, the
sweep's errands. They run on storage, queues, ARM and Git of the model, and stop at every call; between
any two calls of one worker anything else may happen that ``Model.moves`` yields. What is modelled:

- **storage**: documents by compare-and-swap, history written once, queues as sets of messages that
  are delivered at least once and in any order; a message may be lost, or delivered twice at a time;
- **ARM**: one deployment for each name; a PUT of a name that is active is refused with 409; a PUT
  without an answer arrives at any later time, or never; a deployment ends at any time, well or badly;
- **workers** die at any call; a hold runs out at any time (documents.py tells how time is abstracted);
- **people** push, and order releases, retries, cancels and freezes.

To keep the search small: workers are told apart by nothing; a message is not received while another
worker's hold makes the flow put it back; sends and releases' documents, which nobody can see being
written, happen at once when no crash could come before them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any, Final, NamedTuple

import orjson

from shared.core import names
from shared.core.document import to_text
from shared.core.record import Record
from shared.core.tip import Tip
from tests.fakes.git import Files
from tests.simulation.documents import AHEAD, NOW, PAST, Blob, blob, document, with_times
from tests.simulation.replay import AGAIN, END, REPOSITORY, Flows, Repository, Request, Task
from tests.simulation.state import FAULTLESS, Budget, Draft, Hand, State, Worker

STACK_QUEUES: Final = frozenset({"release", "watch", "snapshot", "prune"})
PATIENT: Final = NOW + timedelta(days=2)
IMPATIENT: Final = NOW + timedelta(hours=2)
TIP: Final = names.tip(REPOSITORY)
TELLS: Final = "patience with who tells of"


@dataclass(frozen=True)
class Scenario:
    """What may happen in one search.

    ``revisions`` are pushed one after the other, the first before anything else; ``orders`` are given
    at any time, each once. ``hears`` are the queues that somebody listens to. ``steps`` are the syncs
    that are stopped at every call; otherwise a push is in the records at once. The sweep sends what is
    due ``soon`` (within minutes) or in rotation, too; without ``sweeps`` nothing.
    """

    name: str
    revisions: Sequence[Files]
    budget: Budget = FAULTLESS
    workers: int = 2
    orders: tuple[str, ...] = ()
    hears: frozenset[str] = frozenset({"release", "watch"})
    syncs_stop: bool = False
    sweeps: bool = True
    soon: bool = False
    tells_host: bool = False


class Move(NamedTuple):
    """One step: what happened, the next state, and whether it may happen when all goes well."""

    label: str
    state: State
    is_calm: bool


@dataclass
class Model:
    """The moves of a scenario."""

    scenario: Scenario
    flows: Flows = field(init=False)

    def __post_init__(self) -> None:
        repository = Repository(self.scenario.revisions)
        self.flows = Flows(repository, tells_host=self.scenario.tells_host)

    @property
    def revisions(self) -> tuple[str, ...]:
        """The revisions of the scenario, in their order."""
        return self.flows.repository.revisions

    @cached_property
    def start(self) -> State:
        """The state after the first push."""
        s = self.scenario
        empty = State(0, (), (), (), (), (), (), s.orders, (), s.budget)
        return self._push(empty, is_whole=True)

    # ---- moves ------------------------------------------------------------------------------

    def moves(self, state: State) -> Iterator[Move]:
        """Yield every move of a state."""
        for n, worker in enumerate(state.workers):
            if self._is_unseen(state, worker):
                yield from self._work(state, n)
                return
        for n in range(len(state.workers)):
            yield from self._work(state, n)
        yield from self._receive(state)
        yield from self._arm(state)
        yield from self._time(state)
        yield from self._people(state)

    def _draft(self, state: State) -> Draft:
        return Draft(state, self.revisions)

    def _is_unseen(self, state: State, worker: Worker) -> bool:
        """Tell whether a worker's next call commutes with whatever others do."""
        request = self.flows.next(worker.task, worker.answers)
        if request.call == "send":
            return request.more not in state.queue
        if request.call == "recall":
            return any(name == request.name for name, _ in state.history)
        if "settle" in self.scenario.hears:
            return False
        return request.call == "keep" or (
            request.call == "create" and "/revisions/" in request.name
        )

    def _work(self, state: State, n: int) -> Iterator[Move]:
        worker = state.workers[n]
        request = self.flows.next(worker.task, worker.answers)
        if state.budget.crashes:
            draft = self._draft(state)
            hand = draft.hands.pop(n)
            draft.spend("crashes")
            draft.queue.add(hand.task)
            yield Move(
                f"crash {_said(worker.task)} before {request.call}", draft.freeze(), is_calm=False
            )
        outcomes = _outcomes(state, request)
        for how in outcomes:
            draft = self._draft(state)
            hand = draft.hands[n]
            if request.call == "put":
                if how == "unknown":
                    draft.spend("late")
                if how == "refused":
                    draft.spend("refusals")
                draft.put(hand, request, how)
            else:
                draft.perform(hand, request)
            self._end(draft, hand)
            label = f"{_said(worker.task)}: {request.call} {_short(request, hand)}"
            yield Move(label, draft.freeze(), is_calm=how in {"", "taken"})

    def _end(self, draft: Draft, hand: Hand) -> None:
        """End a turn that has no call left to make."""
        request = self.flows.next(hand.task, tuple(hand.answers))
        while request.call == "send" and not self._is_heard(request.more):
            hand.answers.append(("sent",))
            request = self.flows.next(hand.task, tuple(hand.answers))
        if request is AGAIN:
            draft.queue.add(hand.task._replace(is_delayed=True))
        if request is AGAIN or request is END:
            draft.hands.remove(hand)

    def _is_heard(self, task: Task) -> bool:
        return task.kind in self.scenario.hears

    def _receive(self, state: State) -> Iterator[Move]:
        if len(state.workers) >= self.scenario.workers:
            return
        busy = {name for name, found in state.documents if _is_busy(name, found)}
        for task in state.queue:
            name = names.record(REPOSITORY, task.subject) if task.kind in STACK_QUEUES else ""
            if name in busy:
                continue
            yield Move(
                f"receive {_said(task)}", self._received(state, task, "").freeze(), is_calm=True
            )
            if state.budget.doubles:
                twice = self._received(state, task, "doubles").freeze()
                yield Move(f"receive {_said(task)}, not for the last time", twice, is_calm=False)
            if state.budget.losses:
                draft = self._draft(state)
                draft.spend("losses")
                draft.queue.discard(task)
                yield Move(f"lose {_said(task)}", draft.freeze(), is_calm=False)

    def _received(self, state: State, task: Task, spent: str) -> Draft:
        draft = self._draft(state)
        if spent:
            draft.spend(spent)
        else:
            draft.queue.discard(task)
        if task.is_delayed and task.kind in STACK_QUEUES:
            _pass(draft, names.record(REPOSITORY, task.subject))
        elif task.is_delayed:
            _age_deliveries(draft)
        hand = Hand(task._replace(is_delayed=False))
        draft.hands.append(hand)
        draft.perform(hand, self.flows.next(hand.task, ()))
        self._end(draft, hand)
        return draft

    def _arm(self, state: State) -> Iterator[Move]:
        for deployment_id, tags, how in state.arm:
            if how != "running":
                continue
            release = dict(tags)["plumbline-release"]
            for end in ("succeeded", "passing", "final"):
                if end != "succeeded" and not getattr(state.budget, end):
                    continue
                draft = self._draft(state)
                if end != "succeeded":
                    draft.spend(end)
                draft.arm[deployment_id] = (tags, end)
                yield Move(f"ARM ends {release}: {end}", draft.freeze(), is_calm=end == "succeeded")
        for n, (deployment_id, tags) in enumerate(state.flying):
            draft = self._draft(state)
            del draft.flying[n]
            taken = draft.arrive(deployment_id, tags)
            label = f"late PUT {dict(tags)['plumbline-release']} {'arrives' if taken else '409'}"
            yield Move(label, draft.freeze(), is_calm=True)

    def _time(self, state: State) -> Iterator[Move]:
        for name, found in state.documents:
            passed = _passed(name, found)
            if passed is None:
                continue
            label, later = passed
            held = any(_has_written(w, name) for w in state.workers)
            is_free = not held or label.startswith("freeze")
            if not is_free and not state.budget.expiries:
                continue
            draft = self._draft(state)
            if not is_free:
                draft.spend("expiries")
            draft.documents[name] = later
            if label == TELLS:
                # A worker looks at its own clock before each call, and leaves when it is so late.
                draft.hands = [hand for hand in draft.hands if not hand.has_written(name)]
            yield Move(f"{label} {_short_name(name)} runs out", draft.freeze(), is_calm=is_free)
        if self.scenario.sweeps and not state.workers and not state.queue:
            draft = self._draft(state)
            self._all(draft, Task("sweep"), IMPATIENT if self.scenario.soon else PATIENT)
            for name, _ in tuple(draft.records()):
                _pass(draft, name)
            if draft.queue:
                yield Move("sweep", draft.freeze(), is_calm=True)

    def _people(self, state: State) -> Iterator[Move]:
        if state.head < len(self.revisions):
            yield Move(f"push {state.head + 1}", self._push(state), is_calm=False)
        for order in dict.fromkeys(state.orders):
            draft = self._draft(state)
            self._all(draft, Task(order))
            if draft.documents != dict(state.documents):
                rest = list(state.orders)
                rest.remove(order)
                draft.orders = tuple(rest)
                yield Move(f"order {order}", draft.freeze(), is_calm=False)

    def _push(self, state: State, *, is_whole: bool = False) -> State:
        draft = self._draft(state)
        draft.head += 1
        self._all(draft, Task("push", self.revisions[draft.head - 1]))
        if is_whole or not self.scenario.syncs_stop:
            self._all(draft, Task("sync"))
            draft.queue = {task for task in draft.queue if task.kind != "sync"}
        draft.queue = {t for t in draft.queue if self._is_heard(t)}
        return draft.freeze()

    def _all(self, draft: Draft, task: Task, now: datetime = NOW) -> Hand:
        """Let a flow run to its end at one go."""
        hand = Hand(task)
        draft.hands.append(hand)
        while (request := self.flows.next(task, tuple(hand.answers), now)) not in {END, AGAIN}:
            if request.call == "send" and not self._is_heard(request.more):
                hand.answers.append(("sent",))
            else:
                draft.perform(hand, request)
        draft.hands = [other for other in draft.hands if other is not hand]
        return hand


def _outcomes(state: State, request: Request) -> tuple[str, ...]:
    if request.call != "put":
        return ("",)
    wrong = [how for how, left in _WRONG.items() if getattr(state.budget, left)]
    return ("taken", *wrong)


_WRONG: Final = {"unknown": "late", "refused": "refusals"}


@cache
def _is_busy(name: str, found: Blob) -> bool:
    if not name.endswith(("/record.json", "/tip.json")):
        return False
    held: Record | Tip = document(name, found)
    return held.busy_until is not None and held.busy_until == AHEAD


def _has_written(worker: Worker, name: str) -> bool:
    return any(a[0] == "wrote" and a[1] == name for a in worker.answers)


def _pass(draft: Draft, name: str) -> None:
    """Let the time pass until the holder's own next message is there."""
    found = draft.documents.get(name)
    if found is not None and (record := document(name, found)).looked_after_until == AHEAD:
        assert isinstance(record, Record)
        draft.documents[name] = with_times(found, looked_after_until=PAST)


def _age_deliveries(draft: Draft) -> None:
    """Let deliveries be old: a Git host that has not shown a push by now never will."""
    for name, found in tuple(draft.documents.items()):
        if name.startswith(names.PENDING_DELIVERIES):
            facts = {**dict(found.facts), "received_at": to_text(PAST)}
            draft.documents[name] = blob(found.data, tuple(sorted(facts.items())))


@cache
def _passed(name: str, found: Blob) -> tuple[str, Blob] | None:
    """Return what time can end in a document, and the document after that."""
    if _is_busy(name, found):
        return "hold of", with_times(found, busy_until=PAST)
    plain = orjson.loads(found.data) if name.endswith(".json") else {}
    if plain.get("freeze", {}).get("until") == AHEAD.isoformat():
        plain["freeze"]["until"] = PAST.isoformat()
        return "freeze of", _changed(found, plain)
    if plain.get("cancel") and plain.get("intended_at") == NOW.isoformat():
        return "patience with the PUT of", with_times(found, intended_at=PAST)
    telling = [v for v in plain.get("visits", ()) if v.get("telling") == NOW.isoformat()]
    for visit in telling:
        visit["telling"] = PAST.isoformat()
    return (TELLS, _changed(found, plain)) if telling else None


def _changed(found: Blob, plain: Any) -> Blob:
    return blob(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS), found.facts)


def _said(task: Task) -> str:
    return f"{task.kind} {task.subject}".strip()


def _short_name(name: str) -> str:
    return name.removesuffix("/record.json").rpartition("/")[2].removeprefix("example.")


def _short(request: Request, hand: Hand) -> str:
    if request.call == "send":
        return _said(request.more)
    told = _short_name(request.name)
    last = hand.answers[-1][0]
    return f"{told} ({last})" if last != request.call else told
