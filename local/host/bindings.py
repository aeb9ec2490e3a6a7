"""What the host serves: functions, their triggers, and the data that goes in and out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from local.host import expressions, ncrontab, routes, wire

DEFAULT_CONNECTION = "AzureWebJobsStorage"


@dataclass(frozen=True)
class HttpTrigger:
    """`methods` empty stands for all."""

    name: str
    template: routes.Template
    methods: frozenset[str]
    level: str


@dataclass(frozen=True)
class QueueTrigger:
    """A function fed by a storage queue."""

    name: str
    queue: str
    connection: str


@dataclass(frozen=True)
class TimerTrigger:
    """A function run on a schedule."""

    name: str
    schedule: ncrontab.Schedule
    run_on_startup: bool
    use_monitor: bool


Trigger: TypeAlias = HttpTrigger | QueueTrigger | TimerTrigger


@dataclass(frozen=True)
class BlobBinding:
    """A blob read or written; both parts may hold `{names}`."""

    name: str
    container: str
    blob: str
    connection: str


@dataclass(frozen=True)
class QueueBinding:
    """Messages written; `queue` may hold `{names}`."""

    name: str
    queue: str
    connection: str


@dataclass(frozen=True)
class HttpBinding:
    """The answer of an HTTP function."""

    name: str


Output: TypeAlias = HttpBinding | QueueBinding | BlobBinding


@dataclass(frozen=True)
class Function:
    """One function that the host serves."""

    name: str
    function_id: str
    trigger: Trigger
    inputs: tuple[BlobBinding, ...]
    outputs: tuple[Output, ...]
    retry: wire.Retry | None
    bindings: tuple[Mapping[str, Any], ...]
    disabled: bool = False

    @property
    def kind(self) -> str:
        """Return http, queue or timer."""
        return type(self.trigger).__name__.removesuffix("Trigger").lower()

    @property
    def has_names(self) -> bool:
        """Tell whether a binding has `{names}`, for which the trigger's data must be read."""
        return any(
            expressions.has_names(part)
            for binding in (*self.inputs, *self.outputs)
            for part in _parts(binding)
        )


def _parts(binding: Output) -> tuple[str, ...]:
    match binding:
        case BlobBinding(_, container, blob):
            return container, blob
        case QueueBinding(_, queue):
            return (queue,)
        case HttpBinding():
            return ()
