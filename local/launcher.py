"""Starts and stops a laptop: what is missing is started, what runs is left alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from local import example, parts, processes, simulator
from local import laptop as laptops
from local.laptop import Laptop, Options
from local.parts import Part

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """What an ``up`` asks for; None leaves an option as it was (or at its default)."""

    hosts: int | None = None
    example: bool | None = None
    demo: bool | None = None
    max_polling_s: float | None = None

    def applied_to(self, options: Options) -> Options:
        """Return the options with what is asked for. Pure."""
        asked = {name: value for name, value in vars(self).items() if value is not None}
        return replace(options, **asked)


def up(folder: Path, request: Request, say: Say) -> Laptop:
    """Bring the laptop in ``folder`` up and return it once all of it answers.

    Idempotent, also when two programs call it at once. Options that differ from the last time
    restart the Functions hosts. Raises ``processes.DiedAtStartError``,
    ``laptop.UnreadableLaptopError``, ``storage.NotSetUpError`` and ``example.ExampleError``;
    what was started until then keeps running, for ``down`` or another ``up``.
    """
    folder = folder.resolve()
    with laptops.locked(folder):
        known = laptops.load(folder)
        laptop = _first(folder) if known is None else known
        laptop = _with_options(laptop, request.applied_to(laptop.options), say)
        laptop = _start_missing(laptop, parts.services(), say)
        laptop = _prepare(laptop)
        laptop = _start_missing(laptop, parts.hosts(laptop.options.hosts), say)
        if laptop.options.example:
            example.push(laptop)
        return laptop


def down(folder: Path, say: Say) -> bool:
    """Stop everything that runs for ``folder``; its state stays. False if there is no laptop."""
    folder = folder.resolve()
    if laptops.load(folder) is None:
        return False
    with laptops.locked(folder):
        laptop = laptops.load(folder)
        if laptop is None:
            return False
        # Hosts first: they hold leases and messages, and can still give them back.
        names = sorted(laptop.processes, key=lambda name: not name.startswith(parts.FUNCTIONS))
        for name in names:
            laptop = _stop(laptop, name, say)
        # Whoever was interrupted while it started a part could not write that down any more.
        processes.stop_marked(laptop.mark)
    return True


def _first(folder: Path) -> Laptop:
    processes.stop_marked(str(folder))  # the folder was deleted while its processes ran
    laptop = laptops.draw(folder)
    laptops.save(laptop)
    return laptop


def _with_options(laptop: Laptop, options: Options, say: Say) -> Laptop:
    if options == laptop.options:
        return laptop
    running = [name for name in laptop.processes if name.startswith(parts.FUNCTIONS)]
    kept = [parts.host_name(number) for number in range(options.hosts)]
    if replace(options, hosts=laptop.options.hosts) == laptop.options:
        running = [name for name in running if name not in kept]
    for name in running:
        laptop = _stop(laptop, name, say)
    laptop = replace(laptop, options=options).with_hosts(options.hosts)
    laptops.save(laptop)
    return laptop


def _start_missing(laptop: Laptop, wanted: Sequence[Part], say: Say) -> Laptop:
    """Start what does not run, all of it at once, then wait for each to answer."""
    started = []
    for part in wanted:
        known = laptop.processes.get(part.name)
        if known is not None and processes.is_alive(known):
            continue
        if known is not None:
            processes.stop_orphans(known, mark=laptop.mark)
        say(f"starting {part.title}")
        # Saved at once: a process that nobody has written down could never be stopped.
        laptop = laptop.with_process(part.name, part.start(laptop))
        laptops.save(laptop)
        started.append(part)
    for part in started:
        part.wait(laptop, laptop.processes[part.name])
    return laptop


def _prepare(laptop: Laptop) -> Laptop:
    """Do once what an operator does: later, storage and Azure are as people and tests left them."""
    if laptop.prepared_for == laptop.options:
        return laptop
    if laptop.prepared_for is None:
        # Half a second of imports, which only the first up needs.
        from local import provisioning  # noqa: PLC0415

        provisioning.provision(laptop)
        simulator.make_resource_groups(laptop)
    simulator.turn_knobs(laptop)
    laptop = replace(laptop, prepared_for=laptop.options)
    laptops.save(laptop)
    return laptop


def _stop(laptop: Laptop, name: str, say: Say) -> Laptop:
    say(f"stopping {name}")
    processes.stop(laptop.processes[name], mark=laptop.mark)
    laptop = laptop.with_process(name, None)
    laptops.save(laptop)
    return laptop
