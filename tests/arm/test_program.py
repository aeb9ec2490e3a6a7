"""`python -m local.arm`: what it prints, what it refuses and how, and that it stops."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.arm.__main__ import main
from local.arm.server import Address, Endpoint, Settings, start
from local.arm.state.journal import journal_name
from local.arm.state.lock import FolderError
from tests.arm.azure import API, clients

pytestmark = pytest.mark.e2e
COMMAND = [sys.executable, "-m", "local.arm"]


@contextmanager
def running(*flags: str) -> Iterator[tuple[subprocess.Popen[str], Address]]:
    """Run the program until the block is left; give the address that it printed."""
    with subprocess.Popen(
        [*COMMAND, "--json", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert process.stderr is not None
            facts = json.loads(line or json.dumps({"failed": process.stderr.read()}))
            yield process, Address(**{**facts, "identity": Endpoint(**facts["identity"])})
        finally:
            process.kill()


def refused(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str]:
    """Run the program with flags that it must refuse; return its exit code and words."""
    try:
        code = main(flags)
    except SystemExit as stopped:
        code = int(str(stopped.code))
    found = capsys.readouterr()
    assert found.out == ""
    return code, found.err


def test_alone_it_says_where_it_is_and_how_to_use_it() -> None:
    """No flag is needed; endpoint, certificate, az and SDK settings are printed."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = ""
        while "curl" not in lines:
            lines += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        lines += process.stdout.read()

    assert process.returncode == 0
    assert "ARM simulator at https://127.0.0.1:" in lines
    for word in ("IDENTITY_ENDPOINT=", "az cloud register", "connection_verify", "in memory"):
        assert word in lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_at_once(number: signal.Signals) -> None:
    """Exit code 0, with a client connected and a deployment that never ends."""
    with running("--knobs", '{"deployment_seconds": 3600}') as (process, address):
        with clients(address) as azure:
            azure.group()
            azure.begin("d", [])
            began = time.monotonic()
            process.send_signal(number)
            code = process.wait(5)

        assert code == 0
        assert time.monotonic() - began < 3


def test_flags_turn_knobs_and_script_faults(tmp_path: Path) -> None:
    """--strict, --noise, --throttle, --knobs, --faults and --seed, as the side channel shows."""
    file = tmp_path / "faults.json"
    file.write_text('[{"match": {"route": "tenants"}, "answer": {"kind": "conflict"}}]')
    flags = ["--strict", "--noise", "N1, n5", "--throttle", "--knobs", '{"retry_after": 1}']
    with (
        running(*flags, "--faults", str(file), "--seed", "7") as (_, address),
        clients(address) as azure,
    ):
        knobs = azure.control("GET", "/knobs")
        refusal = azure.call("GET", f"/tenants?api-version={API}")

    assert knobs["strict"] is True
    assert knobs["noise"] == {"*": ["N1", "N5"]}
    assert knobs["throttle"]["reads"] == [250.0, 25.0]
    assert knobs["retry_after"] == 1
    assert refusal.code == "Conflict"


@pytest.mark.parametrize(
    ("flags", "where", "mend"),
    [
        (["--port", "70000"], "--port", "up to 65535"),
        (["--port", "http"], "--port", "0 for a free one"),
        (["--subscription", "a/b"], "--subscription", "give a guid"),
        (["--knobs", "{"], "--knobs", "give a JSON object"),
        (["--knobs", '{"speed": 1}'], "speed", "retry_after"),
        (["--knobs", '{"retry_after": "soon"}'], "retry_after", "float"),
        (["--noise", "N99"], "N99", "N1 to N23"),
        (["--noise", "nowhere.json"], "--noise", "nowhere.json"),
        (["--noise", '{"*": 1}'], "--noise", '{"*": ["N1"]}'),
        (["--faults", "nowhere.json"], "--faults", "nowhere.json"),
        (["--seed", "x"], "--seed", "int"),
        (["--dir", "/dev/null"], "--dir", "Give another"),
        (["--dir", "a", "--memory"], "--memory", "not allowed with"),
        (["--speed"], "--speed", "unrecognized"),
    ],
)
def test_a_bad_flag_is_refused_with_what_is_wrong_and_how_to_mend_it(
    capsys: pytest.CaptureFixture[str], flags: list[str], where: str, mend: str
) -> None:
    """No traceback, nothing on stdout, and an exit code that says so."""
    code, words = refused(capsys, *flags)

    assert code in (1, 2)
    assert where in words
    assert mend in words


def test_a_faults_file_with_a_mistake_names_the_place(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The file, and the path inside it."""
    file = tmp_path / "faults.json"
    file.write_text('{"rules": [{"answer": {"kind": "nonsense"}}]}')
    _, words = refused(capsys, "--faults", str(file))

    assert "faults.json" in words
    assert "$.rules[0].answer.kind" in words.replace("[...]", "[0]")


def test_a_port_in_use_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The second program says that the port is taken."""
    with start() as address:
        _, words = refused(capsys, "--port", address.endpoint.rpartition(":")[2])

    assert "--port" in words
    assert "0 for a free port" in words


def test_a_folder_in_use_is_refused_until_its_owner_is_gone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The second program names the process; after a kill the folder is free."""
    folder = str(tmp_path / "state")
    with running("--dir", folder) as (process, _):
        code, words = refused(capsys, "--dir", folder)
        process.kill()
        process.wait(5)
        with running("--dir", folder):
            pass

    assert code == 1
    assert f"in use by process {process.pid}" in words


def test_a_folder_in_use_in_this_process_is_refused_too(tmp_path: Path) -> None:
    """Two simulators of one test do not share a folder by mistake."""
    settings = Settings(folder=tmp_path)
    with start(settings), pytest.raises(FolderError, match="in use"), start(settings):
        pass


def test_a_journal_with_a_broken_line_in_the_middle_is_refused(tmp_path: Path) -> None:
    """File and line are named; without that line the simulator starts again."""
    with start(Settings(folder=tmp_path)) as address, clients(address) as azure:
        azure.group("rg-a")
        azure.group("rg-b")
    file = tmp_path / journal_name(0)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:-1], b'["groups", oops\n', lines[-1]]))
    with pytest.raises(FolderError) as caught, start(Settings(folder=tmp_path)):
        pass
    file.write_bytes(b"".join(lines))
    with start(Settings(folder=tmp_path)) as address, clients(address) as azure:
        names = [group.name for group in azure.resources.resource_groups.list()]

    assert f"{file}, line {len(lines)} cannot be read" in str(caught.value)
    assert names == ["rg-a", "rg-b"]


def test_a_record_from_another_version_is_refused(tmp_path: Path) -> None:
    """The key is named."""
    (tmp_path / journal_name(0)).write_bytes(b'["groups","/subscriptions/s",{"colour":"red"}]\n')
    with pytest.raises(FolderError, match="/subscriptions/s"), start(Settings(folder=tmp_path)):
        pass
