"""What the storage adapters do when a reply is lost: Azurite carries out, the network forgets."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.adapters.blobs import BlobDocuments, BlobHistory
from shared.core.errors import Transient
from shared.ports import ChangedError, ExistsError
from tests.conftest import Azurite
from tests.contract import storage_azurite
from tests.contract.storage_transport import LossyTransport

NAME = "stacks/shop.web/record.json"


@dataclass
class Net:
    """Adapters over a transport that can lose, and documents of somebody else with a good one."""

    transport: LossyTransport
    documents: BlobDocuments
    history: BlobHistory
    queues: storage_azurite.AzuriteQueues
    other: BlobDocuments


@pytest.fixture
def net(azurite: Azurite) -> Iterator[Net]:
    """Connect twice to the same containers."""
    transport = LossyTransport()
    container = storage_azurite.unique("state-")
    with (
        storage_azurite.connected(azurite.connection_string, transport) as lossy,
        storage_azurite.connected(azurite.connection_string) as good,
    ):
        other = storage_azurite.documents(good, container)
        made = Net(
            transport,
            storage_azurite.documents(lossy, container),
            storage_azurite.history(lossy),
            storage_azurite.AzuriteQueues(lossy),
            other,
        )
        transport.sent.clear()
        yield made


def test_create_whose_reply_is_lost_is_recognised_as_our_own(net: Net) -> None:
    """The repeated create meets the first one's blob, and knows it by its nonce."""
    net.transport.fates.append("lose reply")

    version = net.documents.create(NAME, b"mine", {"n": "1"})

    stored = net.other.read(NAME)
    assert stored is not None
    assert (stored.data, stored.etag) == (b"mine", version.etag)
    assert net.transport.sent == ["PUT", "PUT", "HEAD"]


def test_create_that_never_arrived_is_repeated(net: Net) -> None:
    """A stale connection costs a round trip, not a minute."""
    net.transport.fates.append("lose request")

    version = net.documents.create(NAME, b"mine", {})

    stored = net.other.read(NAME)
    assert stored is not None
    assert stored.etag == version.etag
    assert net.transport.sent == ["PUT", "PUT"]


def test_create_never_takes_anothers_equal_document_for_its_own(net: Net) -> None:
    """Equal bytes prove nothing: only the nonce does."""
    net.other.create(NAME, b"same", {})
    net.transport.fates.append("lose reply")

    with pytest.raises(ExistsError):
        net.documents.create(NAME, b"same", {})


def test_create_whose_document_was_deleted_meanwhile_says_exists_or_creates(net: Net) -> None:
    """Whatever happened in between, the answer is one that the port allows."""
    net.transport.fates.append("lose reply")
    net.transport.between = lambda: net.other.delete(NAME)

    version = net.documents.create(NAME, b"mine", {})

    stored = net.other.read(NAME)
    assert stored is not None
    assert stored.etag == version.etag


def test_replace_whose_reply_is_lost_is_recognised_as_our_own(net: Net) -> None:
    """The compare-and-swap was ours: it is not reported as lost."""
    first = net.documents.create(NAME, b"1", {})
    net.transport.fates.append("lose reply")

    second = net.documents.replace(NAME, b"2", first.etag, {})

    stored = net.other.read(NAME)
    assert stored is not None
    assert (stored.data, stored.etag) == (b"2", second.etag)


def test_replace_overtaken_after_its_lost_reply_is_changed(net: Net) -> None:
    """Ours was carried out, and somebody wrote since: read again and apply again."""
    first = net.documents.create(NAME, b"1", {})

    def overtake() -> None:
        stored = net.other.read(NAME)
        assert stored is not None
        net.other.replace(NAME, b"3", stored.etag, {})

    net.transport.fates.append("lose reply")
    net.transport.between = overtake

    with pytest.raises(ChangedError):
        net.documents.replace(NAME, b"2", first.etag, {})

    stored = net.other.read(NAME)
    assert stored is not None
    assert stored.data == b"3"


@pytest.mark.parametrize("fate", ["lose request", "lose reply"])
def test_two_lost_answers_are_transient(net: Net, fate: str) -> None:
    """A write is tried twice and no more; the caller's message comes again."""
    net.transport.fates.extend([fate, "lose request"])  # type: ignore[list-item]

    with pytest.raises(Transient):
        net.documents.create(NAME, b"1", {})

    assert net.transport.sent == ["PUT", "PUT"]


def test_first_answer_that_says_exists_is_not_doubted(net: Net) -> None:
    """Without a lost reply nothing is read back."""
    net.other.create(NAME, b"1", {})

    with pytest.raises(ExistsError):
        net.documents.create(NAME, b"2", {})

    assert net.transport.sent == ["PUT"]


def test_put_whose_reply_is_lost_still_says_who_wrote(net: Net) -> None:
    """History's True belongs to the writer, also when it had to look twice."""
    net.transport.fates.append("lose reply")

    assert net.history.put("contents/1", b"x") is True

    net.transport.fates.append("lose reply")
    assert net.history.put("contents/1", b"x") is False


def test_delete_is_never_repeated(net: Net) -> None:
    """A second delete could hit a document that was created in between."""
    net.documents.create(NAME, b"1", {})
    net.transport.sent.clear()
    net.transport.fates.append("lose reply")

    with pytest.raises(Transient):
        net.documents.delete(NAME)

    assert net.transport.sent == ["DELETE"]


def test_read_is_repeated_twice(net: Net) -> None:
    """Reading again is harmless; the third failure is the caller's."""
    net.documents.create(NAME, b"1", {})
    net.transport.sent.clear()
    net.transport.fates.extend(["lose reply", "refuse"])

    stored = net.documents.read(NAME)

    assert stored is not None
    assert stored.data == b"1"
    assert net.transport.sent == ["GET"] * 3


def test_message_whose_reply_is_lost_is_sent_again(net: Net) -> None:
    """Better twice than never: messages are only hints."""
    net.queues.port.ensure(["sync"])
    net.transport.sent.clear()
    net.transport.fates.append("lose reply")

    net.queues.port.send("sync", b"1")

    assert [body for body, _ in net.queues.take("sync")] == [b"1", b"1"]


def test_queue_that_was_deleted_is_created_by_the_next_message(net: Net) -> None:
    """A lost queue loses no push."""
    net.queues.port.ensure(["sync"])
    net.queues.client("sync").delete_queue()

    net.queues.port.send("sync", b"1")

    assert net.queues.take("sync") == [(b"1", 1)]


def test_messages_never_expire(net: Net) -> None:
    """An outage of more than seven days, the default time to live, drops nothing."""
    net.queues.port.send("sync", b"1")

    (message,) = net.queues.client("sync").peek_messages()

    assert message.expires_on is not None
    assert message.expires_on.year == 9999
