"""What survives: a closed simulator, a killed one, a torn journal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.arm.knobs import Knobs
from local.arm.server import Address, Endpoint, Settings, start
from local.arm.state.journal import NAME, Journal
from tests.arm.azure import API, Azure, clients, eventually, plain, storage

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
    with program(tmp_path, deployment_seconds=1.0) as (azure, process):
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
    inner = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "inner",
        "dependsOn": ["first"],
        "properties": {
            "mode": "Incremental",
            "template": {
                "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
                "contentVersion": "1.0.0.0",
                "resources": [plain("slow")],
            },
        },
    }
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
    """What was half written was never acknowledged; all before it counts, deletions too."""
    journal = Journal(tmp_path)
    journal.rewrite([("groups", "a", {"n": 1})])
    journal.append("groups", "b", {"n": 2})
    journal.append("groups", "a", None)
    journal.close()
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'["groups","c",{"n"')
    found = Journal(tmp_path).load()

    assert {key: json.loads(bytes(raw)) for key, raw in found["groups"].items()} == {"b": {"n": 2}}


def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    """`start` raises what the server met."""
    with start() as address:
        port = int(address.endpoint.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), start(Settings(port=port)):
            pass
