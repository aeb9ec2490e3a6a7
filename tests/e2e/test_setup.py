"""``make setup``: what is missing is installed, what is there costs nothing, errors say the cure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import setup
from tests.conftest import ROOT

pytestmark = pytest.mark.e2e

NPM = """#!/bin/sh
echo "$@" >> {folder}/calls
{body}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a stand-in for local/, with a PATH on which only the tests' programs are."""
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(setup, "NODE_FOLDER", tmp_path)
    monkeypatch.setattr(setup, "MODULES", tmp_path / "node_modules")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin:/nowhere")
    program(tmp_path, "node", "#!/bin/sh\necho v20.1.0\n")
    program(tmp_path, "npm", NPM.format(folder=tmp_path, body="mkdir -p node_modules"))
    return tmp_path


def program(folder: Path, name: str, text: str) -> None:
    """Put a program on the PATH."""
    path = folder / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def calls(folder: Path) -> int:
    """Return how often npm ran."""
    return len((folder / "calls").read_text().splitlines()) if (folder / "calls").exists() else 0


def test_npm_runs_once_and_again_when_the_lock_file_changed(folder: Path) -> None:
    """The stamp is made from the lock file, so only a change of it installs again."""
    setup.set_up_node()
    setup.set_up_node()
    assert calls(folder) == 1

    (folder / "package-lock.json").write_text('{"changed": true}')
    setup.set_up_node()
    assert calls(folder) == 2


def test_a_failed_install_is_tried_again(folder: Path) -> None:
    """An install that stopped half-way leaves no stamp, whatever it left of the packages."""
    half = NPM.format(folder=folder, body="mkdir -p node_modules; exit 1")
    program(folder, "npm", half)
    with pytest.raises(setup.SetupError, match="npm packages cannot be installed"):
        setup.set_up_node()

    program(folder, "npm", NPM.format(folder=folder, body="true"))
    setup.set_up_node()

    assert calls(folder) == 2


@pytest.mark.parametrize(
    ("node", "complaint"),
    [
        ("#!/bin/sh\necho v16.20.2\n", r"node is 16\.20\.2: install Node\.js 18 or newer"),
        ("#!/bin/sh\nexit 1\n", "node does not run"),
    ],
)
def test_an_unfit_node_is_named(folder: Path, node: str, complaint: str) -> None:
    """Too old or broken: the version and the cure are in the message, and npm is not run."""
    program(folder, "node", node)

    with pytest.raises(setup.SetupError, match=complaint):
        setup.set_up_node()

    assert calls(folder) == 0


def test_a_stamped_venv_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the stamp of these lock files nothing is run, not even Python."""
    lock = tmp_path / "lock.txt"
    lock.write_text("one==1")
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    for name in ("UV_LOCK", "DEV_LOCK", "HOST_LOCK"):
        monkeypatch.setattr(setup, name, lock)
    monkeypatch.setattr(setup, "VENV", tmp_path)
    monkeypatch.setattr(setup, "PYTHON", python)
    (tmp_path / setup.STAMP).write_text(setup._digest([lock] * 3))

    setup.set_up_python()

    assert (tmp_path / setup.STAMP).exists()


def find_python(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run .ci/find-python where only the folder's programs are."""
    return subprocess.run(
        ["/bin/sh", ROOT / ".ci" / "find-python"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_oldest_fit_python_is_found(tmp_path: Path) -> None:
    """A shim without a Python behind it and a Python that is too old are passed over."""
    for name, code in (("python3.11", 127), ("python3.12", 1)):
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "python3.13").symlink_to(sys.executable)

    found = find_python(tmp_path)

    assert found.stdout.strip() == os.fspath(tmp_path / "python3.13")


def test_without_a_fit_python_it_says_which_is_needed(tmp_path: Path) -> None:
    """No Python at all: a sentence and a failure."""
    found = find_python(tmp_path)

    assert found.returncode == 1
    assert "needs Python 3.11 or newer" in found.stderr


def test_lock_files_name_no_registry() -> None:
    """Whoever installs decides where from: no address of a package index is in a lock file."""
    for path in [*ROOT.glob("requirements*.txt"), setup.UV_LOCK]:
        assert "://" not in path.read_text(), path
    lock = (ROOT / "local" / "package-lock.json").read_text()
    assert '"resolved": "http' not in lock
