"""What an operator does once before Plumbline runs, done for a laptop.

Containers, queues and the operator's configuration in storage; resource groups in (simulated)
Azure; the example in the Git repository. Every step is idempotent.
"""

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContentSettings
from azure.storage.queue import QueueServiceClient

from local import parts
from local.laptop import BRANCH, GIT_USER, REPOSITORY, Laptop

CONTAINERS = ("state", "history")
QUEUES = ("plumbline-sync", "plumbline-release", "plumbline-watch", "plumbline-snapshot")
CONFIGURATION = "plumbline.config.json"
EXAMPLE = parts.ROOT / "examples" / "shop"
LOCATION = "westeurope"
RESOURCE_GROUPS = ("rg-laptop", "rg-laptop-2", "rg-laptop-3")
"""Groups that exist from the start; the example creates those that it names itself."""
_GROUPS_API = "2024-03-01"
_GIT_LIMIT_S = 60.0


class ExampleError(Exception):
    """The example could not be pushed; the message says why."""


def provision_storage(laptop: Laptop) -> None:
    """Make the containers and queues that are missing and write the operator's configuration."""
    connection = laptop.storage.connection_string
    with BlobServiceClient.from_connection_string(connection) as blobs:
        for name in CONTAINERS:
            with contextlib.suppress(ResourceExistsError):
                blobs.create_container(name)
        blobs.get_blob_client(CONTAINERS[0], CONFIGURATION).upload_blob(
            json.dumps(configuration(laptop), indent=2) + "\n",
            overwrite=True,
            content_settings=ContentSettings(content_type="application/json"),
        )
    with QueueServiceClient.from_connection_string(connection) as queues:
        for name in QUEUES:
            with contextlib.suppress(ResourceExistsError):
                queues.create_queue(name)


def configuration(laptop: Laptop) -> dict[str, Any]:
    """Return the operator's configuration: one repository, the whole subscription allowed. Pure."""
    return {
        "schema_version": 1,
        "installation": "laptop",
        "repositories": {
            REPOSITORY: {
                "url": laptop.git_url,
                "branch": BRANCH,
                "manifest": "plumbline.yaml",
                "credential": {"user": GIT_USER, "token": "PLUMBLINE_SECRET_EXAMPLE_GIT"},
                "hook": laptop.hook,
                "hook_secrets": ["PLUMBLINE_SECRET_EXAMPLE_HOOK"],
                "default_subscription": laptop.subscription_id,
                "scopes": [f"/subscriptions/{laptop.subscription_id}"],
            }
        },
    }


def turn_knobs(laptop: Laptop) -> None:
    """Turn the simulator's knobs as the options ask; those that they do not name stay."""
    url = f"{parts.arm_facts(laptop)['control']}/knobs"
    _call(laptop, "PATCH", url, parts.tuning_of(laptop).arm_knobs)


def make_resource_groups(laptop: Laptop) -> None:
    """Make the groups that are there for whoever has not made any."""
    endpoint = parts.arm_facts(laptop)["endpoint"]
    for name in RESOURCE_GROUPS:
        path = f"/subscriptions/{laptop.subscription_id}/resourcegroups/{name}"
        url = f"{endpoint}{path}?api-version={_GROUPS_API}"
        _call(laptop, "PUT", url, {"location": LOCATION})


def push_example(laptop: Laptop) -> None:
    """Push ``examples/shop`` as the first commit, unless the repository has one already.

    Raises ``ExampleError`` with git's own words.
    """
    if _git(laptop.folder, "ls-remote", laptop.git_url_with_credentials, f"refs/heads/{BRANCH}"):
        return
    if not EXAMPLE.is_dir():
        raise ExampleError(f"{EXAMPLE} is missing: is this a whole clone of Plumbline?")
    with tempfile.TemporaryDirectory(dir=laptop.folder) as temporary:
        folder = Path(temporary) / REPOSITORY
        shutil.copytree(EXAMPLE, folder)
        _git(folder, "init", "--quiet", f"--initial-branch={BRANCH}")
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "--message", "A shop: network, storage and web")
        _git(folder, "push", "--quiet", laptop.git_url_with_credentials, BRANCH)


def _git(folder: Path, *arguments: str) -> str:
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,  # nobody's signing key, hooks or helpers
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Plumbline laptop",
        "GIT_AUTHOR_EMAIL": "laptop@plumbline.invalid",
        "GIT_COMMITTER_NAME": "Plumbline laptop",
        "GIT_COMMITTER_EMAIL": "laptop@plumbline.invalid",
    }
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=_GIT_LIMIT_S,
        )
    except subprocess.CalledProcessError as error:
        raise ExampleError(f"git {arguments[0]}: {error.stderr.strip()}") from error
    return done.stdout


def _call(laptop: Laptop, method: str, url: str, body: Mapping[str, Any]) -> None:
    facts = parts.arm_facts(laptop)
    request = urllib.request.Request(  # noqa: S310 - our own simulator
        url,
        method=method,
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {facts['token']}",
            "Content-Type": "application/json",
        },
    )
    context = ssl.create_default_context(cafile=facts["ca_file"])
    with urllib.request.urlopen(request, timeout=parts.REQUEST_LIMIT_S, context=context):  # noqa: S310
        pass
