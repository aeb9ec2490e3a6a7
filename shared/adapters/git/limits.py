"""How much of a worker one repository may take; everything from outside is measured against it."""

from dataclasses import dataclass

from shared.core.source.tree import MAX_FILE_BYTES

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds in bytes and seconds.

    ``pack_bytes``: the largest pack that is accepted, compressed; a followed repository holds
    templates, not builds. ``objects``: the most files and folders in it. ``unpacked_bytes``: all that is inflated while one pack is read, which
    bounds the processor time a hostile pack costs. ``base_bytes``: the largest object that a delta
    may build on. ``refs_bytes``: the longest list of refs. ``call_s``: all of one request,
    however slowly it trickles; ``connect_s`` and ``read_s`` bound each wait within it.
    ``cache_bytes`` and ``cache_revisions``: what a warm worker keeps. ``reuse_s``: how long the
    capabilities that a server announced are taken for granted. ``idle_s``: how long a silent
    connection is trusted; cloud gateways drop them after minutes without a word.
    """

    file_bytes: int = MAX_FILE_BYTES
    base_bytes: int = 32 * _MIB
    pack_bytes: int = 128 * _MIB
    objects: int = 250_000
    unpacked_bytes: int = 1024 * _MIB
    refs_bytes: int = 32 * _MIB
    cache_bytes: int = 192 * _MIB
    cache_revisions: int = 32
    connect_s: float = 10.0
    read_s: float = 30.0
    call_s: float = 60.0
    reuse_s: float = 60.0
    idle_s: float = 60.0
