"""Bare repositories and packs, made with the git command line or by hand."""

import hashlib
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path

from tests.git.working_copy import ENVIRONMENT


def git(bare: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Run git in a repository; returns what it printed."""
    return subprocess.run(
        ["git", "-C", bare, *arguments],
        env=ENVIRONMENT,
        input=given,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout


def ids_and_kinds(bare: Path) -> dict[str, str]:
    """Return all objects of a repository."""
    listed = git(
        bare, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"
    )
    return dict(line.split(" ") for line in listed.decode().splitlines())


def size_and_kind(kind: int, size: int) -> bytes:
    """Return the head of a pack's entry."""
    first, size = (kind << 4) | (size & 15), size >> 4
    head = bytearray()
    while size:
        head.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    head.append(first)
    return bytes(head)


def varint(number: int) -> bytes:
    """Return a size as a delta's head has it."""
    head = bytearray()
    while number > 0x7F:
        head.append((number & 0x7F) | 0x80)
        number >>= 7
    head.append(number)
    return bytes(head)


def distance(back: int) -> bytes:
    """Return how far back a delta's base lies."""
    encoded = [back & 0x7F]
    back >>= 7
    while back:
        back -= 1
        encoded.append((back & 0x7F) | 0x80)
        back >>= 7
    return bytes(reversed(encoded))


def whole(kind: int, content: bytes, *, claimed: int | None = None) -> bytes:
    """Return a pack's entry for an object; ``claimed`` is a false size."""
    size = len(content) if claimed is None else claimed
    return size_and_kind(kind, size) + zlib.compress(content)


def delta(back: int, instructions: bytes) -> bytes:
    """Return a pack's entry for a delta on the entry that begins ``back`` bytes before."""
    return size_and_kind(6, len(instructions)) + distance(back) + zlib.compress(instructions)


def id_delta(base: bytes, instructions: bytes) -> bytes:
    """Return a pack's entry for a delta on the object with the binary id ``base``."""
    return size_and_kind(7, len(instructions)) + base + zlib.compress(instructions)


def pack_of(entries: Iterable[bytes], *, count: int | None = None) -> bytes:
    """Return a pack with a right checksum; ``count`` is a false number of entries."""
    listed = list(entries)
    number = len(listed) if count is None else count
    return sealed(b"PACK" + (2).to_bytes(4) + number.to_bytes(4) + b"".join(listed))


def sealed(body: bytes) -> bytes:
    """Return the pack with its checksum."""
    return body + hashlib.sha1(body, usedforsecurity=False).digest()


def id_of(kind: str, content: bytes) -> bytes:
    """Return an object's binary id."""
    head = f"{kind} {len(content)}\0".encode()
    return hashlib.sha1(head + content, usedforsecurity=False).digest()
