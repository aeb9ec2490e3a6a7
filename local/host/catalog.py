"""The functions of an app as the host serves them, checked for what only the host would notice.

Microsoft's library has already checked names, annotations and bindings against each other. It
knows nothing of schedules, queue names, connections, routes or of what this host can serve.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from local.host import expressions, ncrontab, routes, wire
from local.host.bindings import (
    DEFAULT_CONNECTION,
    BlobBinding,
    Function,
    HttpBinding,
    HttpTrigger,
    Output,
    QueueBinding,
    QueueTrigger,
    TimerTrigger,
    Trigger,
)
from local.host.problems import Problem, StartRefusedError

LEVELS = ("anonymous", "function", "admin")
QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9](?:-?[a-z0-9])*")
CONTAINER_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9](?:-?[a-z0-9])*|\$root|\$web|\$logs")


class _Reader:
    """Reads the bindings of one function and notes every problem on the way."""

    def __init__(
        self, indexed: wire.IndexedFunction, settings: Mapping[str, str], route_prefix: str
    ) -> None:
        self.indexed = indexed
        self.settings = settings
        self.route_prefix = route_prefix
        self.problems: list[Problem] = []

    def function(self) -> Function | None:
        trigger: Trigger | None = None
        inputs: list[BlobBinding] = []
        outputs: list[Output] = []
        for binding in self.indexed.bindings:
            direction = str(binding.get("direction", "")).lower()
            match (binding.get("type"), direction):
                case (("httpTrigger" | "queueTrigger" | "timerTrigger"), _):
                    trigger = self._trigger(binding)
                case ("http", "out"):
                    outputs.append(HttpBinding(binding["name"]))
                case ("queue", "out"):
                    outputs.append(self._queue(binding))
                case ("blob", "out"):
                    outputs.append(self._blob(binding))
                case ("blob", "in"):
                    inputs.append(self._blob(binding))
                case (kind, _):
                    self._note(
                        binding,
                        f"binding type {kind!r} with direction {direction!r} is not served here",
                        "Served are httpTrigger, queueTrigger, timerTrigger, http, queue and "
                        "blob; use the Azure Functions Core Tools for others",
                    )
        if trigger is None or self.problems:
            return None
        name = self.indexed.name
        return Function(
            name=name,
            function_id=self.indexed.function_id,
            trigger=trigger,
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            retry=self.indexed.retry,
            bindings=tuple(self.indexed.bindings),
            disabled=is_disabled(name, self.settings),
        )

    def _trigger(self, binding: Mapping[str, Any]) -> Trigger | None:
        match binding["type"]:
            case "httpTrigger":
                return self._http_trigger(binding)
            case "queueTrigger":
                queue = self._queue(binding)
                return QueueTrigger(queue.name, queue.queue, queue.connection)
            case _:
                return self._timer_trigger(binding)

    def _http_trigger(self, binding: Mapping[str, Any]) -> HttpTrigger | None:
        route = self._resolved(binding, "route") or self.indexed.name
        path = "/".join(part for part in (self.route_prefix, route.strip("/")) if part)
        try:
            template = routes.parse(path)
        except routes.RouteError as error:
            self._note(binding, f"route {route!r}: {error}", "Mend the route")
            return None
        if template.segments and template.segments[0].text in {"admin", "runtime"}:
            self._note(binding, f"route {path!r} is reserved", "Choose another first segment")
        level = str(binding.get("authLevel") or "function").lower()
        if level not in LEVELS:
            self._note(binding, f"authLevel {level!r} is unknown", f"Use one of {LEVELS}")
        methods = frozenset(str(method).upper() for method in binding.get("methods") or ())
        return HttpTrigger(binding["name"], template, methods, level)

    def _timer_trigger(self, binding: Mapping[str, Any]) -> TimerTrigger | None:
        text = self._resolved(binding, "schedule")
        if text is None:
            return None
        try:
            schedule = ncrontab.parse(text)
        except ValueError as error:
            self._note(
                binding, f"schedule: {error}", 'Write six fields, for example "0 */5 * * * *"'
            )
            return None
        self._connection(binding, DEFAULT_CONNECTION, "blob")
        return TimerTrigger(
            binding["name"],
            schedule,
            run_on_startup=_truth(binding.get("runOnStartup"), default=False),
            use_monitor=_truth(binding.get("useMonitor"), default=True),
        )

    def _queue(self, binding: Mapping[str, Any]) -> QueueBinding:
        # The real host lower-cases queue names before it checks them.
        resolved = self._resolved(binding, "queueName")
        queue = (resolved or "").lower()
        open_name = expressions.has_names(queue) and binding["type"] == "queue"
        if resolved is not None and not open_name and QUEUE_NAME.fullmatch(queue) is None:
            self._note(
                binding,
                f"{queue!r} is no queue name",
                "Use 3-63 characters a-z, 0-9 and single hyphens, not at the ends",
            )
        connection = str(binding.get("connection") or DEFAULT_CONNECTION)
        self._connection(binding, connection, "queue")
        return QueueBinding(binding["name"], queue, connection)

    def _blob(self, binding: Mapping[str, Any]) -> BlobBinding:
        path = self._resolved(binding, "path")
        container, _, blob = (path or "").partition("/")
        if path is None:
            pass  # noted already
        elif not blob:
            self._note(binding, f"{path!r} is no blob path", 'Write "container/blob"')
        elif not expressions.has_names(container) and CONTAINER_NAME.fullmatch(container) is None:
            self._note(
                binding,
                f"{container!r} is no container name",
                "Use 3-63 characters a-z, 0-9 and single hyphens, not at the ends",
            )
        connection = str(binding.get("connection") or DEFAULT_CONNECTION)
        self._connection(binding, connection, "blob")
        return BlobBinding(binding["name"], container, blob, connection)

    def _resolved(self, binding: Mapping[str, Any], key: str) -> str | None:
        """Return a text with its settings filled in; None if one is missing, which is noted."""
        text = str(binding.get(key) or "")
        try:
            return expressions.resolve(text, self.settings)
        except expressions.ExpressionError as error:
            self._note(
                binding, f"{key}: {error}", "Set it in the environment or local.settings.json"
            )
            return None

    def _connection(self, binding: Mapping[str, Any], name: str, service: str) -> None:
        if not is_connected(name, service, self.settings):
            self._note(
                binding,
                f"there is no setting {name!r}",
                f"Set {name} to a connection string, or {name}__{service}ServiceUri",
            )

    def _note(self, binding: Mapping[str, Any], what: str, mend: str) -> None:
        where = f"function {self.indexed.name}, binding {binding.get('name', '?')}"
        self.problems.append(Problem(where, what, mend))


def _truth(value: Any, *, default: bool) -> bool:
    if value is None:
        return default
    return value if isinstance(value, bool) else str(value).lower() == "true"


def is_disabled(name: str, settings: Mapping[str, str]) -> bool:
    """Tell whether AzureWebJobs.<name>.Disabled (or with underscores) is set. Pure."""
    values = (
        settings.get(f"AzureWebJobs.{name}.Disabled"),
        settings.get(f"AzureWebJobs_{name}_Disabled"),
    )
    return any(value is not None and value.lower() in {"true", "1"} for value in values)


def is_connected(name: str, service: str, settings: Mapping[str, str]) -> bool:
    """Tell whether the settings say how to reach a storage service. Pure."""
    return any(
        settings.get(candidate)
        or settings.get(f"{candidate}__{service}ServiceUri")
        or settings.get(f"{candidate}__accountName")
        for candidate in (name, f"AzureWebJobs{name}")
    )


def read_catalog(
    indexed: Iterable[wire.IndexedFunction], settings: Mapping[str, str], route_prefix: str
) -> list[Function]:
    """Return the functions to serve; raises StartRefusedError with every problem found. Pure."""
    functions: list[Function] = []
    problems: list[Problem] = []
    for entry in indexed:
        reader = _Reader(entry, settings, route_prefix)
        function = reader.function()
        problems.extend(reader.problems)
        if function is not None:
            functions.append(function)
    problems.extend(_duplicate_names(functions))
    problems.extend(_duplicate_routes(functions))
    if problems:
        raise StartRefusedError(dict.fromkeys(problems))
    return functions


def _duplicate_names(functions: list[Function]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for function in functions:
        other = seen.setdefault(function.name.lower(), function.name)
        if other is not function.name:
            yield Problem(
                f"function {function.name}",
                f"another function is called {other}",
                "Names must differ by more than case",
            )


def _duplicate_routes(functions: list[Function]) -> Iterator[Problem]:
    seen: list[tuple[Function, HttpTrigger]] = []
    for function in functions:
        trigger = function.trigger
        if not isinstance(trigger, HttpTrigger):
            continue
        for other, earlier in seen:
            same = trigger.template.shape == earlier.template.shape
            if same and routes.methods_overlap(trigger.methods, earlier.methods):
                yield Problem(
                    f"function {function.name}",
                    f"its route {trigger.template.text!r} is also that of {other.name}",
                    "Change one of the routes, or give them different methods",
                )
        seen.append((function, trigger))
