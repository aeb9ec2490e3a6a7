"""One laptop installation: what was chosen when its folder was made, and what runs for it now.

Everything that must not change between two ``up`` (ports, keys, ids) is drawn once and written to
``laptop.json`` in the folder; deleting the folder is a full reset.
"""

import contextlib
import fcntl
import json
import os
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from local import ports, storage
from local.processes import Process

VERSION = 1
REPOSITORY = "example"
BRANCH = "main"
GIT_USER = "plumbline"


class UnreadableLaptopError(Exception):
    """The folder's own file cannot be used; the message says how to mend it."""


@dataclass(frozen=True)
class Ports:
    """Where each part listens on 127.0.0.1; the same after every restart."""

    blob: int
    queue: int
    arm: int
    identity: int
    git: int
    functions: tuple[int, ...]


@dataclass(frozen=True)
class Secrets:
    """Keys of this laptop; they open nothing but what listens on its loopback interface."""

    function_key: str = field(repr=False)
    operator_key: str = field(repr=False)
    git_token: str = field(repr=False)
    hook_secret: str = field(repr=False)
    digest_key: str = field(repr=False)

    @classmethod
    def draw(cls) -> Self:
        """Return fresh random ones."""
        function, operator, git, hook = (secrets.token_urlsafe(24) for _ in range(4))
        return cls(function, operator, git, hook, digest_key=secrets.token_hex(32))


@dataclass(frozen=True)
class Options:
    """How the laptop was asked to run."""

    hosts: int = 1
    """Functions hosts that share the work."""
    example: bool = True
    """Whether the repository starts with ``examples/shop`` in it."""
    demo: bool = False
    """Short polls and short operations, for people who watch."""
    max_polling_s: float | None = None
    """Longest pause of a host between two looks at an empty queue; None: 2 s, or 0.2 s in a demo."""


@dataclass(frozen=True)
class Laptop:
    """What is known about one installation; immutable, saved after each change."""

    folder: Path
    ports: Ports
    secrets: Secrets
    subscription_id: str
    hook: str
    """The random part of the webhook's path."""
    options: Options = Options()
    prepared_for: Options | None = None
    """The options for which Azure was last prepared; None: it never was."""
    processes: Mapping[str, Process] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """What our processes carry in their environment."""
        return str(self.folder)

    @property
    def storage(self) -> storage.Endpoints:
        """Where Azurite listens."""
        return storage.Endpoints(self.ports.blob, self.ports.queue)

    @property
    def functions_url(self) -> str:
        """Where the functions answer."""
        return self.host_url(0)

    @property
    def hook_url(self) -> str:
        """Where pushes are announced."""
        return f"{self.functions_url}/api/push/{self.hook}"

    @property
    def git_url(self) -> str:
        """The example repository, without credentials."""
        return f"http://{ports.LOOPBACK}:{self.ports.git}/{REPOSITORY}.git"

    @property
    def status_api(self) -> str:
        """Where commit statuses of the example go: the laptop's stand-in for GitHub's API."""
        return f"http://{ports.LOOPBACK}:{self.ports.git}/api/repos/laptop/{REPOSITORY}"

    @property
    def git_url_with_credentials(self) -> str:
        """The example repository as a user clones it."""
        authority = f"{GIT_USER}:{self.secrets.git_token}@{ports.LOOPBACK}:{self.ports.git}"
        return f"http://{authority}/{REPOSITORY}.git"

    def host_url(self, number: int) -> str:
        """Return where that Functions host answers, if it has a port of its own."""
        return f"http://{ports.LOOPBACK}:{self.ports.functions[number]}"

    def log(self, name: str) -> Path:
        """Return where the process of that name logs."""
        return self.folder / "logs" / f"{name}.log"

    def with_hosts(self, count: int) -> "Laptop":
        """Return this laptop with a port for each of ``count`` Functions hosts."""
        known = self.ports.functions
        missing = ports.free_ports(max(0, count - len(known)))
        return replace(
            self,
            options=replace(self.options, hosts=count),
            ports=replace(self.ports, functions=(*known, *missing)),
        )

    def with_process(self, name: str, process: Process | None) -> "Laptop":
        """Return this laptop with that process noted (None: forgotten)."""
        others = {known: one for known, one in self.processes.items() if known != name}
        return replace(self, processes=others if process is None else {**others, name: process})


def draw(folder: Path) -> Laptop:
    """Return a new installation in ``folder`` (absolute) with ports, ids and keys of its own."""
    blob, queue, arm, identity, git, functions = ports.free_ports(6)
    return Laptop(
        folder=folder,
        ports=Ports(blob, queue, arm, identity, git, (functions,)),
        secrets=Secrets.draw(),
        subscription_id=str(uuid.uuid4()),
        hook=secrets.token_hex(16),
    )


def load(folder: Path) -> Laptop | None:
    """Return what was saved in ``folder``; None if nothing was.

    Raises ``UnreadableLaptopError`` if the file is damaged or from another version.
    """
    path = _path(folder)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return _decode(folder, json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadableLaptopError(
            f"{path} cannot be read ({error}): delete {folder} to start afresh"
        ) from error


def save(laptop: Laptop) -> None:
    """Write the installation so that a reader sees the old or the new one, never half of it."""
    path = _path(laptop.folder)
    temporary = path.with_suffix(".tmp")
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(_encode(laptop), indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder alone: of two programs that start or stop a laptop, one waits."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _path(folder: Path) -> Path:
    return folder / "laptop.json"


def _encode(laptop: Laptop) -> dict[str, Any]:
    return {
        "version": VERSION,
        "ports": vars(laptop.ports),
        "secrets": vars(laptop.secrets),
        "subscription_id": laptop.subscription_id,
        "hook": laptop.hook,
        "options": vars(laptop.options),
        "prepared_for": None if laptop.prepared_for is None else vars(laptop.prepared_for),
        "processes": {
            name: {"pid": one.pid, "started": one.started, "log": os.fspath(one.log)}
            for name, one in laptop.processes.items()
        },
    }


def _decode(folder: Path, content: Mapping[str, Any]) -> Laptop:
    if content["version"] != VERSION:
        raise ValueError(f"version {content['version']} is not {VERSION}")
    numbers = dict(content["ports"])
    prepared_for = content["prepared_for"]
    return Laptop(
        folder=folder,
        ports=Ports(**{**numbers, "functions": tuple(numbers["functions"])}),
        secrets=Secrets(**content["secrets"]),
        subscription_id=content["subscription_id"],
        hook=content["hook"],
        options=Options(**content["options"]),
        prepared_for=None if prepared_for is None else Options(**prepared_for),
        processes={
            name: Process(one["pid"], one["started"], Path(one["log"]))
            for name, one in content["processes"].items()
        },
    )
