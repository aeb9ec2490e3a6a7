"""ARM's 64-bit hash and what is made of it: uniqueString, templateHash; and guid.

The hash is a Murmur3 variant of two 32-bit lanes. Algorithms and vectors: arm.md 5.4 to 5.6.
"""

import struct
import uuid
from collections.abc import Sequence
from typing import Any

from local.arm.engine.documents import minify

_MASK = 0xFFFFFFFF
_C1, _C2 = 0x239B961B, 0xAB0E9789
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_UNIQUE_LENGTH = 13
_GUID_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
_LANE = 4


def unique_string(parts: Sequence[str]) -> str:
    """Return the 13 characters that ARM makes of the parts. Pure, case-sensitive."""
    value = _hash64("-".join(parts).encode("utf-8", "surrogatepass"))
    shifts = (59 - 5 * place for place in range(_UNIQUE_LENGTH))
    return "".join(
        _ALPHABET[(value >> shift if shift >= 0 else value << -shift) & 31] for shift in shifts
    )


def deterministic_guid(parts: Sequence[str]) -> str:
    """Return ARM's guid() of the parts: a version 5 UUID in ARM's own namespace. Pure."""
    return str(uuid.uuid5(_GUID_NAMESPACE, "-".join(parts)))


def template_hash(template: Any) -> str:
    """Return ARM's templateHash (decimal text) of a template in its own key order. Pure."""
    return str(_hash64(minify(template).upper().encode("utf-8", "surrogatepass")))


def _mix(value: int) -> int:
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & _MASK
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & _MASK
    return value ^ (value >> 16)


def _hash64(data: bytes) -> int:
    one = two = 0
    whole = len(data) - len(data) % (2 * _LANE)
    for left, right in struct.iter_unpack("<II", memoryview(data)[:whole]):
        # Rotations to the left, written out: a call for each would be half of the time.
        part = left * _C1 & _MASK
        one ^= (part << 15 | part >> 17) * _C2 & _MASK
        one = ((one << 19 | one >> 13) & _MASK) + two & _MASK
        one = one * 5 + 0x561CCD1B & _MASK
        part = right * _C2 & _MASK
        two ^= (part << 17 | part >> 15) * _C1 & _MASK
        two = ((two << 13 | two >> 19) & _MASK) + one & _MASK
        two = two * 5 + 0x0BCAA747 & _MASK
    if tail := data[whole:]:
        part = int.from_bytes(tail[:_LANE], "little") * _C1 & _MASK
        one ^= (part << 15 | part >> 17) * _C2 & _MASK
        part = int.from_bytes(tail[_LANE:], "little") * _C2 & _MASK
        two ^= (part << 17 | part >> 15) * _C1 & _MASK
    one ^= len(data)
    two ^= len(data)
    one = (one + two) & _MASK
    two = (two + one) & _MASK
    one, two = _mix(one), _mix(two)
    one = (one + two) & _MASK
    two = (two + one) & _MASK
    return two << 32 | one
