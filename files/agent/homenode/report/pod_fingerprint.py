# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fingerprint of a set of pods, by which a scheduler knows whether its own view is up to date.

Version 1 of github.com/k8stopologyawareschedwg/podfingerprint: XXH64 of each name, seeded with
that of its namespace; XXH64 of those, sorted. Out of scope: which pods count.
"""

from __future__ import annotations

from collections.abc import Iterable

ATTRIBUTE = "nodeTopologyPodsFingerprint"
METHOD_ATTRIBUTE, ALL_PODS = "nodeTopologyPodsFingerprintMethod", "all"

_PREFIX = "pfp0v001"
_MASK = (1 << 64) - 1
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
"""The primes of XXH64: github.com/Cyan4973/xxHash, doc/xxhash_spec.md."""


def fingerprint(pods: Iterable[tuple[str, str]]) -> str:
    """Of a set of (namespace, name), in whatever order."""
    hashes = sorted(
        xxh64(name.encode(), xxh64(namespace.encode())) for namespace, name in set(pods)
    )
    return f"{_PREFIX}{xxh64(b''.join(each.to_bytes(8, 'little') for each in hashes)):016x}"


def xxh64(data: bytes, seed: int = 0) -> int:
    """The 64-bit xxHash of *data*."""
    stripes = len(data) // 32 * 32
    value = (_striped(data[:stripes], seed) if stripes else seed + _P5) + len(data)
    words = len(data) // 8 * 8
    for at in range(stripes, words, 8):
        value = _rotated(value ^ _round(0, _word(data, at, 8)), 27) * _P1 + _P4
    rest = words
    if len(data) - words >= 4:
        value = _rotated(value ^ _word(data, words, 4) * _P1, 23) * _P2 + _P3
        rest = words + 4
    for byte in data[rest:]:
        value = _rotated(value ^ byte * _P5, 11) * _P1
    value &= _MASK
    value = (value ^ value >> 33) * _P2 & _MASK
    value = (value ^ value >> 29) * _P3 & _MASK
    return value ^ value >> 32


def _striped(data: bytes, seed: int) -> int:
    """Four lanes over stripes of 32 bytes, merged."""
    lanes = [seed + _P1 + _P2, seed + _P2, seed, seed - _P1]
    for at in range(0, len(data), 32):
        for lane in range(4):
            lanes[lane] = _round(lanes[lane], _word(data, at + 8 * lane, 8))
    value = sum(_rotated(lane, turn) for lane, turn in zip(lanes, (1, 7, 12, 18)))
    for lane in lanes:
        value = (value ^ _round(0, lane)) * _P1 + _P4
    return value


def _round(lane: int, word: int) -> int:
    return _rotated(lane + word * _P2, 31) * _P1 & _MASK


def _rotated(value: int, turn: int) -> int:
    value &= _MASK
    return (value << turn | value >> (64 - turn)) & _MASK


def _word(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")
