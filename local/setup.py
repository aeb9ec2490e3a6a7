"""``make setup``: a fresh clone becomes one where everything runs.

Uses nothing but the standard library, because it runs before anything is installed. Each step
leaves a stamp with the hash of the files that it was made from, so a second run costs nothing, a
changed lock file is installed, and what an interrupted run left half-made is mended.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NODE_FOLDER = ROOT / "local"
MODULES = NODE_FOLDER / "node_modules"
UV_LOCK = ROOT / ".ci" / "requirements-uv.txt"
DEV_LOCK = ROOT / "requirements-dev.txt"
HOST_LOCK = ROOT / "requirements-host.txt"
STAMP = ".plumbline-setup"
OLDEST_NODE = 18


class SetupError(Exception):
    """Setting up cannot go on; the message says what is missing and how to mend it."""


def main() -> int:
    """Set up what is missing; print what is done. 0, or 1 with the reason on standard error."""
    with (ROOT / ".setup-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two makes at once: the second finds it done
        try:
            set_up_python()
            set_up_node()
        except SetupError as error:
            print(f"setup: {error}", file=sys.stderr)
            return 1
    return 0


def set_up_python() -> None:
    """Bring ``.venv`` to exactly what the lock files say."""
    wanted = _digest([UV_LOCK, DEV_LOCK, HOST_LOCK])
    if _is_stamped(VENV, wanted) and PYTHON.exists():
        return
    started = time.monotonic()
    (VENV / STAMP).unlink(missing_ok=True)
    if not _works([PYTHON, "-m", "pip", "--version"]):
        _say(f"creating .venv with Python {sys.version.split()[0]}")
        _create_venv()
    _say("installing the Python packages")
    if not _install_with_uv():
        _run(_pip("--require-hashes", "-r", DEV_LOCK), "the Python packages cannot be installed")
    # A step of its own: the library says that it wants Python 3.13, and works on 3.11.
    host = _pip("--no-deps", "--ignore-requires-python", "--require-hashes", "-r", HOST_LOCK)
    _run(host, "the Functions runtime library cannot be installed")
    (VENV / STAMP).write_text(wanted)
    _say(f".venv is ready ({time.monotonic() - started:.1f} s)")


def set_up_node() -> None:
    """Bring ``local/node_modules`` to exactly what the lock file says."""
    wanted = _digest([NODE_FOLDER / "package-lock.json", NODE_FOLDER / "package.json"])
    if _is_stamped(MODULES, wanted):
        return
    _check_node()
    started = time.monotonic()
    _say("installing the npm packages (Azurite)")
    _run(
        ["npm", "ci", "--no-audit", "--no-fund", "--silent"],
        "the npm packages cannot be installed",
        cwd=NODE_FOLDER,
    )
    (MODULES / STAMP).write_text(wanted)
    _say(f"local/node_modules is ready ({time.monotonic() - started:.1f} s)")


def _create_venv() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    _run(
        [sys.executable, "-m", "venv", VENV],
        "the virtual environment cannot be created "
        "(on Debian and Ubuntu: apt-get install python3-venv)",
    )


def _install_with_uv() -> bool:
    """Whether uv, many times faster than pip, could be had and has installed everything."""
    uv = VENV / "bin" / "uv"
    if not _works(_pip("--require-hashes", "-r", UV_LOCK)):
        _say("uv cannot be had, so pip installs: slower, the same packages")
        return False
    command: list[str | Path] = [
        uv,
        "pip",
        "sync",
        "--quiet",
        "--python",
        PYTHON,
        "--require-hashes",
        DEV_LOCK,
    ]
    if not _works(command, environment={**os.environ, **_index_for_uv(), "UV_NO_PROGRESS": "1"}):
        _say("uv could not install, so pip does: slower, the same packages")
        return False
    return True


def _index_for_uv() -> Mapping[str, str]:
    """Hand on the package index that pip is configured with: uv reads only its own settings."""
    if "UV_DEFAULT_INDEX" in os.environ or "UV_INDEX_URL" in os.environ:
        return {}
    command: list[str | Path] = [PYTHON, "-m", "pip", "config", "get", "global.index-url"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    address = os.environ.get("PIP_INDEX_URL", found.stdout.strip())
    return {"UV_DEFAULT_INDEX": address} if address else {}


def _pip(*arguments: str | Path) -> list[str | Path]:
    return [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]


def _check_node() -> None:
    if shutil.which("npm") is None:
        raise SetupError(f"npm is not on PATH: install Node.js {OLDEST_NODE} or newer with npm")
    try:
        command = ["node", "--version"]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"node does not run: install Node.js {OLDEST_NODE} or newer") from error
    version = found.stdout.strip().removeprefix("v")
    if int(version.split(".")[0]) < OLDEST_NODE:
        raise SetupError(f"node is {version}: install Node.js {OLDEST_NODE} or newer")


def _digest(files: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _is_stamped(folder: Path, wanted: str) -> bool:
    try:
        return (folder / STAMP).read_text() == wanted
    except OSError:
        return False


def _works(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> bool:
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT
        )
    except OSError:
        return False
    if done.returncode != 0 and done.stderr:
        _say(done.stderr.strip().splitlines()[-1])
    return done.returncode == 0


def _run(command: Sequence[str | Path], problem: str, cwd: Path = ROOT) -> None:
    try:
        subprocess.run(command, check=True, cwd=cwd)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(f"{problem}; what was said about it is above") from error


def _say(text: str) -> None:
    print(f"setup: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
