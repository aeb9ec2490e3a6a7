"""Reading packs: the same objects as git sees, and bounded work for whatever else is sent."""

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.git.limits import Limits
from shared.adapters.git.pack import (
    BLOB,
    ObjectTooLargeError,
    Pack,
    PackError,
    PackObject,
    PackTooLargeError,
)
from tests.git import objects
from tests.git.working_copy import ENVIRONMENT

LIMITS = Limits()
KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
BODY = b"".join(b"line %d of a file that changes a little\n" % number for number in range(400))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository whose history packs into long chains of deltas."""
    folder = tmp_path_factory.mktemp("history") / "bare.git"
    subprocess.run(["git", "init", "--quiet", "--bare", folder], env=ENVIRONMENT, check=True)
    stream = bytearray()
    for number in range(60):
        body = BODY.replace(b"line %d of" % (number * 5), b"changed in %d" % number)
        stream += b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 1\nx\n" % number
        for path in (b"a.json", b"deep/er/b%d.json" % (number % 7)):
            stream += b"M 100644 inline %s\ndata %d\n%s\n" % (path, len(body), body)
    stream += b"tag v1\nfrom refs/heads/main\ntagger A <a@b> 0 +0000\ndata 1\nx\n"
    objects.git(folder, "fast-import", "--quiet", given=bytes(stream))
    return folder


@pytest.mark.parametrize(
    "arguments", [["--delta-base-offset"], [], ["--window=0"], ["--depth=300"]]
)
def test_every_object_is_what_git_says(bare: Path, arguments: list[str]) -> None:
    """Whole objects and deltas of either kind, commits, trees, blobs and tags: all are equal."""
    expected = objects.ids_and_kinds(bare)
    data = objects.git(
        bare,
        *("pack-objects", "--stdout", "--quiet", "--window=50", "--no-reuse-delta", *arguments),
        given="\n".join(expected).encode(),
    )

    pack = Pack(data, LIMITS)

    assert len(pack) == len(expected)
    for id_, kind in expected.items():
        content = objects.git(bare, "cat-file", kind, id_)
        assert pack.get(bytes.fromhex(id_)) == PackObject(KINDS[kind], content)


def test_a_thin_pack_builds_on_what_is_here(bare: Path) -> None:
    """Deltas on objects of an older pack are resolved, and without it they are counted."""
    before = Pack(_pack_between(bare, "main~1", "--not", "main~2"), LIMITS, lambda _: None)
    older = Pack(_pack_between(bare, "main~1"), LIMITS)
    data = _pack_between(bare, "main", "--not", "main~1")
    tip = objects.git(bare, "rev-parse", "main:a.json").decode().strip()

    alone = Pack(data, LIMITS)
    thin = Pack(data, LIMITS, older.get)

    assert before.unresolved > 0
    assert alone.unresolved > 0
    assert alone.get(bytes.fromhex(tip)) is None
    assert thin.unresolved == 0
    assert thin.get(bytes.fromhex(tip)) == PackObject(
        BLOB, objects.git(bare, "cat-file", "blob", tip)
    )


def _pack_between(bare: Path, *revisions: str) -> bytes:
    return objects.git(
        bare,
        *("pack-objects", "--stdout", "--quiet", "--thin", "--revs", "--delta-base-offset"),
        given="\n".join(revisions).encode(),
    )


SOUND = objects.pack_of([objects.whole(3, BODY), objects.whole(2, b"")])
INSERT = objects.varint(len(BODY)) + objects.varint(1) + b"\x01x"
FIRST = objects.whole(3, BODY)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PACK",
        b"KCAP" + SOUND[4:],
        objects.sealed(b"PACK" + (4).to_bytes(4) + (0).to_bytes(4)),
        SOUND[:-1],
        SOUND[:-21] + b"\0" + SOUND[-20:],
        objects.pack_of([FIRST], count=2),
        objects.pack_of([FIRST, FIRST], count=1),
        objects.pack_of([FIRST + b"\0"]),
        objects.pack_of([objects.whole(3, BODY, claimed=len(BODY) - 1)]),
        objects.pack_of([objects.whole(3, BODY, claimed=len(BODY) + 1)]),
        objects.pack_of([objects.whole(3, b"", claimed=2**60)]),
        objects.pack_of([objects.whole(0, b"x")]),
        objects.pack_of([objects.whole(5, b"x")]),
        objects.pack_of([b"\xb1" + b"\x80" * 30]),
        objects.pack_of([b"\x61" + b"\x80" * 30]),
        objects.pack_of([objects.size_and_kind(3, 5) + b"not zlib"]),
        objects.pack_of([FIRST, objects.delta(len(FIRST), b"")]),
        objects.pack_of([FIRST, objects.delta(len(FIRST), b"\x80")]),
        objects.pack_of([FIRST, objects.delta(len(FIRST), INSERT[:-1])]),
        objects.pack_of([FIRST, objects.delta(len(FIRST), INSERT + b"\x01x")]),
        objects.pack_of([FIRST, objects.delta(len(FIRST), objects.varint(1) + b"\x01\x01x")]),
        objects.pack_of([FIRST, objects.delta(len(FIRST), INSERT[:-2] + b"\0")]),
    ],
)
def test_a_malformed_pack_is_refused(data: bytes) -> None:
    """Each lie has an error of ours, and none is believed."""
    with pytest.raises(PackError):
        Pack(data, LIMITS)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_pack_raises_nothing_else(data: st.DataObject) -> None:
    """Whichever bytes are changed, cut out or put in: an object's content fits its id, or an error."""
    sound = objects.pack_of(
        [
            FIRST,
            objects.delta(len(FIRST), INSERT),
            objects.id_delta(objects.id_of("blob", BODY), INSERT),
            objects.whole(2, b"100644 a\0" + b"x" * 20),
        ]
    )[:-20]
    body = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    try:
        pack = Pack(objects.sealed(bytes(body)), small_limits())
    except (PackError, PackTooLargeError):
        return
    for id_ in list(pack.ids()):
        found = pack.get(id_)
        assert found is not None
        kind = next(name for name, number in KINDS.items() if number == found.kind)
        assert objects.id_of(kind, found.content) == id_


def small_limits() -> Limits:
    """Return limits that a damaged size can't make slow."""
    return Limits(file_bytes=10**6, base_bytes=10**6, unpacked_bytes=10**7, objects=100)


def test_a_delta_on_itself_or_on_nothing_counts_as_left_out() -> None:
    """Bases that don't exist and circles end; the rest of the pack is readable."""
    unknown = b"\x11" * 20
    data = objects.pack_of(
        [
            FIRST,
            objects.id_delta(unknown, INSERT),
            objects.delta(0, INSERT),
            objects.delta(7, INSERT),
        ]
    )

    pack = Pack(data, LIMITS)

    assert len(pack) == 1
    assert pack.unresolved == 1
    assert pack.get(objects.id_of("blob", BODY)) == PackObject(BLOB, BODY)
    assert pack.get(unknown) is None


def test_an_object_beyond_the_limit_is_there_but_not_read() -> None:
    """Between what may be read and what a delta may build on, an object is only known."""
    limits = Limits(file_bytes=100, base_bytes=1000)
    medium, large = b"m" * 500, b"l" * 5000
    small = objects.varint(500) + objects.varint(50) + b"\x90\x32"
    entries = [objects.whole(3, medium), objects.whole(3, large)]
    data = objects.pack_of([*entries, objects.delta(sum(map(len, entries)), small)])

    pack = Pack(data, limits)

    with pytest.raises(ObjectTooLargeError):
        pack.get(objects.id_of("blob", medium))
    assert pack.get(objects.id_of("blob", large)) is None
    assert pack.get(objects.id_of("blob", b"m" * 50)) == PackObject(BLOB, b"m" * 50)


def test_a_delta_may_not_claim_a_huge_result() -> None:
    """The result's size is believed only within the limit; nothing is set aside for it."""
    claim = objects.varint(len(BODY)) + objects.varint(2**40) + b"\x01x"

    pack = Pack(objects.pack_of([FIRST, objects.delta(len(FIRST), claim)]), LIMITS)

    assert len(pack) == 1


@pytest.mark.parametrize("kind", [3, 2])
def test_a_bomb_is_given_up_within_the_budget(kind: int) -> None:
    """What inflates to more than is accepted costs no more than the budget."""
    bomb = objects.whole(kind, bytes(20_000_000))
    limits = Limits(unpacked_bytes=50_000_000)

    started = time.process_time()
    with pytest.raises(PackTooLargeError):
        Pack(objects.pack_of([bomb] * 100), limits)

    assert time.process_time() - started < 5


def test_too_many_objects_are_refused_before_they_are_read() -> None:
    """The number of objects bounds the index."""
    with pytest.raises(PackTooLargeError):
        Pack(objects.pack_of([FIRST], count=2**31), LIMITS)


@pytest.mark.parametrize(("links", "is_read"), [(500, True), (600, False)])
def test_a_chain_without_end_is_refused(links: int, *, is_read: bool) -> None:
    """Reading one object may not mean to build hundreds of others first."""
    entries = [FIRST]
    for number in range(links):
        change = objects.varint(len(BODY)) * 2 + _renamed(number)
        entries.append(objects.delta(len(entries[-1]), change))
    data = objects.pack_of(entries)

    if is_read:
        last = b"%04d" % (links - 1) + BODY[4:]
        assert Pack(data, LIMITS).get(objects.id_of("blob", last)) == PackObject(BLOB, last)
    else:
        with pytest.raises(PackError, match="too long"):
            Pack(data, LIMITS)


def _copy(size: int, offset: int = 0) -> bytes:
    return b"\xb3" + offset.to_bytes(2, "little") + size.to_bytes(2, "little")


def _renamed(number: int) -> bytes:
    return b"\x04%04d" % number + _copy(len(BODY) - 4, 4)
