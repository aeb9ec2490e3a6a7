"""Cold start: importing the app loads the Functions library and our own few lines, nothing else."""

import subprocess
import sys

import pytest

from tests.functions.conftest import ROOT

LATER = (
    "yaml",
    "dulwich",
    "jinja2",
    "msgspec",
    "requests",
    "urllib3",
    "aiohttp",
    "cryptography",
)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Return what a fresh interpreter has loaded after the import, without any setting."""
    done = subprocess.run(
        [sys.executable, "-c", "import sys, function_app; print(*sys.modules)"],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


def test_of_azure_only_the_functions_library(loaded: set[str]) -> None:
    """No SDK is imported before an event needs it."""
    azure = {name for name in loaded if name.startswith("azure.")}

    assert "azure.functions" in azure
    assert {name for name in azure if not name.startswith("azure.functions")} == set()


@pytest.mark.parametrize("library", LATER)
def test_heavy_libraries_come_later(loaded: set[str], library: str) -> None:
    """Nor are the parsers, Git, and the HTTP clients."""
    assert not [name for name in loaded if name.partition(".")[0] == library]


def test_of_ours_only_the_functions(loaded: set[str]) -> None:
    """Wiring, flows and adapters are imported by the first event."""
    assert not [name for name in loaded if name.partition(".")[0] in {"shared", "local"}]
    assert "functions.receive_push" in loaded
