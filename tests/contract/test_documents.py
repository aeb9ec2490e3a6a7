"""The contract of the port Documents, kept by the fake and by blob storage alike."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

import pytest

from shared.adapters.blobs import BlobDocuments
from shared.adapters.system import SystemIds
from shared.core.errors import Stalled
from shared.ports import ChangedError, Documents, ExistsError, Version
from tests.contract import storage_azurite
from tests.fakes.blobs import MemoryDocuments

NAME = "stacks/shop.web/record.json"


@pytest.fixture(params=["memory", "azurite"])
def documents(request: pytest.FixtureRequest) -> Iterator[Documents]:
    """Give an empty store: the fake, and the adapter on Azurite."""
    if request.param == "memory":
        yield MemoryDocuments()
        return
    azurite = request.getfixturevalue("azurite")
    with storage_azurite.connected(azurite.connection_string) as connection:
        yield storage_azurite.documents(connection)


@pytest.fixture(params=["memory", "azurite"])
def without_container(request: pytest.FixtureRequest) -> Iterator[Documents]:
    """Give a store whose container is missing."""
    if request.param == "memory":
        lost = MemoryDocuments()
        lost.lose_container()
        yield lost
        return
    azurite = request.getfixturevalue("azurite")
    with storage_azurite.connected(azurite.connection_string) as connection:
        name = storage_azurite.unique("missing-")
        yield BlobDocuments(connection, SystemIds(), name)


def test_document_that_is_not_there_reads_as_none(documents: Documents) -> None:
    """Nothing is None, not an error."""
    assert documents.read(NAME) is None


def test_created_document_reads_back_with_the_etag_of_its_write(documents: Documents) -> None:
    """What create returns is the version that a reader finds."""
    version = documents.create(NAME, b'{"phase":"pending"}', {})

    stored = documents.read(NAME)

    assert stored is not None
    assert stored.data == b'{"phase":"pending"}'
    assert stored.etag == version.etag
    assert version.etag.startswith('"')
    assert version.etag.endswith('"')


def test_times_are_the_servers_and_utc(documents: Documents) -> None:
    """Writes and reads say when they happened, in whole seconds of the storage server."""
    version = documents.create(NAME, b"1", {})
    stored = documents.read(NAME)

    assert stored is not None
    assert version.at.tzinfo is UTC
    assert stored.at.tzinfo is UTC
    assert version.at.microsecond == stored.at.microsecond == 0
    assert timedelta(0) <= stored.at - version.at < timedelta(minutes=1)


def test_second_create_is_refused_and_changes_nothing(documents: Documents) -> None:
    """Create never overwrites."""
    documents.create(NAME, b"first", {"n": "1"})

    with pytest.raises(ExistsError):
        documents.create(NAME, b"second", {"n": "2"})

    stored = documents.read(NAME)
    assert stored is not None
    assert stored.data == b"first"


def test_replace_of_the_version_read_wins_and_gives_a_new_etag(documents: Documents) -> None:
    """A compare-and-swap on the current version succeeds."""
    first = documents.create(NAME, b"1", {})

    second = documents.replace(NAME, b"2", first.etag, {})

    stored = documents.read(NAME)
    assert stored is not None
    assert (stored.data, stored.etag) == (b"2", second.etag)
    assert second.etag != first.etag


def test_replace_of_an_older_version_loses_and_changes_nothing(documents: Documents) -> None:
    """Who read before somebody else wrote has lost."""
    first = documents.create(NAME, b"1", {})
    documents.replace(NAME, b"2", first.etag, {})

    with pytest.raises(ChangedError):
        documents.replace(NAME, b"3", first.etag, {})

    stored = documents.read(NAME)
    assert stored is not None
    assert stored.data == b"2"


def test_replace_with_the_same_bytes_is_a_new_version(documents: Documents) -> None:
    """The ETag is the version's, not the content's: an equal write in between is seen."""
    first = documents.create(NAME, b"1", {})

    second = documents.replace(NAME, b"1", first.etag, {})

    assert second.etag != first.etag


def test_replace_of_a_deleted_document_loses(documents: Documents) -> None:
    """A document that is gone is not what the caller read, even when it came again."""
    first = documents.create(NAME, b"1", {})
    documents.delete(NAME)

    with pytest.raises(ChangedError):
        documents.replace(NAME, b"2", first.etag, {})
    documents.create(NAME, b"1", {})
    with pytest.raises(ChangedError):
        documents.replace(NAME, b"2", first.etag, {})


@pytest.mark.parametrize("count", [0, 2, 300])
def test_many_are_deleted_at_once(documents: Documents, count: int) -> None:
    """All of them go, whether they are there or not, and no other does."""
    names = [f"pending/x/{n}" for n in range(count)]
    for name in [*names[:3], "pending/x/other"]:
        documents.create(name, b"{}", {})

    documents.delete(*names)

    assert [found.name for found in documents.list("pending/x/")] == ["pending/x/other"]


def test_delete_twice_is_no_error(documents: Documents) -> None:
    """Gone is gone."""
    documents.create(NAME, b"1", {})

    documents.delete(NAME)
    documents.delete(NAME)

    assert documents.read(NAME) is None


def test_list_gives_names_below_the_prefix_in_byte_order(documents: Documents) -> None:
    """The order is the storage service's: by the bytes of the name."""
    names = [
        "s/b.json",
        "s/a/x.json",
        "s/a-x.json",
        "s/a.json",
        "s/B.json",
        "s/a~1.json",
        "t/z.json",
    ]
    for name in names:
        documents.create(name, b"1", {})

    assert [listed.name for listed in documents.list("s/")] == sorted(names[:-1])
    assert [listed.name for listed in documents.list("")] == sorted(names)
    assert list(documents.list("nothing/")) == []


def test_list_gives_facts_as_they_were_written_last(documents: Documents) -> None:
    """Facts survive whatever their values hold, and a replace replaces them."""
    facts = {
        "phase": "releasing",
        "owner": "Zoë, 50 % <ops&co> \"quoted\" 'n' \\ +1",
        "empty": "",
        "due_at": "2026-05-04T10:00:00Z",
        "space": " edge ",
        "lines": "a\nb\tc",
        "other": "日本 %41",
    }
    first = documents.create(NAME, b"1", {"old": "1", "phase": "pending"})
    version = documents.replace(NAME, b"2", first.etag, facts)

    (listed,) = documents.list("stacks/")

    assert dict(listed.facts) == facts
    assert listed.etag == version.etag


@pytest.mark.parametrize("key", ["Phase", "due-at", "1st", "", "é", "plumbline_write"])
def test_fact_whose_key_is_no_lower_case_identifier_is_refused(
    documents: Documents, key: str
) -> None:
    """Keys that storage would change or refuse are a mistake of the caller."""
    with pytest.raises(ValueError, match="identifier"):
        documents.create(NAME, b"1", {key: "1"})

    assert documents.read(NAME) is None


def test_facts_above_what_metadata_holds_are_refused(documents: Documents) -> None:
    """Too many facts are said before the call, not by a 400."""
    with pytest.raises(ValueError, match="metadata"):
        documents.create(NAME, b"1", {"long": "x" * 8000})


@pytest.mark.parametrize(
    "data", [b"", b"\x00\xff" * 9, b"x" * 3_000_000], ids=["none", "few", "many"]
)
def test_bytes_come_back_as_they_were(documents: Documents, data: bytes) -> None:
    """Documents are bytes: empty, binary and large ones too."""
    documents.create(NAME, data, {})

    stored = documents.read(NAME)

    assert stored is not None
    assert stored.data == data


@pytest.mark.parametrize(
    "name",
    ["stacks/a.b~12/record.json", "repositories/r/revisions/abc@7.json", "a b/c%20d/é+&?#.json"],
)
def test_names_may_hold_what_urls_escape(documents: Documents, name: str) -> None:
    """A name is a name; nothing is decoded or encoded twice."""
    documents.create(name, b"1", {})

    assert [listed.name for listed in documents.list("")] == [name]
    stored = documents.read(name)
    assert stored is not None
    assert stored.data == b"1"


def test_one_of_many_concurrent_creators_wins(documents: Documents) -> None:
    """Create decides a race: one writer, and its bytes."""
    won = _race(lambda n: documents.create(NAME, str(n).encode(), {}))

    stored = documents.read(NAME)
    assert stored is not None
    assert len(won) == 1
    assert stored.data == str(won[0]).encode()


def test_one_of_many_concurrent_replacers_wins(documents: Documents) -> None:
    """Replace decides a race: one writer for each version."""
    etag = documents.create(NAME, b"0", {}).etag

    won = _race(lambda n: documents.replace(NAME, str(n).encode(), etag, {}))

    stored = documents.read(NAME)
    assert stored is not None
    assert len(won) == 1
    assert stored.data == str(won[0]).encode()


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda d: d.read(NAME), id="read"),
        pytest.param(lambda d: d.create(NAME, b"1", {}), id="create"),
        pytest.param(lambda d: d.replace(NAME, b"1", '"0x1"', {}), id="replace"),
        pytest.param(lambda d: d.delete(NAME), id="delete"),
        pytest.param(lambda d: list(d.list("")), id="list"),
    ],
)
def test_missing_container_stalls_with_a_hint(
    without_container: Documents, call: Callable[[Documents], object]
) -> None:
    """A container that is gone is never taken for an empty one, and never created again silently."""
    with pytest.raises(Stalled) as raised:
        call(without_container)

    assert raised.value.reason == "StorageContainerMissing"


def _race(write: Callable[[int], Version]) -> list[int]:
    """Return which of eight concurrent writers won."""

    def attempt(number: int) -> int | None:
        try:
            write(number)
        except (ChangedError, ExistsError):
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        return [n for n in pool.map(attempt, range(8)) if n is not None]
