"""Cold start: what importing the app costs beside the Functions library itself."""

import subprocess
import sys
from collections.abc import Iterator

from bench.figures import Figure

RUNS = 15
TARGET = 1.3
_TIMED = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"
_LOADED = "import sys, function_app; print(*sorted(sys.modules))"
FORBIDDEN = ("azure", "yaml", "dulwich", "jinja2", "msgspec", "shared.adapters", "shared.flows")


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def loaded_too_early() -> list[str]:
    """Return the modules that ``import function_app`` loads and should not."""
    return [
        name
        for name in _run(_LOADED).split()
        if any(name == root or name.startswith(root + ".") for root in FORBIDDEN)
        and name != "azure"
        and not name.startswith("azure.functions")
    ]


def measure() -> Iterator[Figure]:
    """Measure both imports in turn, so that a machine that changes its speed changes both."""
    app, library = [], []
    for _ in range(RUNS):
        app.append(float(_run(_TIMED.format("function_app"))))
        library.append(float(_run(_TIMED.format("azure.functions"))))
    ratio = min(app) / min(library)
    early = loaded_too_early()
    yield Figure(
        what="CPU time of `import function_app` / `import azure.functions`, min of 15, interleaved",
        target="≤ 1.3; no SDK, yaml, dulwich",
        measured=f"{ratio:.2f} ({min(app) * 1000:.0f} / {min(library) * 1000:.0f} ms); "
        + (f"loaded too early: {', '.join(early)}" if early else "nothing loaded too early"),
        met=ratio <= TARGET and not early,
        command="python -m bench cold_start",
    )
