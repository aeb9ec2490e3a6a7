"""From webhook to ARM: how long an idle Plumbline takes until ARM has accepted the PUT."""

from collections.abc import Iterator
from datetime import datetime

from bench.figures import Figure, percentile
from bench.laptops import Running, WorkingCopy, laptop
from bench.stacks import manifest, template
from local import waiting

PUSHES = 20
COMMAND = "python -m bench push_to_put"


def _moments(running: Running, event: str, key: str) -> dict[str, datetime]:
    """Return when each revision was first mentioned by an event."""
    found: dict[str, datetime] = {}
    for entry in running.events(event):
        found.setdefault(entry[key], datetime.fromisoformat(entry["time"]))
    return found


def _delays(max_polling_s: float) -> list[float]:
    """Push a change of one stack again and again, each when the last one is done."""
    with laptop("--max-polling", str(max_polling_s)) as running:
        clone = WorkingCopy(running.line["git"]["url"], running.line["git"]["branch"])
        revisions = []
        for n in range(PUSHES + 1):
            files = {"plumbline.yaml": manifest("one"), "one.json": template(str(n))}
            revision = clone.push(files)
            revisions.append(revision)
            waiting.until(
                lambda wanted=revision: any(  # type: ignore[misc]
                    entry["revision"] == wanted for entry in running.events("release_succeeded")
                ),
                limit_s=60,
                what="the release of the last push",
                pause_s=0.3,
            )
        clone.close()
        received = _moments(running, "push_received", "revision")
        put = _moments(running, "release_put", "revision")
    # The first push pays for the cold start and for a new record.
    return [(put[r] - received[r]).total_seconds() for r in revisions[1:]]


def measure() -> Iterator[Figure]:
    """Measure with the product's polling interval and with the demo's."""
    for polling, p50_s, p99_s in ((2.0, 3.0, 6.0), (0.2, 1.0, None)):
        delays = _delays(polling)
        p50, p99 = percentile(delays, 0.5), percentile(delays, 0.99)
        yield Figure(
            what=f"webhook → ARM PUT accepted, idle, one stack, polling at {polling:g} s",
            target=f"p50 ≤ {p50_s:g} s" + (f", p99 ≤ {p99_s:g} s" if p99_s else ""),
            measured=f"p50 {p50:.2f} s, p99 {p99:.2f} s over {len(delays)} pushes",
            met=p50 <= p50_s and (p99_s is None or p99 <= p99_s),
            command=COMMAND,
        )
