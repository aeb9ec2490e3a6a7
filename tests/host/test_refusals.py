"""What only the host would notice is refused at start: what, where, and how to mend it."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.host import __main__ as command_line
from local.host import bindings, catalog, serve, wire
from local.host.problems import StartRefusedError
from local.host.web import Keys
from tests.host.running import SAMPLE, RunningHost, environment, refused

SETTINGS = {"Store": "x", "AzureWebJobsStorage": "x", "Q": "q-name"}
HTTP = {"type": "httpTrigger", "direction": "IN", "name": "req", "authLevel": "FUNCTION"}
ANSWER = {"type": "http", "direction": "OUT", "name": "$return"}
QUEUE = {"type": "queueTrigger", "direction": "IN", "name": "m", "connection": "Store"}
TIMER = {"type": "timerTrigger", "direction": "IN", "name": "t", "schedule": "0 * * * * *"}


def indexed(name: str, *bindings: dict[str, Any]) -> wire.IndexedFunction:
    """Return a function as the library would index it."""
    return wire.IndexedFunction(name, f"id-{name}", list(bindings))


def read(*functions: wire.IndexedFunction, **settings: str) -> list[bindings.Function]:
    """Read a catalog with the settings of this page."""
    return catalog.read_catalog(functions, {**SETTINGS, **settings}, "api")


def test_good_functions_are_read() -> None:
    """Names are resolved, defaults applied, levels and methods normalised."""
    http, queue, timer = read(
        indexed("h", {**HTTP, "methods": ["get"], "route": "a/{b}"}, ANSWER),
        indexed("q", {**QUEUE, "queueName": "%Q%"}),
        indexed("t", TIMER),
    )

    assert isinstance(http.trigger, bindings.HttpTrigger)
    assert http.trigger.template.text == "api/a/{b}"
    assert http.trigger.methods == {"GET"}
    assert http.trigger.level == "function"
    assert queue.trigger == bindings.QueueTrigger("m", "q-name", "Store")
    assert isinstance(timer.trigger, bindings.TimerTrigger)
    assert timer.trigger.use_monitor


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (indexed("f", {**TIMER, "schedule": "0 99 * * * *"}), "'99' is no minute"),
        (indexed("f", {**TIMER, "schedule": "%NONE%"}), "%NONE% refers to a setting"),
        (indexed("f", {**QUEUE, "queueName": "a_b"}), "'a_b' is no queue name"),
        (indexed("f", {**QUEUE, "queueName": "ab"}), "'ab' is no queue name"),
        (indexed("f", {**QUEUE, "queueName": "a--b"}), "'a--b' is no queue name"),
        (indexed("f", {**QUEUE, "queueName": "{x}"}), "'{x}' is no queue name"),
        (indexed("f", {**QUEUE, "queueName": "abc", "connection": "No"}), "no setting 'No'"),
        (indexed("f", {**HTTP, "route": "a/{b:what}"}), "constraint 'what' does not exist"),
        (indexed("f", {**HTTP, "authLevel": "ROYAL"}), "authLevel 'royal' is unknown"),
        (
            indexed("f", HTTP, {"type": "blob", "direction": "OUT", "name": "b", "path": "abc"}),
            "'abc' is no blob path",
        ),
        (
            indexed("f", HTTP, {"type": "blob", "direction": "IN", "name": "b", "path": "A/x"}),
            "'A' is no container name",
        ),
        (
            indexed("f", {"type": "blobTrigger", "direction": "IN", "name": "b"}),
            "binding type 'blobTrigger' with direction 'in' is not served here",
        ),
        (
            indexed("f", HTTP, {"type": "table", "direction": "OUT", "name": "x"}),
            "binding type 'table' with direction 'out' is not served here",
        ),
    ],
)
def test_refused(function: wire.IndexedFunction, what: str) -> None:
    """The problem names function and binding."""
    with pytest.raises(StartRefusedError) as caught:
        read(function)

    problem = caught.value.problems[0]
    assert problem.where.startswith("function f, binding ")
    assert what in problem.what
    assert problem.mend


@pytest.mark.parametrize(
    "binding",
    [
        {**TIMER, "schedule": "%NONE%"},
        {**QUEUE, "queueName": "%NONE%"},
        {"type": "blob", "direction": "OUT", "name": "b", "path": "%NONE%/x"},
    ],
)
def test_missing_setting_is_one_problem(binding: dict[str, Any]) -> None:
    """What follows from a missing setting is not told as well."""
    with pytest.raises(StartRefusedError) as caught:
        read(indexed("f", binding))

    assert [p.what.partition(": ")[2] for p in caught.value.problems] == [
        "%NONE% refers to a setting that is not there"
    ]


def test_reserved_route() -> None:
    """With an empty prefix a function cannot take the host's own paths."""
    function = indexed("f", {**HTTP, "route": "admin/x"})
    with pytest.raises(StartRefusedError, match="reserved"):
        catalog.read_catalog([function], SETTINGS, "")


@pytest.mark.parametrize(
    ("other", "clash"),
    [
        ({"route": "A/{other}"}, True),
        ({"route": "a/{x}", "methods": ["POST"]}, True),
        ({"route": "a/{x:int}"}, False),
        ({"route": "a/x"}, False),
    ],
)
def test_duplicate_routes(other: dict[str, Any], *, clash: bool) -> None:
    """Two functions that would answer the same requests are refused."""
    functions = [
        indexed("one", {**HTTP, "route": "a/{x}"}, ANSWER),
        indexed("two", {**HTTP, **other}, ANSWER),
    ]
    if not clash:
        assert len(read(*functions)) == 2
        return
    with pytest.raises(StartRefusedError, match="is also that of one"):
        read(*functions)


def test_one_route_two_methods() -> None:
    """GET and POST of one route may be two functions."""
    get, post = ({**HTTP, "route": "a", "methods": [method]} for method in ("GET", "POST"))

    assert len(read(indexed("one", get), indexed("two", post))) == 2


def test_duplicate_names() -> None:
    """Names that differ by case only would share settings and paths."""
    with pytest.raises(StartRefusedError, match="another function is called one"):
        read(indexed("one", TIMER), indexed("ONE", TIMER))


@pytest.mark.parametrize(
    ("settings", "connected"),
    [
        ({"Store": "x"}, True),
        ({"AzureWebJobsStore": "x"}, True),
        ({"Store__queueServiceUri": "https://x"}, True),
        ({"Store__accountName": "x"}, True),
        ({"Store__blobServiceUri": "https://x"}, False),
        ({"Store": ""}, False),
        ({}, False),
    ],
)
def test_connections(settings: dict[str, str], *, connected: bool) -> None:
    """A connection is a setting or a family of settings."""
    assert catalog.is_connected("Store", "queue", settings) is connected


@pytest.mark.parametrize(
    ("settings", "disabled"),
    [
        ({"AzureWebJobs.f.Disabled": "true"}, True),
        ({"AzureWebJobs.f.Disabled": "1"}, True),
        ({"AzureWebJobs_f_Disabled": "True"}, True),
        ({"AzureWebJobs.f.Disabled": "false"}, False),
        ({"AzureWebJobs.g.Disabled": "true"}, False),
    ],
)
def test_disabled(settings: dict[str, str], *, disabled: bool) -> None:
    """One setting turns one function off."""
    assert catalog.is_disabled("f", settings) is disabled


APP = """
import azure.functions as func
app = func.FunctionApp()
@app.queue_trigger(arg_name="m", queue_name="Bad_Name", connection="Nowhere")
def listens(m: func.QueueMessage) -> None: ...
@app.timer_trigger(arg_name="t", schedule="never")
def ticks(t: func.TimerRequest) -> None: ...
"""
BROKEN = """
import azure.functions as func
app = func.FunctionApp()
@app.timer_trigger(arg_name="t", schedule="0 * * * * *")
def ticks(other: func.TimerRequest) -> None: ...
"""


def app_in(folder: Path, source: str) -> Path:
    """Write an app and return its directory."""
    (folder / "function_app.py").write_text(source)
    (folder / "host.json").write_text(json.dumps({"version": "2.0"}))
    return folder


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            APP,
            [
                "function listens, binding m: 'bad_name' is no queue name",
                "there is no setting 'Nowhere'",
                "function ticks, binding t: schedule: 'never' has 1 fields",
                "Write six fields",
            ],
        ),
        (BROKEN, ["cannot load the ticks function", "declared in Python but not in the function"]),
        (
            "import os\nos._exit(7)\n",
            ["the worker ended while loading the app (exit code 7)", "An app must not exit"],
        ),
        ("import nowhere_at_all\n", ["No module named 'nowhere_at_all'", "function_app.py"]),
    ],
)
def test_program_refuses_to_start(tmp_path: Path, source: str, words: list[str]) -> None:
    """Exit code 2, nothing on stdout, all reasons on stderr; the library's own are shown."""
    said = refused(environment("UseDevelopmentStorage=true"), app_in(tmp_path, source))

    assert "The host cannot start:\n" in said
    for word in words:
        assert word in said


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (["--port", "70000"], "--port: 70000 is no port"),
        (["--lock-seconds", "5"], "--lock-seconds: 5 is out of range"),
        (["--lease-seconds", "0"], "--lease-seconds: 0 is out of range"),
        (["--hosts", "-1"], "--hosts: -1 is out of range"),
        (["--keys", "absent.json"], "absent.json: cannot be read as keys"),
    ],
)
def test_flags_out_of_range(flags: list[str], what: str) -> None:
    """The command line is checked before anything starts."""
    arguments = command_line.parser().parse_args([str(SAMPLE), *flags])
    with pytest.raises(StartRefusedError) as caught:
        command_line.options_of(arguments)

    assert what in str(caught.value)


def test_keys_are_made_up_and_shown_only_if_none_are_given(tmp_path: Path) -> None:
    """Who gave the keys does not need to read them in the output."""
    file = tmp_path / "keys.json"
    file.write_text('{"function": "f", "master": "m"}')
    parse = command_line.parser().parse_args
    given = command_line.options_of(parse([str(SAMPLE), "--keys", str(file)]))
    made = command_line.options_of(parse([str(SAMPLE), "--function-key", "f"]))

    assert given.keys == Keys("f", "m")
    assert serve.shown_keys(given) == {}
    assert made.keys.function == "f"
    assert len(made.keys.master) > 20
    assert serve.shown_keys(made)["master_key"] == made.keys.master


def test_taken_port_is_refused(host: RunningHost) -> None:
    """A second host does not join by mistake."""
    port = host.url.rpartition(":")[2]
    said = refused(environment("UseDevelopmentStorage=true"), None, "--port", port)

    assert f"port {port}" in said
    assert "Choose another --port" in said
