"""Errors of storage: the class, reason and hint of each answer, how often it is asked, no secret."""

import logging
import traceback
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest

from shared.adapters import storage_connection
from shared.adapters.blobs import BlobDocuments, BlobHistory
from shared.adapters.queues import StorageQueues
from shared.adapters.storage_connection import StorageConnection
from shared.core.errors import PlumblineError, Stalled, Transient
from shared.core.secret import Secret
from shared.ports import ChangedError, ExistsError, PoisonMessage
from shared.settings import StorageSettings
from tests.adapters.storage_scripted import Answer, ScriptedStorage, scripted_storage
from tests.fakes.system import FakeIds

CANARY = "c4n4rysignature0123456789"
BLOB_ROLE, QUEUE_ROLE = "Storage Blob Data Contributor", "Storage Queue Data Contributor"


class _Storage:
    """All three adapters on one scripted service."""

    def __init__(self, server: ScriptedStorage) -> None:
        self.server = server
        settings = StorageSettings(connection_string=Secret(server.connection_string(CANARY)))
        self.connection = StorageConnection(settings)
        self.documents = BlobDocuments(self.connection, FakeIds())
        self.history = BlobHistory(self.connection, FakeIds())
        self.queues = StorageQueues(self.connection)


@pytest.fixture(scope="module")
def served() -> Iterator[_Storage]:
    """Serve and connect, without the waits between repeated reads."""
    with pytest.MonkeyPatch.context() as patch, scripted_storage() as server:
        patch.setattr(storage_connection, "RETRY_WAIT_S", (0.0, 0.01))
        made = _Storage(server)
        yield made
        made.connection.close()


@pytest.fixture
def storage(served: _Storage) -> _Storage:
    """Start a new script."""
    served.server.answers.clear()
    served.server.requests.clear()
    return served


POISON = PoisonMessage("sync", "m1", "r1", b"", 1, None)
CALLS: dict[str, Callable[[_Storage], object]] = {
    "read": lambda s: s.documents.read("n"),
    "list": lambda s: list(s.documents.list("n")),
    "create": lambda s: s.documents.create("n", b"1", {}),
    "replace": lambda s: s.documents.replace("n", b"1", '"0x1"', {}),
    "delete": lambda s: s.documents.delete("n"),
    "put": lambda s: s.history.put("n", b"1"),
    "read history": lambda s: s.history.read("n"),
    "list history": lambda s: list(s.history.list("n")),
    "send": lambda s: s.queues.send("sync", b"1"),
    "length": lambda s: s.queues.length("sync"),
    "poisoned": lambda s: s.queues.poisoned("sync"),
    "discard": lambda s: s.queues.discard(POISON),
    "ensure blobs": lambda s: s.documents.ensure(),
    "ensure queues": lambda s: s.queues.ensure(["sync"]),
}
READS = {"read", "list", "read history", "list history"}
ALL_CALLS = pytest.mark.parametrize("call", sorted(CALLS))


def raised_by(storage: _Storage, call: str, *answers: Answer) -> PlumblineError:
    """Return the error that a call raises on these answers."""
    storage.server.answers.extend(answers)
    with pytest.raises(PlumblineError) as raised:
        CALLS[call](storage)
    return raised.value


@ALL_CALLS
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (408, "OperationTimedOut"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (500, "OperationTimedOut"),
        (502, None),
        (503, "ServerBusy"),
        (504, None),
        (409, "AccountBeingCreated"),
    ],
)
def test_hiccup_is_transient(storage: _Storage, call: str, status: int, code: str | None) -> None:
    """Each call says Transient when storage is not well."""
    error = raised_by(storage, call, Answer(status, code))

    assert isinstance(error, Transient)
    assert error.reason == "StorageBusy"
    assert error.retry_after_s is None
    assert str(status) in error.message


@ALL_CALLS
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "NoAuthenticationInformation"),
        (403, "AuthorizationPermissionMismatch"),
        (403, "AuthenticationFailed"),
        (403, "AuthorizationFailure"),
        (403, "AccountIsDisabled"),
    ],
)
def test_refusal_stalls_and_names_the_role(
    storage: _Storage, call: str, status: int, code: str
) -> None:
    """A person reads which role to give, and storage's own code."""
    error = raised_by(storage, call, Answer(status, code))

    assert isinstance(error, Stalled)
    assert error.reason == "StorageRefused"
    assert code in error.message
    queues = call in ("send", "length", "poisoned", "discard", "ensure queues")
    assert (QUEUE_ROLE if queues else BLOB_ROLE) in (error.hint or "")
    assert error.detail == {
        "status": status,
        "code": code,
        "request_id": "11111111-2222-3333-4444-555555555555",
    }
    assert len(storage.server.requests) == 1


@pytest.mark.parametrize(
    ("call", "answer", "reason"),
    [
        ("read", Answer(404, "ContainerNotFound"), "StorageContainerMissing"),
        ("list", Answer(404, "ContainerNotFound"), "StorageContainerMissing"),
        ("replace", Answer(404, "ContainerNotFound"), "StorageContainerMissing"),
        ("put", Answer(404, "ContainerNotFound"), "StorageContainerMissing"),
        ("replace", Answer(412, "LeaseIdMissing"), "StorageBlobLeased"),
        ("delete", Answer(412, "LeaseIdMissing"), "StorageBlobLeased"),
        ("create", Answer(400, "InvalidMetadata"), "StorageRejected"),
        ("read", Answer(400, "InvalidUri"), "StorageRejected"),
        ("send", Answer(400, "OutOfRangeInput"), "StorageRejected"),
        ("send", Answer(413, "RequestBodyTooLarge"), "StorageRejected"),
        ("read", Answer(404, None), "StorageRejected"),
    ],
)
def test_what_a_person_must_mend_stalls(
    storage: _Storage, call: str, answer: Answer, reason: str
) -> None:
    """Other refusals are told apart by their codes, and each has a hint."""
    error = raised_by(storage, call, answer)

    assert isinstance(error, Stalled)
    assert error.reason == reason
    assert error.hint


@pytest.mark.parametrize(
    ("call", "answer", "error"),
    [
        ("create", Answer(409, "BlobAlreadyExists"), ExistsError),
        ("create", Answer(412, "ConditionNotMet"), ExistsError),
        ("create", Answer(409, "BlobImmutableDueToPolicy"), ExistsError),
        ("replace", Answer(412, "ConditionNotMet"), ChangedError),
        ("replace", Answer(404, "BlobNotFound"), ChangedError),
    ],
)
def test_broken_condition_is_the_ports_own_error(
    storage: _Storage, call: str, answer: Answer, error: type[Exception]
) -> None:
    """What flows handle themselves is no PlumblineError."""
    storage.server.answers.append(answer)

    with pytest.raises(error):
        CALLS[call](storage)


@pytest.mark.parametrize(
    ("call", "answer", "result"),
    [
        ("read", Answer(404, "BlobNotFound"), None),
        ("read history", Answer(404, "BlobNotFound"), None),
        ("delete", Answer(404, "BlobNotFound"), None),
        ("put", Answer(409, "BlobImmutableDueToPolicy"), False),
        ("poisoned", Answer(404, "QueueNotFound"), []),
        ("length", Answer(404, "QueueNotFound"), 0),
        ("discard", Answer(404, "MessageNotFound"), None),
        ("discard", Answer(404, "QueueNotFound"), None),
        ("discard", Answer(400, "PopReceiptMismatch"), None),
        ("ensure blobs", Answer(409, "ContainerAlreadyExists"), None),
        ("ensure queues", Answer(409, "QueueAlreadyExists"), None),
        ("ensure queues", Answer(204, "QueueAlreadyExists"), None),
    ],
)
def test_absence_is_an_answer(storage: _Storage, call: str, answer: Answer, result: object) -> None:
    """What the contract calls no error is none."""
    storage.server.answers.append(answer)

    assert CALLS[call](storage) == result


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "999999999"}, 999999999.0),
        ({"Retry-After": formatdate(4000000000, usegmt=True)}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-1"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_handed_on(
    storage: _Storage, headers: dict[str, str], seconds: float | None
) -> None:
    """Storage's own word is kept, nonsense is not; a write is then not repeated at once."""
    error = raised_by(storage, "create", Answer(503, "ServerBusy", headers))

    assert isinstance(error, Transient)
    if seconds is not None or not headers.get("Retry-After", "").endswith("GMT"):
        assert error.retry_after_s == seconds
    else:
        # A date counts from the answer's own Date header.
        assert error.retry_after_s is not None
        assert error.retry_after_s > 10**9
    assert len(storage.server.requests) == (1 if error.retry_after_s is not None else 2)


@pytest.mark.parametrize(
    ("call", "requests"),
    [
        ("read", 3),
        ("list", 3),
        ("create", 2),
        ("replace", 2),
        ("put", 2),
        ("delete", 1),
        ("send", 2),
    ],
)
def test_calls_are_repeated_a_few_times_only(storage: _Storage, call: str, requests: int) -> None:
    """Reads three times, conditional writes twice with the nonce, deletes once."""
    raised_by(storage, call, Answer(500, "InternalError"))

    assert len(storage.server.requests) == requests


def test_nobody_listens() -> None:
    """No answer at all is Transient, and says what the operating system said."""
    settings = StorageSettings(
        connection_string=Secret(
            "BlobEndpoint=http://127.0.0.1:1/acc;QueueEndpoint=http://127.0.0.1:1/acc;"
            f"SharedAccessSignature=sv=2024-11-04&sig={CANARY}"
        )
    )
    connection = StorageConnection(settings)

    with pytest.raises(Transient) as raised:
        BlobDocuments(connection, FakeIds()).create("n", b"1", {})
    connection.close()

    assert raised.value.reason == "StorageUnreachable"
    assert "Connection refused" in raised.value.message
    assert CANARY not in everything(raised.value)


@ALL_CALLS
@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "AuthenticationFailed"), (500, "InternalError"), (400, "InvalidInput")],
)
def test_no_secret_in_errors_and_logs(
    storage: _Storage, caplog: pytest.LogCaptureFixture, call: str, status: int, code: str
) -> None:
    """A SAS signature, and what storage says about it, appear nowhere, whatever the log level."""
    with caplog.at_level(logging.DEBUG):
        error = raised_by(storage, call, Answer(status, code, secret=CANARY))

    assert CANARY not in everything(error)
    assert CANARY not in caplog.text
    assert [r for r in caplog.records if r.name.startswith(("azure", "urllib3"))] == []


def everything(error: PlumblineError) -> str:
    """Return all that a log could write of an error."""
    shown = "".join(traceback.format_exception(error))
    return f"{shown} {error!r} {error.hint} {getattr(error, 'detail', None)}"
