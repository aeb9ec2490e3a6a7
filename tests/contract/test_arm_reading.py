"""What ARM's JSON reads as, when it is odd: ids, times, durations, states, operations."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.arm import reading

SUBSCRIPTION = "/subscriptions/s"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg (x)"
KIND = "/providers/Microsoft.Resources/deployments/"


@pytest.mark.parametrize(
    ("given_id", "expected"),
    [
        (f"{GROUP}{KIND}d", (GROUP, "s", "rg (x)", "d")),
        (f"{SUBSCRIPTION}{KIND}d", (SUBSCRIPTION, "s", None, "d")),
        (f"{GROUP}{KIND}d".lower(), (GROUP.lower(), "s", "rg (x)", "d")),
        (
            f"/providers/Microsoft.Management/managementGroups/m{KIND}d",
            ("/providers/Microsoft.Management/managementGroups/m", None, None, "d"),
        ),
        (f"{KIND}d", ("", None, None, "d")),
    ],
)
def test_deployment_ids(given_id: str, expected: tuple[str | None, ...]) -> None:
    """Every scope that a deployment can have, in any casing."""
    at = reading.deployment_name(given_id)
    assert (at.scope, at.subscription, at.group, at.name) == expected


@pytest.mark.parametrize(
    "wrong", ["", "x", GROUP, f"{GROUP}{KIND}", f"{GROUP}{KIND}a/b", f"{GROUP}{KIND}d/"]
)
def test_other_ids_are_a_defect(wrong: str) -> None:
    """What is no deployment's id never becomes a request."""
    with pytest.raises(ValueError, match="not the id of a deployment"):
        reading.deployment_name(wrong)


def test_group_ids() -> None:
    """A group's id is taken apart; anything else is a defect."""
    assert reading.group_name(f"{GROUP}/") == ("s", "rg (x)")
    with pytest.raises(ValueError, match="not the id of a resource group"):
        reading.group_name(SUBSCRIPTION)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT27.07S", 27.07),
        ("PT0S", 0.0),
        ("PT1M2.5S", 62.5),
        ("P1DT2H", 93_600.0),
        ("P1W", 604_800.0),
        ("-PT5S", -5.0),
        ("PT", None),
        ("P", None),
        ("27", None),
        ("PT1.2.3S", None),
        ("", None),
        (None, None),
    ],
)
def test_durations(text: str | None, expected: float | None) -> None:
    """ISO 8601 durations as ARM writes them, and what is none."""
    assert reading.seconds(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-07T08:00:00.1234567Z", datetime(2026, 10, 7, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2026-10-07T08:00:00Z", datetime(2026, 10, 7, 8, tzinfo=UTC)),
        ("2026-10-07T10:00:00+02:00", datetime(2026, 10, 7, 8, tzinfo=UTC)),
        ("2026-10-07T08:00:00", datetime(2026, 10, 7, 8, tzinfo=UTC)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_moments(text: str | None, expected: datetime | None) -> None:
    """Seven decimals, other zones, and what is no time."""
    assert reading.moment(text) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        *(("Succeeded", "succeeded"), ("failed", "failed"), ("CANCELED", "canceled")),
        *(("Accepted", "running"), ("Running", "running"), ("Deleting", "running")),
        *(("SomethingNew", "running"), (None, "running")),
    ],
)
def test_states_are_folded(state: str | None, expected: str) -> None:
    """Only three states are an end; a word that nobody knows is not."""
    found = reading.read_deployment({"properties": {"provisioningState": state}}, "asked")
    assert (found.state, found.id) == (expected, "asked")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"error": {"code": "C", "message": "m"}}, {"code": "C", "message": "m"}),
        (
            {"status": "Failed", "error": {"code": "C", "message": "m"}},
            {"code": "C", "message": "m"},
        ),
        ("plain text", {"code": "", "message": "plain text"}),
        ("", None),
        ({"status": "OK"}, None),
        ({"id": "x", "properties": {}}, None),
        (None, None),
    ],
)
def test_status_messages(message: Any, expected: Any) -> None:
    """A failed operation's error in every form; a success has none."""
    assert reading.read_operation({"properties": {"statusMessage": message}}, "d").error == expected


@pytest.mark.parametrize(
    ("kind", "resource_type", "resource_id", "expected"),
    [
        ("Create", "Microsoft.Resources/deployments", f"{GROUP}{KIND}n", f"{GROUP}{KIND}n"),
        ("create", "MICROSOFT.RESOURCES/DEPLOYMENTS", f"{GROUP}{KIND}n", f"{GROUP}{KIND}n"),
        ("Read", "Microsoft.Resources/deployments", f"{GROUP}{KIND}n", None),
        ("Create", "Microsoft.Web/sites", f"{GROUP}/providers/Microsoft.Web/sites/s", None),
        ("Create", "Microsoft.Resources/deployments", "odd", None),
        ("Create", "Microsoft.Resources/deployments", None, None),
    ],
)
def test_nested_deployments(
    kind: str, resource_type: str, resource_id: str | None, expected: str | None
) -> None:
    """Only a deployment that this one created is its own; one that it read is somebody else's."""
    target = {"id": resource_id, "resourceType": resource_type}
    body = {"properties": {"provisioningOperation": kind, "targetResource": target}}
    assert reading.nested_deployment(reading.read_operation(body, "d")) == expected


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "tags", "properties", "location"]),
        st.one_of(
            st.none(),
            st.integers(),
            st.text(),
            st.lists(st.integers()),
            st.dictionaries(st.text(), st.text()),
        ),
    )
)
def test_any_body_is_read(body: dict[str, Any]) -> None:
    """Whatever comes is read as a deployment, or as an operation, without an error."""
    reading.read_deployment(body, "d")
    reading.read_operation(body, "d")


@settings(deadline=None)
@given(st.text(max_size=30))
def test_quoted_ids_are_one_path(name: str) -> None:
    """No name can add a query, a fragment or leave its place."""
    quoted = reading.quoted_id(f"/subscriptions/s/x/{name}")
    assert not set(quoted) & set("?# {}\\")
