"""What a big repository costs while little happens: a push that touches one stack, and a sweep.

The flows run in processes that do nothing else, over real storage and Git: a new one looks at the
repository for the first time (cold), then at the next push (warm).
"""

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from bench.figures import Figure, percentile
from bench.laptops import Running, WorkingCopy, laptop
from bench.processes import memory_mib
from bench.product import Product, without_host
from bench.stacks import manifest, template
from local import waiting
from shared.adapters.system import ThreadParallel
from shared.core import record as records
from shared.core import tip as tips
from shared.core.names import deployment_id
from shared.core.names import record as record_name
from shared.core.names import tip as tip_name
from shared.core.owners import sketch
from shared.core.record import Applied, Record, Wish
from shared.core.tip import Entry, Tip, Visit
from shared.state.held import Shelf

STACKS, PUSHES = 2000, 5
SYNC_CPU_S, SYNC_MIB, SYNC_OPERATIONS = 1.0, 200.0, 10
QUIET, SWEEPS = 5000, 9
SWEEP_OPERATIONS, SWEEP_MS = 5, 300.0
LIMIT_S = 400.0
REPOSITORY = "example"
COMMAND = "python -m bench big_repository"

T = TypeVar("T")


@dataclass(frozen=True)
class Cost:
    """What one call of a flow cost."""

    cpu_s: float
    seconds: float
    memory_mib: float
    storage: dict[str, int]

    @property
    def operations(self) -> int:
        """All storage operations."""
        return sum(self.storage.values())


def _elsewhere(work: Callable[[Running], T], running: Running) -> T:
    """Do it in a new process, so that its memory is its own."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(work, running).result(LIMIT_S)


def _names(count: int) -> list[str]:
    return [f"stack-{n:04d}" for n in range(count)]


def _costs(product: Product, work: Callable[[], Any]) -> Cost:
    """Do it, and say what it cost."""
    product.begin()
    cpu, began = time.process_time(), time.perf_counter()
    work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    storage = dict(product.transport.count)
    return Cost(cpu, seconds, memory_mib(os.getpid(), "VmHWM"), storage)


def _synced(product: Product, running: Running, revision: str) -> Cost:
    """Tell of a push, and let the repository be synced once."""
    product.receive(running, revision)
    found: list[Cost] = []

    def look() -> bool:
        taken = product.taken("sync")
        if taken is not None:
            found.append(_costs(product, lambda: product.services.sync(taken)))
        return bool(found)

    waiting.until(look, limit_s=60, what="the message that asks for a sync")
    return found[0]


def first_push(running: Running) -> None:
    """Bring the whole repository, and let it be synced."""
    clone = WorkingCopy(running.line["git"]["url"], running.line["git"]["branch"])
    product = Product(running)
    files = {f"{name}.json": template(name) for name in _names(STACKS)}
    _synced(product, running, clone.push({"plumbline.yaml": manifest(*_names(STACKS)), **files}))
    product.close()
    clone.close()


def later_pushes(running: Running) -> list[Cost]:
    """Push one changed stack at a time; the first cost is that of a new process."""
    clone = WorkingCopy(running.line["git"]["url"], running.line["git"]["branch"])
    product = Product(running)
    costs = []
    for n in range(PUSHES):
        name = _names(STACKS)[n]
        revision = clone.push({f"{name}.json": template(f"changed-{n}")})
        costs.append(_synced(product, running, revision))
    product.close()
    clone.close()
    return costs


def _quiet_tip(at: datetime) -> Tip:
    """Return a tip whose stacks are all as they should be."""
    entries = {
        name: Entry(
            spec=f"{n:016x}:{n:064x}",
            files={f"{name}.json": f"{n:040x}"},
            digest=f"{n:064x}",
            changed_by="a" * 40,
            scope=f"/subscriptions/{'0' * 8}-0000-4000-8000-{'0' * 12}/resourceGroups/rg-{name}",
            create_group="westeurope",
        )
        for n, name in enumerate(_names(QUIET))
    }
    return Tip(
        repository=REPOSITORY,
        revision="a" * 40,
        sync_seq=1,
        due_at=at + timedelta(hours=1),
        entries=entries,
        visit=Visit(revision="a" * 40, seq=1),
        checked_at=at,
    )


def _quiet_record(stack: str, wanted: Wish, at: datetime) -> Record:
    """Return the record of a stack that was released and has nothing to do for an hour."""
    asked = records.wish(Record(repository=REPOSITORY, stack=stack), wanted, at)
    assert asked.desired is not None
    assert asked.scope is not None
    digest = asked.desired.digest
    return msgspec.structs.replace(
        asked,
        phase="steady",
        judged=1,
        attempt=1,
        applied=Applied(
            release="1.1", generation=1, revision="a" * 40, digest=digest, inputs="", at=at
        ),
        deployment_id=deployment_id(asked.scope, REPOSITORY, stack),
        owns=sketch([f"{asked.scope}/providers/Microsoft.Network/networkSecurityGroups/nsg-0"]),
        due_at=at + timedelta(hours=1),
    )


def sweeps(running: Running) -> list[Cost]:
    """Write the state of thousands of quiet stacks, then sweep a few times."""
    product = Product(running)
    at = datetime.now(UTC)
    tip = _quiet_tip(at)
    documents = product.documents
    shelf = Shelf(documents, Record, records.facts)

    def write(pair: tuple[str, Wish]) -> None:
        shelf.create(record_name(REPOSITORY, pair[0]), _quiet_record(*pair, at))

    threads = ThreadParallel()
    threads.map(write, list(tips.wishes(tip, 1).items()))
    threads.close()
    # The host may have looked at the empty repository before it was ended.
    Shelf(documents, Tip, tips.facts).change(
        tip_name(REPOSITORY), tip, lambda _tip, _at: tip, at=at
    )
    costs = [_costs(product, product.services.sweep) for _ in range(SWEEPS)]
    if any(call.startswith("POST") for cost in costs for call in cost.storage):
        raise RuntimeError("the stacks were not quiet: the sweep has asked for something")
    product.close()
    return costs


def _sync_rows(what: str, costs: Sequence[Cost]) -> Iterator[Figure]:
    cpu, seconds = (
        percentile([cost.cpu_s for cost in costs], 0.5),
        percentile([cost.seconds for cost in costs], 0.5),
    )
    memory, operations = max(c.memory_mib for c in costs), max(c.operations for c in costs)
    yield Figure(
        what=f"sync of a repository of {STACKS:,} stacks after a push that touches one, {what}",
        target=f"≤ {SYNC_CPU_S:g} s CPU, ≤ {SYNC_MIB:.0f} MiB, ≤ {SYNC_OPERATIONS} storage operations",
        measured=f"{cpu:.2f} s CPU ({seconds:.2f} s), {memory:.0f} MiB at most, {operations} storage operations",
        met=cpu <= SYNC_CPU_S and memory <= SYNC_MIB and operations <= SYNC_OPERATIONS,
        command=COMMAND,
    )


def measure() -> Iterator[Figure]:
    """Sync a repository of 2,000 stacks cold and warm, then sweep over 5,000 quiet ones."""
    with laptop() as running:
        without_host(running)
        _elsewhere(first_push, running)
        costs = _elsewhere(later_pushes, running)
    yield from _sync_rows("cold", costs[:1])
    yield from _sync_rows(f"warm, median of {PUSHES - 1}", costs[1:])
    with laptop() as running:
        without_host(running)
        swept = _elsewhere(sweeps, running)[1:]  # the first one reads the configuration
    seconds = [cost.seconds * 1000 for cost in swept]
    cpu = percentile([cost.cpu_s for cost in swept], 0.5) * 1000
    operations = max(cost.operations for cost in swept)
    yield Figure(
        what=f"sweep over {QUIET:,} quiet stacks, median of {SWEEPS - 1}",
        target=f"≤ {SWEEP_OPERATIONS} storage operations, ≤ {SWEEP_MS:.0f} ms",
        measured=f"{operations} storage operations, {percentile(seconds, 0.5):.0f} ms ({cpu:.0f} ms CPU)",
        met=operations <= SWEEP_OPERATIONS and percentile(seconds, 0.5) <= SWEEP_MS,
        command=COMMAND,
    )
