"""The processes that make up a laptop: how each is started, and how it shows that it is up."""

import http.client
import json
import os
import shutil
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import ports, processes, storage
from local.laptop import BRANCH, GIT_USER, REPOSITORY, Laptop
from local.processes import Process
from local.tuning import Tuning, tuning

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 60.0
REQUEST_LIMIT_S = 5.0
TIMER_LOCK_S = 15
"""A killed host's timers go to the next host after this long: the shortest that Azure allows."""
AZURITE, ARM, GIT, FUNCTIONS = "azurite", "arm", "git", "functions"


@dataclass(frozen=True)
class Part:
    """One process of the laptop."""

    name: str
    title: str
    start: Callable[[Laptop], Process]
    answers: Callable[[Laptop], bool]

    def wait(self, laptop: Laptop, process: Process) -> None:
        """Return once the part answers; raises ``processes.DiedAtStartError``."""
        processes.wait_until_answering(
            process, lambda: self.answers(laptop), name=self.title, limit_s=START_LIMIT_S
        )


def services() -> list[Part]:
    """Return what the Functions host needs before it starts, in no particular order."""
    return [
        Part(AZURITE, "Azurite", _start_azurite, lambda laptop: storage.answers(laptop.storage)),
        Part(ARM, "the ARM simulator", _start_arm, _arm_answers),
        Part(GIT, "the Git server", _start_git, _git_answers),
    ]


def hosts(count: int) -> list[Part]:
    """Return ``count`` Functions hosts that share the work."""
    return [_host(number) for number in range(count)]


def host_name(number: int) -> str:
    """Return the name of the process of that host, counted from 0."""
    return FUNCTIONS if number == 0 else f"{FUNCTIONS}-{number + 1}"


def tuning_of(laptop: Laptop) -> Tuning:
    """Return the intervals that the laptop's options ask for."""
    return tuning(demo=laptop.options.demo, max_polling_s=laptop.options.max_polling_s)


def arm_facts(laptop: Laptop) -> Mapping[str, Any]:
    """Return what the ARM simulator said about itself when it started; {} before that."""
    return _facts_of(laptop, ARM)


def uses_core_tools() -> bool:
    """Whether the Azure Functions Core Tools are on PATH; they serve the functions then."""
    return shutil.which("func") is not None


def _start_azurite(laptop: Laptop) -> Process:
    return storage.launch(
        laptop.folder / "storage", laptop.storage, log=laptop.log(AZURITE), mark=laptop.mark
    )


def _start_arm(laptop: Laptop) -> Process:
    return _start_module(
        laptop,
        ARM,
        "local.arm",
        *("--dir", laptop.folder / "arm"),
        *("--port", laptop.ports.arm),
        *("--identity-port", laptop.ports.identity),
        *("--subscription", laptop.subscription_id),
        "--json",
    )


def _arm_answers(laptop: Laptop) -> bool:
    facts = arm_facts(laptop)
    if not facts:
        return False
    context = ssl.create_default_context(cafile=facts["ca_file"])
    return answers(f"{facts['endpoint']}/_control", context=context)


def _start_git(laptop: Laptop) -> Process:
    secret = _secret_file(laptop, "hook-secret", laptop.secrets.hook_secret)
    token = _secret_file(laptop, "git-token", laptop.secrets.git_token)
    return _start_module(
        laptop,
        GIT,
        "local.git",
        *("--dir", laptop.folder / "git"),
        *("--port", laptop.ports.git),
        *("--user", GIT_USER, "--token-file", token),
        *("--repository", REPOSITORY, "--branch", BRANCH),
        *("--hook-url", laptop.hook_url, "--hook-secret-file", secret),
        "--json",
    )


def _git_answers(laptop: Laptop) -> bool:
    return answers(f"http://{ports.LOOPBACK}:{laptop.ports.git}/_health")


def _host(number: int) -> Part:
    name = host_name(number)
    title = "the Functions host" if number == 0 else f"Functions host {number + 1}"

    def start(laptop: Laptop) -> Process:
        environment = {**os.environ, **app_settings(laptop)}
        if uses_core_tools():
            return processes.start(
                ["func", "start", "--port", str(laptop.ports.functions[number])],
                log=laptop.log(name),
                cwd=ROOT,
                environment=environment,
                mark=laptop.mark,
            )
        return _start_module(
            laptop, name, "local.host", *_host_arguments(laptop), environment=environment
        )

    def up(laptop: Laptop) -> bool:
        if not uses_core_tools() and not _facts_of(laptop, name):
            return False  # hosts share a port: another one may answer in the place of this one
        address = laptop.host_url(number if uses_core_tools() else 0)
        return answers(f"{address}/api/health", {"x-functions-key": laptop.secrets.function_key})

    return Part(name, title, start, up)


def _host_arguments(laptop: Laptop) -> list[object]:
    keys = {"function": laptop.secrets.function_key, "master": laptop.secrets.function_key}
    return [
        ROOT,
        *("--port", laptop.ports.functions[0], "--shared-port"),
        *("--keys", _secret_file(laptop, "keys.json", json.dumps(keys))),
        *("--max-polling", tuning_of(laptop).max_polling_s),
        *("--lock-seconds", TIMER_LOCK_S),
        "--json",
    ]


def app_settings(laptop: Laptop) -> dict[str, str]:
    """Return the app settings of the Functions host, as an operator would set them in Azure."""
    facts = arm_facts(laptop)
    chosen = tuning_of(laptop)
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": laptop.storage.connection_string,
        # The host reads host.json, then this: how Azure lets an operator override one value of it.
        "AzureFunctionsJobHost__extensions__queues__maxPollingInterval": (
            chosen.max_polling_interval
        ),
        "PlumblineStorage": laptop.storage.connection_string,
        "PLUMBLINE_SECRET_EXAMPLE_GIT": laptop.secrets.git_token,
        "PLUMBLINE_SECRET_EXAMPLE_HOOK": laptop.secrets.hook_secret,
        "PLUMBLINE_ARM_ENDPOINT": facts.get("endpoint", ""),
        "PLUMBLINE_ARM_CA_FILE": facts.get("ca_file", ""),
        "PLUMBLINE_LOGS_ENDPOINT": facts.get("endpoint", ""),
        "PLUMBLINE_OPERATOR_KEY": laptop.secrets.operator_key,
        "PLUMBLINE_DIGEST_KEY": laptop.secrets.digest_key,
        "PLUMBLINE_DIGEST_KEY_ID": "laptop",
        "IDENTITY_ENDPOINT": facts.get("identity", {}).get("endpoint", ""),
        "IDENTITY_HEADER": facts.get("identity", {}).get("header", ""),
        **chosen.app_settings,
    }


def answers(
    url: str,
    headers: Mapping[str, str] | None = None,
    context: ssl.SSLContext | None = None,
) -> bool:
    """Whether a GET on a loopback URL ends in a 2xx."""
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310 - our own
    try:
        with urllib.request.urlopen(  # noqa: S310
            request, timeout=REQUEST_LIMIT_S, context=context
        ) as response:
            return bool(response.status < http.client.MULTIPLE_CHOICES)
    except (OSError, http.client.HTTPException):
        return False


def _start_module(
    laptop: Laptop,
    name: str,
    module: str,
    *arguments: object,
    environment: Mapping[str, str] = os.environ,
) -> Process:
    facts = _facts(laptop, name)
    facts.parent.mkdir(parents=True, exist_ok=True)
    return processes.start(
        [sys.executable, "-m", module, *(str(one) for one in arguments)],
        log=laptop.log(name),
        facts=facts,
        cwd=ROOT,
        environment=environment,
        mark=laptop.mark,
    )


def _facts_of(laptop: Laptop, name: str) -> Mapping[str, Any]:
    """Return the line that a program prints about itself once it answers; {} before that."""
    try:
        text = _facts(laptop, name).read_text(encoding="utf-8")
        facts: Mapping[str, Any] = json.loads(text.splitlines()[0])
    except (OSError, ValueError, IndexError):
        return {}
    return facts


def _facts(laptop: Laptop, name: str) -> Path:
    return laptop.folder / "run" / f"{name}.json"


def _secret_file(laptop: Laptop, name: str, content: str) -> Path:
    path = laptop.folder / "run" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(content + "\n", encoding="utf-8")
    return path
