"""Reads host.json and local.settings.json, and refuses what the real host would refuse."""

import copy
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.host.problems import Problem, StartRefusedError
from local.host.spans import seconds

LOCAL_MAX_POLLING_S = 2.0  # what `func` uses on a developer's machine; Azure's default is a minute
DEFAULT_TIMEOUT_S = 1800.0  # Flex Consumption
LONGEST_VISIBILITY_S = 7 * 86400.0
LARGEST_BATCH = 32
LOCK_RANGE_S = (15.0, 60.0)
LOG_LEVELS = {
    "Trace": 5,
    "Debug": 10,
    "Information": 20,
    "Warning": 30,
    "Error": 40,
    "Critical": 50,
    "None": 100,
}
OVERRIDE = "AzureFunctionsJobHost"
_HOST_ID = re.compile(r"[a-z0-9](-?[a-z0-9]){0,31}")


@dataclass(frozen=True)
class QueueOptions:
    """extensions.queues; times in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout_s: float = 0.0
    max_polling_s: float = LOCAL_MAX_POLLING_S
    base64: bool = True


@dataclass(frozen=True)
class SingletonOptions:
    """singleton: how long a host owns its timers, and how often others look; seconds."""

    lock_s: float = 60.0
    recovery_s: float = 60.0


@dataclass(frozen=True)
class HostConfiguration:
    """host.json, read. `timeout_s` None means that invocations may take for ever."""

    host_id: str
    route_prefix: str = "api"
    max_outstanding_requests: int | None = None
    timeout_s: float | None = DEFAULT_TIMEOUT_S
    queues: QueueOptions = QueueOptions()
    singleton: SingletonOptions = SingletonOptions()
    log_levels: Mapping[str, int] = field(default_factory=dict)


class _Section:
    """One object of host.json that collects problems instead of stopping at the first."""

    def __init__(self, node: Any, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems
        self.node: dict[str, Any] = node if isinstance(node, dict) else {}
        if node is not None and not isinstance(node, dict):
            self._note(path, f"{json.dumps(node)} is not an object", "Write {...}")

    def section(self, name: str) -> "_Section":
        return _Section(self.node.get(name), f"{self.path}.{name}".lstrip("."), self.problems)

    def integer(self, name: str, default: int, low: int, high: int | None = None) -> int:
        value = self.node.get(name, default)
        number = isinstance(value, int) and not isinstance(value, bool)
        if not number or value < low or (high is not None and value > high):
            limits = f"from {low} to {high}" if high is not None else f"of {low} or more"
            self._bad(name, value, f"Use a whole number {limits}")
            return default
        return int(value)

    def span(self, name: str, default: float, low: float, high: float | None = None) -> float:
        if name not in self.node:
            return default
        try:
            value = seconds(self.node[name])
        except ValueError as error:
            self._note(f"{self.path}.{name}", str(error), "See the host.json reference")
            return default
        if value < low or (high is not None and value > high):
            limits = f"between {low:g} and {high:g} s" if high is not None else f"{low:g} s or more"
            self._bad(name, self.node[name], f"Use {limits}")
            return default
        return value

    def text(self, name: str, default: str, allowed: Callable[[str], bool], cure: str) -> str:
        value = self.node.get(name, default)
        if not isinstance(value, str) or not allowed(value):
            self._bad(name, value, cure)
            return default
        return value

    def _bad(self, name: str, value: Any, cure: str) -> None:
        where = f"{self.path}.{name}".lstrip(".")
        self._note(where, f"{json.dumps(value)} is out of range", cure)

    def _note(self, where: str, what: str, mend: str) -> None:
        self.problems.append(Problem(f"host.json {where}".rstrip(), what, mend))


def read_host_json(app_dir: Path, settings: Mapping[str, str]) -> HostConfiguration:
    """Return the configuration; raises StartRefusedError with every problem in the file.

    A setting `AzureFunctionsJobHost__a__b` overrides the value at a.b, as in Azure.
    """
    path = app_dir / "host.json"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        missing = Problem(str(path), "there is no host.json", 'Create it: {"version": "2.0"}')
        raise StartRefusedError([missing]) from None
    try:
        document = json.loads(text)
    except ValueError as error:
        broken = Problem(str(path), f"not JSON: {error}", "Mend the file")
        raise StartRefusedError([broken]) from None
    return host_configuration(overridden(document, settings), default_host_id(app_dir))


def overridden(document: Any, settings: Mapping[str, str]) -> Any:
    """Return host.json with the values that app settings override. Pure."""
    if not isinstance(document, dict):
        return document
    changed = copy.deepcopy(document)
    for name, text in settings.items():
        prefix, *path = name.split("__")
        if prefix.lower() != OVERRIDE.lower() or not path:
            continue
        node = changed
        for part in path[:-1]:
            below = node.get(_spelled(part, node))
            if not isinstance(below, dict):
                below = node[_spelled(part, node)] = {}
            node = below
        node[_spelled(path[-1], node)] = int(text) if text.lstrip("-").isdigit() else text
    return changed


def _spelled(name: str, node: Mapping[str, Any]) -> str:
    """Return a key of the node that differs by case only, else the name."""
    return next((key for key in node if key.lower() == name.lower()), name)


def default_host_id(app_dir: Path) -> str:
    """Return the id that all hosts of a directory share. Pure."""
    return "local-" + hashlib.sha256(str(app_dir).encode()).hexdigest()[:16]


def host_configuration(document: Any, host_id: str) -> HostConfiguration:
    """Check a host.json document; raises StartRefusedError with every problem. Pure."""
    problems: list[Problem] = []
    root = _Section(document, "", problems)
    root.text("version", "", lambda text: text == "2.0", 'Write "version": "2.0"')
    configuration = HostConfiguration(
        host_id=root.text(
            "id", host_id, lambda text: bool(_HOST_ID.fullmatch(text)), "Use [a-z0-9-]{1,32}"
        ),
        route_prefix=_route_prefix(root.section("extensions").section("http")),
        max_outstanding_requests=_max_outstanding(root.section("extensions").section("http")),
        timeout_s=_timeout(root),
        queues=_queues(root.section("extensions").section("queues")),
        singleton=_singleton(root.section("singleton")),
        log_levels=_log_levels(root.section("logging").section("logLevel")),
    )
    if problems:
        raise StartRefusedError(dict.fromkeys(problems))
    return configuration


def _route_prefix(http: _Section) -> str:
    prefix = http.text(
        "routePrefix", "api", lambda text: not re.search(r"[{}?#\s]", text), "Use a plain path"
    )
    return prefix.strip("/")


def _max_outstanding(http: _Section) -> int | None:
    limit = http.integer("maxOutstandingRequests", -1, -1)
    return limit if limit > 0 else None


def _timeout(root: _Section) -> float | None:
    if root.node.get("functionTimeout") == "-1":
        return None
    return root.span("functionTimeout", DEFAULT_TIMEOUT_S, 0.001)


def _queues(queues: _Section) -> QueueOptions:
    batch_size = queues.integer("batchSize", 16, 1, LARGEST_BATCH)
    encoding = queues.text(
        "messageEncoding",
        "base64",
        lambda text: text.lower() in {"base64", "none"},
        'Use "base64" or "none"',
    )
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=queues.integer("newBatchThreshold", batch_size // 2, 0),
        max_dequeue_count=queues.integer("maxDequeueCount", 5, 1),
        visibility_timeout_s=queues.span("visibilityTimeout", 0.0, 0.0, LONGEST_VISIBILITY_S),
        max_polling_s=queues.span("maxPollingInterval", LOCAL_MAX_POLLING_S, 0.1),
        base64=encoding.lower() == "base64",
    )


def _singleton(singleton: _Section) -> SingletonOptions:
    return SingletonOptions(
        lock_s=singleton.span("listenerLockPeriod", 60.0, *LOCK_RANGE_S),
        recovery_s=singleton.span("listenerLockRecoveryPollingInterval", 60.0, LOCK_RANGE_S[0]),
    )


def _log_levels(levels: _Section) -> dict[str, int]:
    names = {name.lower(): number for name, number in LOG_LEVELS.items()}
    cure = "Use one of " + ", ".join(LOG_LEVELS)
    return {
        category: names[
            levels.text(category, "Information", lambda text: text.lower() in names, cure).lower()
        ]
        for category in levels.node
    }


def read_local_settings(app_dir: Path) -> dict[str, str]:
    """Return Values of local.settings.json, {} without the file; raises StartRefusedError."""
    path = app_dir / "local.settings.json"
    if not path.exists():
        return {}
    cure = 'Write {"IsEncrypted": false, "Values": {"NAME": "text"}}'
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise StartRefusedError([Problem(str(path), f"not JSON: {error}", cure)]) from None
    values = document.get("Values", {}) if isinstance(document, dict) else None
    if not isinstance(values, dict) or document.get("IsEncrypted", False):
        raise StartRefusedError([Problem(str(path), "Values cannot be read", cure)])
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    if wrong:
        names = ", ".join(wrong)
        raise StartRefusedError([Problem(str(path), f"Values must be text: {names}", cure)])
    return dict(values)


def app_settings(local: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the app sees: the environment wins over the file, as under `func`. Pure."""
    settings = {**local, **environment}
    # Worker code takes this variable as proof that it runs in Azure.
    settings.pop("CONTAINER_NAME", None)
    settings.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    settings.setdefault("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
    return settings
