"""What the functions need around them, for real: storage, ARM over TLS, Git, and a worker."""

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.arm.knobs import Knobs
from local.arm.server import Address
from local.arm.server import Settings as ArmSettings
from local.arm.server import start as arm_started
from tests.conftest import Azurite
from tests.functions.account import Account, prepared

ROOT = Path(__file__).resolve().parents[2]
HOOK = "a-hook-that-nobody-guesses"
HOOK_SECRET = "canary-of-the-hook-secret"
GIT_TOKEN = "canary-of-the-git-token"
DIGEST_KEY = "canary-of-the-digest-key-" + "k" * 32
BODY_TEXT = "canary-of-the-body"
CANARIES = (HOOK_SECRET, GIT_TOKEN, DIGEST_KEY, BODY_TEXT)


def signed(body: bytes, secret: str = HOOK_SECRET) -> str:
    """Return the value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def app_settings(connection_string: str, **more: str) -> dict[str, str]:
    """Return the app settings of an installation without ARM, its timers far away."""
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": connection_string,
        "PlumblineStorage": connection_string,
        "PLUMBLINE_SWEEP_SCHEDULE": "0 0 0 1 1 *",
        "PLUMBLINE_POISON_SCHEDULE": "0 0 0 1 1 *",
        "PLUMBLINE_SCAN_SCHEDULE": "0 0 0 1 1 *",
        "PLUMBLINE_DIGEST_KEY": DIGEST_KEY,
        "PLUMBLINE_DIGEST_KEY_ID": "test",
        "PLUMBLINE_SECRET_GIT": GIT_TOKEN,
        "PLUMBLINE_SECRET_HOOK": HOOK_SECRET,
        **more,
    }


def configuration(
    url: str, subscription: str = "1" * 8 + "-1111-1111-1111-" + "1" * 12
) -> dict[str, object]:
    """Return an operator's configuration that follows ``main`` of one repository."""
    return {
        "schema_version": 1,
        "installation": "tested",
        "repositories": {
            "shop": {
                "url": url,
                "branch": "main",
                "credential": {"user": "plumbline", "token": "PLUMBLINE_SECRET_GIT"},
                "hook": HOOK,
                "hook_secrets": ["PLUMBLINE_SECRET_HOOK"],
                "default_subscription": subscription,
                "scopes": [f"/subscriptions/{subscription}"],
            }
        },
    }


@pytest.fixture(scope="module")
def account(azurite: Azurite) -> Iterator[Account]:
    """Prepare containers and queues for one module."""
    with prepared(azurite.connection_string) as made:
        yield made


@pytest.fixture(scope="session")
def arm() -> Iterator[Address]:
    """Start the ARM simulator, with operations that take no time."""
    with arm_started(
        ArmSettings(subscription=_subscription(), knobs=Knobs(retry_after=0.05))
    ) as it:
        yield it


def _subscription() -> str:
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder for one module."""
    return tmp_path_factory.mktemp("functions")
