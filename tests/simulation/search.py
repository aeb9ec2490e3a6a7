"""Exhaustive search: every state that a scenario can reach, and what is wrong with any of them."""

import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import process_time

from tests.simulation.claims import Broken
from tests.simulation.model import Model
from tests.simulation.state import State


@dataclass
class Found:
    """What a search found, and in how many ``seconds`` of processor time.

    ``broken`` is the kind of claim that does not hold, ``trace`` the moves that lead there.
    """

    states: int
    moves: int
    seconds: float
    runs: int
    broken: str | None = None
    what: str = ""
    trace: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.broken}: {self.what}", *(f"  {n}. {m}" for n, m in enumerate(self.trace))]
        return "\n".join(lines) if self.broken else f"{self.states} states, {self.moves} moves"


class _Search:
    def __init__(self, model: Model, most: int) -> None:
        self.model, self.most = model, most
        self.came: dict[State, tuple[State, str] | None] = {model.start: None}
        self.calm: dict[State, list[State]] = {}
        self.moves = 0
        self.begun = process_time()

    def found(self, state: State | None, broken: Broken | None = None, last: str = "") -> Found:
        """Return what was found so far."""
        seconds = process_time() - self.begun
        found = Found(len(self.came), self.moves, seconds, self.model.flows.runs)
        if broken is not None and state is not None:
            found.broken, found.what = broken.kind, str(broken)
            found.trace = [*self.trace(state), *([last] if last else [])]
        return found

    def trace(self, state: State) -> list[str]:
        """Return the moves that led to a state."""
        moves: list[str] = []
        while (before := self.came[state]) is not None:
            state, label = before
            moves.append(label)
        return moves[::-1]

    def explore(self) -> Found | None:
        """Go everywhere, breadth first, so that a counterexample is a shortest one."""
        edge = deque([self.model.start])
        while edge:
            state = edge.popleft()
            calm: list[State] = []
            moves = self.model.moves(state)
            while True:
                try:
                    move = next(moves)
                except StopIteration:
                    break
                except Broken as e:
                    return self.found(state, e, "the next move")
                self.moves += 1
                if move.is_calm:
                    calm.append(move.state)
                if move.state not in self.came:
                    self.came[move.state] = (state, move.label)
                    edge.append(move.state)
            self.calm[state] = calm
            if len(self.came) > self.most:
                raise AssertionError(f"more than {self.most} states: make the scenario smaller")
        return None

    def stuck(self, is_good: Callable[[State], bool]) -> list[State]:
        """Return the states from which no calm run leads to a good end."""
        back: dict[State, list[State]] = {}
        for state, following in self.calm.items():
            for after in following:
                back.setdefault(after, []).append(state)
        fine = {state for state in self.came if is_good(state)}
        edge = deque(fine)
        while edge:
            for before in back.get(edge.popleft(), ()):
                if before not in fine:
                    fine.add(before)
                    edge.append(before)
        return [state for state in self.came if state not in fine]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from going through all states again and again: none is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def search(model: Model, is_good: Callable[[Model, State], str], *, most: int = 400_000) -> Found:
    """Search a scenario. ``is_good`` says of a state what is wrong with it as an end, or nothing.

    Safety: a claim that fails at a move. Liveness: from every state a run without further faults must
    be able to end well; breadth first, so that the first counterexample is among the shortest.
    """
    going = _Search(model, most)
    with _no_collection():
        broken = going.explore()
        if broken is not None:
            return broken
        stuck = going.stuck(lambda state: not is_good(model, state))
    if not stuck:
        return going.found(None)
    ends = [s for s in stuck if not s.workers and not s.queue and not s.flying] or stuck
    worst = ends[0]
    return going.found(worst, Broken("never ends well", is_good(model, worst)))
