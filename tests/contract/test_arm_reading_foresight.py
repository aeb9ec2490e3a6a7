"""What what-if's JSON and listings read as, when they are odd."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.arm import addresses, listing
from shared.adapters.arm.reading import Container, container
from shared.adapters.arm.whatif import read_prediction
from shared.core.prediction import Diagnostic, Prediction, PropertyChange, ResourceChange

VNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v"


def what_if(*changes: Any, **more: Any) -> Prediction:
    """Read a what-if that succeeded with these changes."""
    return read_prediction(
        {"status": "succeeded", "properties": {"changes": list(changes), **more}}
    )


def test_arms_own_example_is_read_whole() -> None:
    """Microsoft's example of a network: a tag that goes, a default, an array with both sides."""
    children = [
        {"path": "0", "propertyChangeType": "Delete", "before": "10.0.0.0/16"},
        {"path": "0", "propertyChangeType": "Create", "after": "10.0.0.0/15"},
        {
            "path": "1",
            "propertyChangeType": "Modify",
            "children": [{"path": "name", "propertyChangeType": "NoEffect", "after": "x"}],
        },
    ]
    delta = [
        {"path": "tags.Owner", "propertyChangeType": "Delete", "before": "Team A"},
        {"path": "properties.p", "propertyChangeType": "Array", "children": children},
    ]
    before: dict[str, Any] = {"tags": {"Owner": "Team A"}}
    after: dict[str, Any] = {"tags": {}}
    change = {"resourceId": VNET, "changeType": "Modify", "delta": delta}
    found = what_if(
        {**change, "before": before, "after": after},
        potentialChanges=[{"resourceId": VNET, "changeType": "Create", "after": after}],
        diagnostics=[{"level": "Warning", "code": "C", "message": "m", "target": "t"}],
        correlationId="c-1",
    )

    array = PropertyChange(
        "properties.p",
        "array",
        children=(
            PropertyChange("0", "delete", before="10.0.0.0/16"),
            PropertyChange("0", "create", after="10.0.0.0/15"),
            PropertyChange(
                "1", "modify", children=(PropertyChange("name", "no_effect", None, "x"),)
            ),
        ),
    )
    gone = PropertyChange("tags.Owner", "delete", before="Team A")
    assert found == Prediction(
        changes=(ResourceChange(VNET, "modify", before, after, (gone, array)),),
        potential=(ResourceChange(VNET, "create", after=after),),
        diagnostics=(Diagnostic("Warning", "C", "m", "t"),),
        correlation_id="c-1",
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        *(("Create", "create"), ("Delete", "delete"), ("Ignore", "ignore"), ("Modify", "modify")),
        *(("NoChange", "no_change"), ("nochange", "no_change"), ("Deploy", "deploy")),
        *(("Unsupported", "unsupported"), ("Detach", "unknown"), (None, "unknown"), (7, "unknown")),
    ],
)
def test_kinds_that_nobody_knows_are_unknown(kind: Any, expected: str) -> None:
    """What Azure brings next year is not taken for no change."""
    found = what_if({"resourceId": VNET, "changeType": kind})
    assert [change.kind for change in found.changes] == [expected]


@pytest.mark.parametrize("change", [{}, {"symbolicName": "x"}, {"resourceId": ""}])
def test_a_change_without_an_id_is_unknown(change: dict[str, Any]) -> None:
    """What an extension deploys has none: nothing can be told of it."""
    found = what_if({**change, "changeType": "NoChange"})
    assert [one.kind for one in found.changes] == ["unknown"]


def test_what_cannot_be_told_says_why() -> None:
    """An id that is an expression, and ARM's reason."""
    item = {
        "resourceId": "[guid()]",
        "changeType": "Unsupported",
        "before": "x",
        "unsupportedReason": "later",
    }
    assert what_if(item).changes == (ResourceChange("[guid()]", "unsupported", reason="later"),)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"status": "Failed", "error": {"code": "C", "message": "m"}}, "C"),
        ({"status": "failed", "error": {"error": {"code": "C", "message": "m"}}}, "C"),
        ({"status": "Failed"}, "WhatIfFailed"),
        ({"status": "Canceled", "properties": {"changes": []}}, "WhatIfFailed"),
        ({"status": "Succeeded", "properties": {"changes": []}, "error": {"code": "C"}}, "C"),
        ({"error": {"code": "C", "message": "m"}}, "C"),
    ],
)
def test_a_failure_is_never_a_success_without_changes(body: dict[str, Any], code: str) -> None:
    """T4: HTTP says 200 all the same."""
    found = read_prediction(body)
    assert found.error is not None
    assert found.error["code"] == code


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("status", "properties", "changes", "potentialChanges", "diagnostics"),
                    *("error", "code", "resourceId", "changeType", "delta", "children", "path"),
                    *("before", "after", "value", "nextLink", "id", "type", "changedTime"),
                    *("resourceTypes", "resourceType", "apiVersions"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["properties", "error", "value", "nextLink"]), SHAPES),
    st.sampled_from(["Succeeded", "Failed", "Running", None]),
)
def test_any_body_is_read_or_is_unreadable(body: dict[str, Any], status: str | None) -> None:
    """Nothing else can come of it; and each thing that was listed is there afterwards."""
    try:
        found = read_prediction({**body, "status": status})
        assert found.error is not None or len(found.changes) == len(body["properties"]["changes"])
    except ValueError:
        pass
    try:
        page = listing.read_sightings(body, Container("s"), None)
        assert len(page.sightings) == len(body["value"])
    except ValueError:
        pass


@settings(deadline=None)
@given(SHAPES)
def test_any_provider_is_read_or_is_unreadable(types: Any) -> None:
    """Odd types are left out: a version of theirs is not known."""
    try:
        listing.read_versions({"resourceTypes": types})
    except ValueError:
        assert not isinstance(types, list)


def test_scopes_of_listings() -> None:
    """Subscriptions and groups; anything else is a defect."""
    assert container("/subscriptions/s") == Container("s")
    assert container("/SUBSCRIPTIONS/s/resourcegroups/rg (x)/") == Container("s", "rg (x)")
    for wrong in ("", "/", VNET, "/subscriptions/s/resourceGroups", "s"):
        with pytest.raises(ValueError, match="not the id"):
            container(wrong)


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["", "/subscriptions/s", "/operationresults/x", "//"]))
def test_no_address_leaves_its_place(text: str, prefix: str) -> None:
    """Whatever is accepted is one absolute path of the same host, without steps upwards."""
    address = prefix + text
    try:
        addresses.what_if(address)
    except ValueError:
        return
    path = address.partition("?")[0]
    assert path.startswith("/subscriptions/")
    assert "//" not in path
    assert not {"..", "."} & set(path.split("/"))
    assert not set(address) & set("\\#{} \r\n\t")
