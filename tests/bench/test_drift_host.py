"""The log of the measurement's own Functions host, read as it grows."""

from __future__ import annotations

import json
from pathlib import Path

from bench.drift.host import Journal


def line(event: str, level: str = "Information", **fields: object) -> bytes:
    """Return a line as the host writes it."""
    message = json.dumps({"event": event, **fields})
    entry = {"time": "2026-01-01T00:00:00Z", "level": level, "message": message}
    return json.dumps(entry).encode() + b"\n"


def test_events_are_read_once_and_whole(tmp_path: Path) -> None:
    """A line that is half written waits for its other half; what is no event is passed over."""
    log = tmp_path / "host.log"
    one, two = line("snapshot_taken", stack="a"), line("snapshot_taken", stack="b")
    log.write_bytes(b"no json\n" + one + two[:20])
    journal = Journal(log)
    first = [event["stack"] for event in journal.events("snapshot_taken")]
    log.write_bytes(b"no json\n" + one + two)

    assert first == ["a"]
    assert [event["stack"] for event in journal.events("snapshot_taken")] == ["a", "b"]
    assert journal.events("scan_finished") == []


def test_errors_are_counted_by_their_event(tmp_path: Path) -> None:
    """So that a run that went wrong says so in its line."""
    log = tmp_path / "host.log"
    log.write_bytes(line("crashed", "Error") * 2 + line("sweep_finished"))

    assert Journal(log).errors() == {"crashed": 2}
