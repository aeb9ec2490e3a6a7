"""What survives: a closed simulator, a killed one, a torn journal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.arm.knobs import Knobs
from local.arm.server import Address, Endpoint, Settings, start
from local.arm.state.journal import Change, Journal, journal_name, line_of, snapshot_name
from local.arm.state.records import Group
from local.arm.state.store import Store
from local.arm.state.table import Table
from tests.arm.azure import API, Azure, clients, eventually, nested, plain, storage

ROOT = Path(__file__).parents[2]
KNOBS = {"retry_after": 0.02}


@contextmanager
def program(folder: Path, **more: Any) -> Iterator[tuple[Azure, subprocess.Popen[str]]]:
    """Run the simulator as a program, as `python -m local up` does."""
    command = [sys.executable, "-m", "local.arm", "--dir", str(folder), "--json"]
    command += ["--knobs", json.dumps({**KNOBS, **more})] if more else []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = json.loads(process.stdout.readline())
            identity = Endpoint(**line.pop("identity"))
            with clients(Address(**line, identity=identity)) as azure:
                yield azure, process
        finally:
            process.kill()


def test_the_program_prints_one_line_and_stops_on_sigterm(tmp_path: Path) -> None:
    """The JSON line holds all that a client needs; SIGTERM ends with exit code 0."""
    with program(tmp_path) as (azure, process):
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    assert code == 0
    assert azure.address.pid == process.pid
    assert azure.address.control == f"{azure.address.endpoint}/_control"


def test_a_killed_simulator_has_lost_nothing_it_acknowledged(tmp_path: Path) -> None:
    """After SIGKILL the running deployment goes on, and all else is there, secrets and all."""
    with program(tmp_path, deployment_seconds=2.0) as (azure, process):
        azure.group("rg-Shop")
        azure.begin(
            "d",
            [storage("stshop001", tags={"k": "[parameters('p')]"}), plain("s1")],
            "rg-Shop",
            parameters={
                "p": {"type": "securestring"},
                "at": {"type": "string", "defaultValue": "[newGuid()]"},
            },
            given={"p": {"value": "kept"}},
            tags={"release": "7"},
        )
        before = azure.deployments.deployments.get("rg-shop", "d")
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
    with program(tmp_path) as (again, _):
        eventually(
            lambda: bool(
                again.deployments.deployments.get("rg-shop", "d").properties.provisioning_state
                == "Succeeded"
            )
        )
        after = again.deployments.deployments.get("rg-shop", "d")
        account = again.resources.resources.get_by_id(
            f"{again.subscription}/resourceGroups/rg-shop/providers/Microsoft.Storage/storageAccounts/stshop001",
            api_version=API,
        )
        steps = list(again.deployments.deployment_operations.list("rg-shop", "d"))

    assert before.properties.provisioning_state in ("Accepted", "Running")
    assert after.tags == {"release": "7"}
    assert after.properties.correlation_id == before.properties.correlation_id
    assert after.properties.parameters == before.properties.parameters
    assert account.tags == {"k": "kept"}
    assert len(steps) == 2
    assert again.address.identity.header == azure.address.identity.header
    assert again.address.token == azure.address.token
    assert again.address.ca_file == azure.address.ca_file


def test_a_folder_opened_again_holds_its_state(tmp_path: Path) -> None:
    """Groups, resources with their etags, history, registrations and knobs; addresses if asked."""
    knobs = Knobs(retry_after=0.02, registered=[])
    with start(Settings(folder=tmp_path, knobs=knobs)) as address, clients(address) as azure:
        azure.resources.providers.register("Microsoft.Storage")
        group = azure.group()
        azure.deploy("d", [storage()]).result()
        path = f"{group}/providers/Microsoft.Storage/storageAccounts/stshop001?api-version={API}"
        before = azure.call("GET", path).body
        history = azure.call("GET", f"{group}/deployments/d/operations?api-version={API}").body
    with start(Settings(folder=tmp_path)) as address, clients(address) as again:
        state = again.resources.providers.get("Microsoft.Storage").registration_state
        other = again.resources.providers.get("Microsoft.Web").registration_state

        assert again.call("GET", path).body == before
        assert (
            again.call("GET", f"{group}/deployments/d/operations?api-version={API}").body == history
        )
        assert (state, other) == ("Registered", "NotRegistered")


def test_nested_work_is_taken_up_again_without_doing_it_twice(tmp_path: Path) -> None:
    """The parent finds its child half done: steps that succeeded are not repeated."""
    inner = nested("inner", [plain("slow")], dependsOn=["first"])
    knobs = Knobs(retry_after=0.02, resource_seconds=0.4)
    with start(Settings(folder=tmp_path, knobs=knobs)) as address, clients(address) as azure:
        group = azure.group()
        azure.begin("main", [plain("first"), inner])
        shelves = f"{group}/providers/Contoso.Shop/shelves"
        eventually(lambda: azure.call("GET", f"{shelves}/slow?api-version={API}").status == 200)
        first = azure.call("GET", f"{shelves}/first?api-version={API}").body["systemData"]
    with start(Settings(folder=tmp_path)) as address, clients(address) as again:
        eventually(
            lambda: bool(
                again.deployments.deployments.get("rg-shop", "main").properties.provisioning_state
                == "Succeeded"
            )
        )
        later = again.call("GET", f"{shelves}/first?api-version={API}").body["systemData"]
        child = again.deployments.deployments.get("rg-shop", "inner")

    assert child.properties.provisioning_state == "Succeeded"
    assert later == first


def test_a_torn_last_line_is_dropped(tmp_path: Path) -> None:
    """What was half written was never acknowledged; all around it counts, deletions too."""
    journal = opened(tmp_path)
    journal.append("groups", "a", b"1")
    journal.append("groups", "b", b"2")
    journal.append("groups", "a", None)
    journal.close()
    with (tmp_path / journal_name(0)).open("ab") as file:
        file.write(b'["groups","c",{"n"')
    again = opened(tmp_path)
    again.append("groups", "d", b"4")
    again.close()

    assert Journal(tmp_path).load() == {"groups": {"b": b"2", "d": b"4"}}


def opened(folder: Path) -> Journal:
    """Return a journal that is open for appending."""
    journal = Journal(folder)
    journal.load()
    return journal


def test_a_snapshot_takes_the_place_of_the_changes_before_it(tmp_path: Path) -> None:
    """What comes while it is written goes to the next journal, and both are the state."""
    journal = opened(tmp_path)
    journal.append("t", "a", b"1")
    told = threading.Event()

    def records() -> Iterator[Change]:
        assert told.wait(10)
        yield "t", "a", b"1"

    journal.compact(records())
    journal.append("t", "b", b"2")
    during = Journal(tmp_path).load()
    told.set()
    journal.close()

    assert during == {"t": {"a": b"1", "b": b"2"}}
    assert Journal(tmp_path).load() == during
    assert sorted(path.name for path in tmp_path.iterdir()) == [journal_name(1), snapshot_name(1)]


@pytest.mark.parametrize(
    "left",
    [
        {journal_name(0): "a", journal_name(1): "b", "arm-snapshot-000001.draft": "x"},
        {journal_name(0): "a", snapshot_name(1): "a", journal_name(1): "b"},
        {snapshot_name(1): "a", journal_name(1): "b"},
        {"arm-journal.jsonl": "a", journal_name(1): "b"},
    ],
    ids=["killed before the rename", "killed before the clean-up", "done", "of the first version"],
)
def test_a_kill_at_any_moment_of_a_snapshot_loses_nothing(
    tmp_path: Path, left: dict[str, str]
) -> None:
    """Every set of files that a killed snapshot can leave behind holds the whole state."""
    for name, key in left.items():
        (tmp_path / name).write_bytes(line_of("t", key, b"1"))

    assert Journal(tmp_path).load() == {"t": {"a": b"1", "b": b"1"}}


def test_old_changes_do_not_come_over_a_newer_snapshot(tmp_path: Path) -> None:
    """A journal that is older than the newest snapshot is not played again."""
    (tmp_path / journal_name(0)).write_bytes(line_of("t", "a", b"1"))
    (tmp_path / snapshot_name(1)).write_bytes(line_of("t", "a", b"2"))

    assert Journal(tmp_path).load() == {"t": {"a": b"2"}}


def test_a_long_journal_is_rewritten_beside_the_running_server(tmp_path: Path) -> None:
    """Writing one record again and again leaves one line, and nothing is lost."""
    store = Store(tmp_path)
    group = Group(subscription="s", name="g", location="l", tags={})
    for number in range(60_000):
        group.tags = {"n": str(number)}
        store.groups.put("/g", group)
        store.compact_if_long()
    store.close()
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    again = Store(tmp_path)
    found = again.groups.get("/G")
    again.close()

    assert found is not None
    assert found.tags == {"n": "59999"}
    assert size < 2_500_000


IDS = st.lists(
    st.sampled_from(["a", "B", "c-d", "c", "providers", "0"]), min_size=1, max_size=4
).map(lambda parts: "".join(f"/{part}" for part in parts))
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "below"]), IDS, st.integers(0, 99)), max_size=30
)


@given(steps=STEPS, prefix=IDS)
def test_a_table_lists_like_a_plain_dictionary(
    steps: list[tuple[str, str, int]], prefix: str
) -> None:
    """Whatever was put and deleted: get, below (oldest first) and values find the same."""
    plain_rows: dict[str, dict[str, int]] = {}
    tables = [
        Table("t", dict[str, int], Journal(None), packed=packed, tails=True)
        for packed in (True, False)
    ]
    for verb, place, number in steps:
        key, record = place.lower(), {"n": number}
        for table in tables:
            match verb:
                case "put":
                    table.put(place, record)
                case "delete":
                    table.delete(place)
                case _:
                    table.delete_below(place)
        match verb:
            case "put":
                plain_rows[key] = record
            case "delete":
                plain_rows.pop(key, None)
            case _:
                plain_rows = {k: v for k, v in plain_rows.items() if not k.startswith(key + "/")}

    start = prefix.lower() + "/"
    for table in tables:
        assert table.values() == list(plain_rows.values())
        assert table.below(prefix) == [v for k, v in plain_rows.items() if k.startswith(start)]
        assert list(table.view_below(prefix, bool)) == table.below(prefix)
        assert table.get(prefix.upper()) == plain_rows.get(prefix.lower())
        tail = prefix.lower().rpartition("/providers/")[2]
        assert len(table.of_tail(tail)) == sum(
            k.rpartition("/providers/")[2] == tail for k in plain_rows
        )


def test_a_packed_record_counts_only_once_it_is_put_back() -> None:
    """What a reader does to the record that it got does not change the table."""
    table = Table("t", dict[str, Any], Journal(None), packed=True)
    table.put("/a", {"n": 1})
    found = table.get("/a")
    assert found is not None
    found["n"] = 2

    assert table.get("/a") == {"n": 1}


def test_a_table_with_a_limit_forgets_the_oldest() -> None:
    """The newest stay, however often the others were written."""
    table = Table("t", dict[str, int], Journal(None), limit=2)
    for number in (1, 2, 1, 3):
        table.put(f"/{number}", {"n": number})

    assert table.values() == [{"n": 2}, {"n": 3}]


def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    """`start` raises what the server met."""
    with start() as address:
        port = int(address.endpoint.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), start(Settings(port=port)):
            pass
