"""The one line of JSON by which programs find a running laptop."""

from typing import Any

from local import parts, processes
from local.laptop import BRANCH, Laptop
from local.simulator import RESOURCE_GROUPS


def line(laptop: Laptop) -> dict[str, Any]:
    """Return the line: addresses, keys and process ids; null for what does not run."""
    arm = parts.arm_facts(laptop)
    pids = {
        name: process.pid if processes.is_alive(process) else None
        for name, process in laptop.processes.items()
    }
    names = [parts.host_name(number) for number in range(laptop.options.hosts)]
    return {
        "dir": str(laptop.folder),
        "functions": laptop.functions_url,
        "function_key": laptop.secrets.function_key,
        "operator_key": laptop.secrets.operator_key,
        "arm": {name: arm.get(name) for name in ("endpoint", "ca_file", "token", "control")},
        "identity": {name: arm.get("identity", {}).get(name) for name in ("endpoint", "header")},
        "storage_connection_string": laptop.storage.connection_string,
        "subscription_id": laptop.subscription_id,
        "resource_groups": list(RESOURCE_GROUPS),
        "git": {
            "url": laptop.git_url_with_credentials,
            "branch": BRANCH,
            "hook_url": laptop.hook_url,
            "hook_secret": laptop.secrets.hook_secret,
            "status_api": laptop.status_api,
            "token": laptop.secrets.git_token,
        },
        "alerts": {"hook_url": None},
        "pids": {
            parts.AZURITE: pids.get(parts.AZURITE),
            parts.ARM: pids.get(parts.ARM),
            parts.GIT: pids.get(parts.GIT),
            parts.FUNCTIONS: [pids.get(name) for name in names],
        },
    }


def dead(laptop: Laptop) -> list[str]:
    """Return the names of the parts that should run and do not."""
    wanted = [part.name for part in (*parts.services(), *parts.hosts(laptop.options.hosts))]
    return [
        name
        for name in wanted
        if name not in laptop.processes or not processes.is_alive(laptop.processes[name])
    ]
