"""What is taken of an entry of the Activity Log, and what never is."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.adapters.arm.activity_reading import of_event, of_row
from tests.contract.activity_worlds import ACCOUNT, ANN, GROUP

CANARY = "claim-canary-77"
APP = "99999999-0000-0000-0000-00000000000a"
OBJECT = "99999999-0000-0000-0000-00000000000b"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
EVENT = {
    "eventDataId": "e1",
    "resourceId": f"{ACCOUNT}/",
    "operationName": {"value": "Microsoft.Storage/storageAccounts/write", "localizedValue": "x"},
    "status": {"value": "Succeeded"},
    "eventTimestamp": "2026-05-04T10:00:00.1234567Z",
    "submissionTimestamp": "2026-05-04T10:02:00Z",
    "correlationId": "c1",
    "caller": OBJECT,
    "claims": {"appid": APP, "ipaddr": CANARY, "name": "Ann", UPN: ANN, "groups": CANARY},
    "authorization": {"scope": CANARY},
    "properties": {"requestbody": CANARY},
}


def test_of_the_claims_only_name_and_client_are_taken() -> None:
    """A name rather than an object's id; neither addresses nor groups, scopes or bodies."""
    write = of_event(EVENT)

    assert write is not None
    assert CANARY not in repr(write)
    assert (write.caller, write.client, write.correlation_id) == (ANN, APP, "c1")
    assert (write.id, write.resource_id) == ("e1", ACCOUNT)
    assert write.at == datetime(2026, 5, 4, 10, 0, 0, 123456, tzinfo=UTC)
    assert write.seen_at == datetime(2026, 5, 4, 10, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "caller"),
    [
        ({"claims": {"name": "Ann"}}, "Ann"),
        ({"claims": None}, OBJECT),
        ({"caller": None, "claims": {}}, None),
        ({"caller": "  two\nlines  " + "x" * 999}, ("two lines " + "x" * 999)[:256]),
        ({"caller": 5, "claims": [5]}, None),
    ],
)
def test_who_it_was_is_told_as_well_as_it_goes(changed: Any, caller: str | None) -> None:
    """An object's id is better than nobody, and an answer of another shape is nobody."""
    write = of_event(EVENT | changed)

    assert write is not None
    assert write.caller == caller


@pytest.mark.parametrize(
    "changed",
    [
        {"status": {"value": "Started"}},
        {"status": "Failed"},
        {"status": None},
        {"eventDataId": ""},
        {"resourceId": None},
        {"resourceId": "nowhere"},
        {"eventTimestamp": "yesterday"},
        {"eventTimestamp": 5},
        {"operationName": {"value": "Microsoft.Web/sites/restart/action"}},
        {"operationName": []},
    ],
)
def test_what_is_no_finished_change_is_nothing(changed: Any) -> None:
    """Whatever an entry lacks, it breaks nothing."""
    assert of_event(EVENT | changed) is None


def test_a_row_gets_the_spelling_of_arm_where_it_is_the_same() -> None:
    """A workspace has capitals and small letters; another scope is not taken for the resource."""
    row = {
        "Id": "e1",
        "Resource": ACCOUNT.lower(),
        "Operation": "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE",
        "At": datetime(2026, 5, 4, tzinfo=UTC),
        "SeenAt": datetime(2026, 5, 4, tzinfo=UTC),
        "Action": "Microsoft.Storage/storageAccounts/write",
        "Scope": ACCOUNT,
    }
    same, other = of_row(row), of_row(row | {"Scope": GROUP, "Action": None})

    assert same is not None
    assert other is not None
    assert (same.resource_id, same.operation) == (ACCOUNT, row["Action"])
    assert (other.resource_id, other.operation) == (ACCOUNT.lower(), row["Operation"])
