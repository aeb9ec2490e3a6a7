"""host.json and local.settings.json: what is read, what is refused and with which words."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.host import configuration
from local.host.problems import StartRefusedError

FULL = {
    "version": "2.0",
    "id": "shop",
    "functionTimeout": "1.00:10:00",
    "extensions": {
        "http": {"routePrefix": "/v1/", "maxOutstandingRequests": 7},
        "queues": {
            "batchSize": 8,
            "maxDequeueCount": 10,
            "visibilityTimeout": "00:00:30",
            "maxPollingInterval": "00:00:00.2",
            "messageEncoding": "None",
        },
    },
    "singleton": {"listenerLockPeriod": "00:00:15"},
    "logging": {"logLevel": {"default": "Warning", "Function": "debug"}},
}


def test_everything_is_read() -> None:
    """Values arrive in seconds and numbers; what is missing has Azure's defaults."""
    read = configuration.host_configuration(FULL, "unused")

    assert read.host_id == "shop"
    assert read.route_prefix == "v1"
    assert read.max_outstanding_requests == 7
    assert read.timeout_s == 87000
    assert read.queues == configuration.QueueOptions(8, 4, 10, 30.0, 0.2, base64=False)
    assert read.singleton == configuration.SingletonOptions(15.0, 60.0)
    assert read.log_levels == {"default": 30, "Function": 10}


def test_defaults() -> None:
    """The shortest file is enough."""
    read = configuration.host_configuration({"version": "2.0"}, "local-x")

    assert read == configuration.HostConfiguration("local-x")
    assert read.queues == configuration.QueueOptions(16, 8, 5, 0.0, 2.0, base64=True)


def test_no_timeout() -> None:
    """-1 means for ever."""
    document = {"version": "2.0", "functionTimeout": "-1"}

    assert configuration.host_configuration(document, "x").timeout_s is None


def queues(**values: Any) -> dict[str, Any]:
    """Return a host.json with these queue settings."""
    return {"version": "2.0", "extensions": {"queues": values}}


@pytest.mark.parametrize(
    ("document", "where", "what"),
    [
        ([], "host.json", "is not an object"),
        ({}, "host.json version", '"" is out of range'),
        ({"version": "1.0"}, "host.json version", '"1.0" is out of range'),
        ({"version": 2}, "host.json version", "2 is out of range"),
        ({"version": "2.0", "id": "A_b"}, "host.json id", "out of range"),
        ({"version": "2.0", "functionTimeout": "5 min"}, "functionTimeout", "not a time span"),
        ({"version": "2.0", "functionTimeout": "00:00:00"}, "functionTimeout", "out of range"),
        ({"version": "2.0", "extensions": 5}, "host.json extensions", "is not an object"),
        (queues(batchSize=0), "extensions.queues.batchSize", "0 is out of range"),
        (queues(batchSize=33), "extensions.queues.batchSize", "33 is out of range"),
        (queues(batchSize=True), "extensions.queues.batchSize", "true is out of range"),
        (queues(newBatchThreshold=-1), "newBatchThreshold", "-1 is out of range"),
        (queues(maxDequeueCount="5"), "maxDequeueCount", '"5" is out of range'),
        (queues(visibilityTimeout="8.00:00:00"), "visibilityTimeout", "out of range"),
        (queues(maxPollingInterval=200), "maxPollingInterval", "200 is not a time span"),
        (queues(maxPollingInterval="00:00:00.05"), "maxPollingInterval", "out of range"),
        (queues(messageEncoding="hex"), "messageEncoding", '"hex" is out of range'),
        (
            {"version": "2.0", "singleton": {"listenerLockPeriod": "00:02:00"}},
            "singleton.listenerLockPeriod",
            "out of range",
        ),
        (
            {"version": "2.0", "logging": {"logLevel": {"Host": "Loud"}}},
            "logging.logLevel.Host",
            '"Loud" is out of range',
        ),
        (
            {"version": "2.0", "extensions": {"http": {"routePrefix": "{x}"}}},
            "extensions.http.routePrefix",
            "out of range",
        ),
    ],
)
def test_refused(document: Any, where: str, what: str) -> None:
    """Each problem names the place, the value and the cure."""
    with pytest.raises(StartRefusedError) as caught:
        configuration.host_configuration(document, "x")

    problem = caught.value.problems[0]
    assert where in problem.where
    assert what in problem.what
    assert problem.mend


def test_all_problems_are_told_at_once() -> None:
    """One start shows everything that is wrong."""
    document = {
        "version": "3",
        "extensions": {"queues": {"batchSize": 0, "maxDequeueCount": 0}},
    }
    with pytest.raises(StartRefusedError) as caught:
        configuration.host_configuration(document, "x")

    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("content", "what"), [(None, "there is no host.json"), ("{,}", "not JSON: Expecting")]
)
def test_file_that_cannot_be_read(tmp_path: Path, content: str | None, what: str) -> None:
    """A missing file and one that is not JSON are told apart."""
    if content is not None:
        (tmp_path / "host.json").write_text(content)
    with pytest.raises(StartRefusedError, match=what):
        configuration.read_host_json(tmp_path, {})


def test_settings_override_host_json(tmp_path: Path) -> None:
    """AzureFunctionsJobHost__path__name wins, and creates what is not there."""
    (tmp_path / "host.json").write_text(json.dumps(queues(batchSize=4)))
    settings = {
        "AzureFunctionsJobHost__extensions__queues__BATCHSIZE": "9",
        "AzureFunctionsJobHost__functionTimeout": "00:00:07",
        "AzureFunctionsJobHost__logging__logLevel__default": "Error",
    }
    read = configuration.read_host_json(tmp_path, settings)

    assert read.queues.batch_size == 9
    assert read.timeout_s == 7
    assert read.log_levels == {"default": 40}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "not JSON"),
        ("[]", "Values cannot be read"),
        ('{"IsEncrypted": true, "Values": {}}', "Values cannot be read"),
        ('{"Values": {"A": 1}}', "Values must be text: A"),
    ],
)
def test_local_settings_refused(tmp_path: Path, content: str, what: str) -> None:
    """A settings file that cannot be used is named."""
    (tmp_path / "local.settings.json").write_text(content)
    with pytest.raises(StartRefusedError, match=what):
        configuration.read_local_settings(tmp_path)


def test_environment_wins_over_local_settings(tmp_path: Path) -> None:
    """As under `func`; and the variable that means Azure is taken away."""
    (tmp_path / "local.settings.json").write_text('{"Values": {"A": "file", "B": "file"}}')
    local = configuration.read_local_settings(tmp_path)
    settings = configuration.app_settings(local, {"A": "environment", "CONTAINER_NAME": "x"})

    assert settings["A"] == "environment"
    assert settings["B"] == "file"
    assert "CONTAINER_NAME" not in settings
