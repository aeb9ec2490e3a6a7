"""What an operator prepares in storage before Plumbline runs, done for a laptop."""

import contextlib
import json
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContentSettings
from azure.storage.queue import QueueServiceClient

from local.laptop import BRANCH, GIT_USER, REPOSITORY, Laptop

CONTAINERS = ("state", "history")
QUEUES = (
    "plumbline-sync",
    "plumbline-release",
    "plumbline-watch",
    "plumbline-snapshot",
    "plumbline-inspect",
    "plumbline-prune",
    "plumbline-settle",
)
CONFIGURATION = "plumbline.config.json"


def provision(laptop: Laptop) -> None:
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
                "statuses": {"github": laptop.status_api, "token": "PLUMBLINE_SECRET_EXAMPLE_GIT"},
                "hook": laptop.hook,
                "hook_secrets": ["PLUMBLINE_SECRET_EXAMPLE_HOOK"],
                "default_subscription": laptop.subscription_id,
                "scopes": [f"/subscriptions/{laptop.subscription_id}"],
            }
        },
    }
