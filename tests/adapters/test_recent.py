"""What a warm worker remembers of history, over the same contract."""

from shared.adapters import recent
from shared.adapters.recent import RecentHistory
from tests.fakes.blobs import MemoryHistory
from tests.fakes.system import Faults


def _reads(faults: Faults) -> int:
    return faults.count("history.read")


def test_what_was_written_or_read_is_not_read_again() -> None:
    """A content that sync wrote costs release nothing, in the same worker."""
    faults = Faults()
    history = MemoryHistory(faults)
    history.put("b", b"there before")
    warm = RecentHistory(history)

    assert warm.put("a", b"one")
    assert [warm.read(name) for name in ("a", "a", "b", "b")] == [
        b"one",
        b"one",
        b"there before",
        b"there before",
    ]
    assert _reads(faults) == 1


def test_what_another_worker_wrote_first_counts() -> None:
    """A refused write is not remembered: what is there is another's."""
    history = MemoryHistory()
    history.put("a", b"theirs")
    warm = RecentHistory(history)

    assert not warm.put("a", b"ours")
    assert warm.read("a") == b"theirs"


def test_what_is_missing_is_asked_for_again() -> None:
    """Another worker may write it in the meantime."""
    history = MemoryHistory()
    warm = RecentHistory(history)

    assert warm.read("a") is None
    history.put("a", b"now")
    assert warm.read("a") == b"now"
    assert list(warm.list("")) == ["a"]


def test_memory_is_bounded() -> None:
    """Large contents are not remembered, and the oldest go when there is no room."""
    faults = Faults()
    warm = RecentHistory(MemoryHistory(faults))
    warm.put("huge", b"x" * (recent.LARGEST_BYTES + 1))
    piece = b"x" * recent.LARGEST_BYTES
    count = recent.MOST_BYTES // recent.LARGEST_BYTES + 1
    for n in range(count):
        warm.put(f"p{n}", piece)

    warm.read("huge")
    warm.read("p0")
    warm.read(f"p{count - 1}")
    assert _reads(faults) == 2
