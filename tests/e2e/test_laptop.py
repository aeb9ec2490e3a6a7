"""The contract of a laptop: one line of JSON, real processes, the same after every restart."""

import http.client
import json
import os
import shutil
import signal
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local import ports, processes, waiting
from tests.conftest import ROOT, LaptopRun

pytestmark = pytest.mark.e2e

SHAPE: Mapping[str, Any] = {
    "dir": str,
    "functions": str,
    "function_key": str,
    "operator_key": str,
    "arm": {"endpoint": str, "ca_file": str, "token": str, "control": str},
    "identity": {"endpoint": str, "header": str},
    "storage_connection_string": str,
    "subscription_id": str,
    "resource_groups": list,
    "git": {
        "url": str,
        "branch": str,
        "hook_url": str,
        "hook_secret": str,
        "status_api": str,
        "token": str,
    },
    "alerts": {"hook_url": type(None)},
    "pids": {"azurite": int, "arm": int, "git": int, "functions": list},
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaptopRun]:
    """Give a laptop that the tests of this module may break; each mends it with ``up``."""
    run = LaptopRun(tmp_path_factory.mktemp("own"))
    try:
        run.up("--no-example", "--max-polling", "0.5")
        yield run
    finally:
        run.down()


def get(url: str, headers: Mapping[str, str], context: ssl.SSLContext | None = None) -> int:
    """Return the status of a GET."""
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def shape_of(value: Any) -> Any:
    """Return keys and types of nested objects."""
    if isinstance(value, dict):
        return {name: shape_of(one) for name, one in value.items()}
    return type(value)


def pids_of(line: Mapping[str, Any]) -> list[int]:
    """Return all process ids of a laptop's line."""
    pids = line["pids"]
    return [pids["azurite"], pids["arm"], pids["git"], *pids["functions"]]


def without_pids(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return all of a line but its process ids."""
    return {name: value for name, value in line.items() if name != "pids"}


def kill(pid: int) -> None:
    """SIGKILL a process and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    waiting.until(lambda: not processes.runs(pid), limit_s=10, what=f"process {pid} to die")


def test_the_line_has_the_promised_shape(laptop: LaptopRun) -> None:
    """Exactly the keys of the contract, with real process ids and this folder."""
    assert shape_of(laptop.line) == SHAPE
    assert all(processes.runs(pid) for pid in pids_of(laptop.line))
    assert laptop.line["dir"] == str(laptop.folder)


def test_status_prints_the_line_again(laptop: LaptopRun) -> None:
    """``status --json`` prints the very line that ``up --json`` did, alone on standard output."""
    done = laptop.command("status", "--json")

    assert (done.returncode, json.loads(done.stdout)) == (0, laptop.line)
    assert done.stdout.count("\n") == 1


def test_every_address_answers_and_only_to_its_key(laptop: LaptopRun) -> None:
    """Functions want their key, ARM its token over TLS, the identity endpoint its header."""
    line = laptop.line
    context = ssl.create_default_context(cafile=line["arm"]["ca_file"])
    subscription = f"{line['arm']['endpoint']}/subscriptions/{line['subscription_id']}"
    groups = f"{subscription}/resourcegroups?api-version=2024-03-01"
    token = f"{line['identity']['endpoint']}?resource=https://management.azure.com/&api-version=2019-08-01"
    bearer = {"Authorization": f"Bearer {line['arm']['token']}"}

    assert get(f"{line['functions']}/api/health", {"x-functions-key": line["function_key"]}) == 200
    assert get(f"{line['functions']}/api/health", {}) == 401
    assert get(groups, bearer, context) == 200
    assert get(groups, {}, context) == 401
    assert get(line["arm"]["control"], {}, context) == 200
    assert get(token, {"X-IDENTITY-HEADER": line["identity"]["header"]}) == 200
    assert get(token, {}) >= 400
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        get(groups, bearer)


def test_everything_listens_on_loopback_only(laptop: LaptopRun) -> None:
    """Every address of the line names 127.0.0.1."""
    line = laptop.line
    urls = [line["functions"], line["arm"]["endpoint"], line["identity"]["endpoint"]]

    assert {urlsplit(url).hostname for url in [*urls, line["git"]["url"]]} == {ports.LOOPBACK}


def test_storage_is_prepared(laptop: LaptopRun) -> None:
    """Containers, queues and the operator's configuration are there; no secret is in the latter."""
    connection = laptop.line["storage_connection_string"]
    with BlobServiceClient.from_connection_string(connection) as blobs:
        containers = {one.name for one in blobs.list_containers()}
        blob = blobs.get_blob_client("state", "plumbline.config.json")
        text = blob.download_blob().readall().decode()
    with QueueServiceClient.from_connection_string(connection) as queues:
        names = {one.name for one in queues.list_queues()}

    repository = json.loads(text)["repositories"]["example"]
    assert {"state", "history"} <= containers
    assert {
        f"plumbline-{name}" for name in ("sync", "release", "watch", "snapshot", "prune", "settle")
    } <= names
    assert repository["scopes"] == [f"/subscriptions/{laptop.line['subscription_id']}"]
    assert laptop.line["git"]["hook_secret"] not in text
    assert urlsplit(laptop.line["git"]["url"]).password not in text


def test_secrets_in_the_folder_are_the_owners_alone(laptop: LaptopRun) -> None:
    """Files that hold keys cannot be read by other users of the machine."""
    holders = [laptop.folder / "laptop.json", *(laptop.folder / "run").iterdir()]
    secret = laptop.line["git"]["hook_secret"]
    named = [one for one in holders if secret in one.read_text()]

    assert named
    assert [oct(stat.S_IMODE(one.stat().st_mode)) for one in named] == ["0o600"] * len(named)


@pytest.mark.parametrize("part", ["azurite", "arm", "git", "functions"])
def test_up_starts_only_what_a_kill_took(own: LaptopRun, part: str) -> None:
    """After SIGKILL of one process, ``up`` starts that one, on the same ports with the same keys."""
    before = own.up("--hosts", "1")
    victim = before["pids"][part]
    kill(victim[0] if part == "functions" else victim)
    seen = own.command("status", "--json")
    dead = [None] if part == "functions" else None
    assert (seen.returncode, json.loads(seen.stdout)["pids"][part]) == (1, dead)

    after = own.up()

    assert without_pids(after) == without_pids(before)
    assert after["pids"][part] != victim
    others = [name for name in before["pids"] if name != part]
    assert [after["pids"][name] for name in others] == [before["pids"][name] for name in others]
    url = f"{after['functions']}/api/stacks"
    assert get(url, {"x-functions-key": after["function_key"]}) == 200


def test_two_ups_at_once_start_one_laptop(own: LaptopRun) -> None:
    """Both print the same line, also when there is something to start."""
    kill(own.up()["pids"]["git"])
    command = [sys.executable, "-m", "local", "up", "--json", "--dir", str(own.folder)]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    lines = [json.loads(one.communicate(timeout=60)[0]) for one in both]

    assert lines[0] == lines[1]
    assert all(processes.runs(pid) for pid in pids_of(lines[0]))


def test_hosts_share_the_work_and_one_may_die(own: LaptopRun) -> None:
    """``--hosts 2`` adds a process; the functions answer while either one is dead."""
    one = own.up("--hosts", "1")
    two = own.up("--hosts", "2")
    key = {"x-functions-key": two["function_key"]}
    assert len(set(two["pids"]["functions"])) == 2
    assert without_pids(two) == without_pids(one)

    kill(two["pids"]["functions"][0])
    assert get(f"{two['functions']}/api/health", key) == 200
    mended = own.up()

    assert mended["pids"]["functions"][1] == two["pids"]["functions"][1]
    assert len(own.up("--hosts", "1")["pids"]["functions"]) == 1


def test_down_stops_everything_and_up_finds_the_state(own: LaptopRun) -> None:
    """After ``down`` nothing runs or listens; after ``up`` everything answers as before."""
    before = own.up()
    pids = pids_of(before)

    own.down()

    assert [pid for pid in pids if processes.runs(pid)] == []
    port = urlsplit(before["functions"]).port
    assert port is not None
    assert ports.is_free(port)
    assert own.command("status", "--json").returncode == 1
    assert own.command("down").returncode == 0
    assert without_pids(own.up()) == without_pids(before)


def test_a_foreign_process_on_a_port_is_reported_and_left_alone(own: LaptopRun) -> None:
    """What cannot start is named with the end of its log; the squatter lives."""
    line = own.up()
    own.down()
    port = str(urlsplit(line["git"]["url"]).port)
    squatter = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", ports.LOOPBACK, port],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        waiting.until(lambda: ports.is_answering(int(port)), limit_s=10, what="the squatter")
        done = own.command("up", "--json")

        assert done.returncode == 1
        assert "the Git server ended while it was starting" in done.stderr
        assert "in use" in done.stderr
        assert squatter.poll() is None
    finally:
        squatter.terminate()
        squatter.wait()
    own.up()


def test_deleting_the_folder_is_a_full_reset(tmp_path: Path) -> None:
    """A deleted folder takes everything along: other keys, other ids, and no process is left."""
    run = LaptopRun(tmp_path / "laptop")
    try:
        before = run.up("--no-example")
        shutil.rmtree(run.folder)
        after = run.up("--no-example")

        assert [pid for pid in pids_of(before) if processes.runs(pid)] == []
        for name in ("subscription_id", "function_key", "operator_key"):
            assert before[name] != after[name]
    finally:
        run.down()


def test_status_without_a_laptop_says_so(tmp_path: Path) -> None:
    """``status`` of an empty folder fails, prints nothing on standard output, and makes nothing."""
    run = LaptopRun(tmp_path / "nothing")

    done = run.command("status", "--json")

    assert (done.returncode, done.stdout) == (1, "")
    assert not run.folder.exists()


def test_a_damaged_folder_says_how_to_mend_it(tmp_path: Path) -> None:
    """A ``laptop.json`` that cannot be read ends in a sentence, not in a traceback."""
    (tmp_path / "laptop.json").write_text("{")

    done = LaptopRun(tmp_path).command("up")

    assert done.returncode == 1
    assert f"delete {tmp_path} to start afresh" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", [["--hosts", "0"], ["--max-polling", "0"], ["--hosts", "x"]])
def test_bad_options_are_refused(tmp_path: Path, option: list[str]) -> None:
    """An option out of range is refused before anything is made."""
    done = LaptopRun(tmp_path / "laptop").command("up", *option)

    assert done.returncode == 2
    assert option[0] in done.stderr
    assert not (tmp_path / "laptop").exists()


def test_the_core_tools_are_used_where_they_are(own: LaptopRun, tmp_path: Path) -> None:
    """With ``func`` on PATH, ``func start`` serves the functions, with the same app settings."""
    func = tmp_path / "func"
    func.write_text(
        f"#!{sys.executable}\n"
        "import http.server, os, sys\n"
        "class Health(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200)\n"
        "        self.end_headers()\n"
        "        self.wfile.write(os.environ['PlumblineStorage'].encode())\n"
        "assert sys.argv[1:3] == ['start', '--port'], sys.argv\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[3])), Health).serve_forever()\n"
    )
    func.chmod(0o755)
    kill(own.up()["pids"]["functions"][0])

    line = own.up(environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"})

    connection = http.client.HTTPConnection(urlsplit(line["functions"]).netloc, timeout=10)
    connection.request("GET", "/")
    assert connection.getresponse().read().decode() == line["storage_connection_string"]
    connection.close()
    kill(line["pids"]["functions"][0])
    own.up()
