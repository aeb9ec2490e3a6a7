"""The contract of the port History, kept by the fake and by blob storage alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.adapters.blobs import BlobHistory
from shared.adapters.system import SystemIds
from shared.core.errors import Stalled
from shared.ports import History
from tests.contract import storage_azurite
from tests.fakes.blobs import MemoryHistory

NAME = "contents/9f86d081"


@pytest.fixture(params=["memory", "azurite"])
def history(request: pytest.FixtureRequest) -> Iterator[History]:
    """Give an empty history: the fake, and the adapter on Azurite."""
    if request.param == "memory":
        yield MemoryHistory()
        return
    azurite = request.getfixturevalue("azurite")
    with storage_azurite.connected(azurite.connection_string) as connection:
        yield storage_azurite.history(connection)


@pytest.fixture(params=["memory", "azurite"])
def without_container(request: pytest.FixtureRequest) -> Iterator[History]:
    """Give a history whose container is missing."""
    if request.param == "memory":
        lost = MemoryHistory()
        lost.lose_container()
        yield lost
        return
    azurite = request.getfixturevalue("azurite")
    with storage_azurite.connected(azurite.connection_string) as connection:
        name = storage_azurite.unique("missing-")
        yield BlobHistory(connection, SystemIds(), name)


def test_first_put_writes_and_says_so(history: History) -> None:
    """The writer of a name learns that it was the writer."""
    assert history.read(NAME) is None

    assert history.put(NAME, b"content") is True

    assert history.read(NAME) == b"content"


def test_later_puts_change_nothing(history: History) -> None:
    """What is written stays, whatever is put there."""
    history.put(NAME, b"content")

    assert history.put(NAME, b"content") is False
    assert history.put(NAME, b"other") is False

    assert history.read(NAME) == b"content"


@pytest.mark.parametrize(
    "data", [b"", b"\x1f\x8b\x08\x00", b"y" * 2_000_000], ids=["none", "gzip", "many"]
)
def test_bytes_are_stored_as_given(history: History, data: bytes) -> None:
    """Nothing is compressed, decoded or guessed on the way."""
    history.put(NAME, data)

    assert history.read(NAME) == data


def test_list_gives_sorted_names_below_the_prefix(history: History) -> None:
    """Names come in byte order; the prefix is a plain one, not a folder."""
    names = ["releases/10.1.json", "releases/2.1.json", "releases/2.10.json", "contents/a"]
    for name in names:
        history.put(name, b"1")

    assert list(history.list("releases/")) == sorted(names[:-1])
    assert list(history.list("releases/2.1")) == ["releases/2.1.json", "releases/2.10.json"]
    assert list(history.list("none")) == []


def test_one_of_many_concurrent_puts_wrote(history: History) -> None:
    """Exactly one caller hears True."""
    with ThreadPoolExecutor(8) as pool:
        wrote = list(pool.map(lambda n: history.put(NAME, str(n).encode()), range(8)))

    assert wrote.count(True) == 1
    assert history.read(NAME) == str(wrote.index(True)).encode()


def test_missing_container_stalls(without_container: History) -> None:
    """A history that is gone is never taken for an empty one."""
    for call in (
        lambda: without_container.put(NAME, b"1"),
        lambda: without_container.read(NAME),
        lambda: list(without_container.list("")),
    ):
        with pytest.raises(Stalled) as raised:
            call()

        assert raised.value.reason == "StorageContainerMissing"
