# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Sets of CPU and NUMA-node ids in the kernel's list format (``0-3,8``), as one integer mask each.

Grammar: Documentation/admin-guide/kernel-parameters.rst, "cpu lists": ``N``, ``N-M``,
``N-M:used/group``, comma separated, white space around the whole. Out of scope: the names
``all`` and ``N`` that only boot parameters know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from .problem import HomenodeProblem

MAX_ID = 8191
"""The largest CPU id a kernel can have (CONFIG_NR_CPUS is at most 8192): bounds hostile input."""

MAX_PARTS = 4096
"""The most ranges that so many ids can make: a longer list is noise, and reading it takes long."""

MOST_KNOWN = 256
"""So many lists are kept: hundreds of containers have few different sets, read again and again."""

_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5})(?::(\d{1,5})/(\d{1,5}))?)?\Z", re.ASCII)

Ids = TypeVar("Ids", bound="IdSet")


class IdSet:
    """An immutable set of small non-negative ids; ``|``, ``&``, ``-`` are set algebra."""

    __slots__ = ("_mask",)
    _mask: int

    def __init__(self, ids: Iterable[int] = ()) -> None:
        mask = 0
        for number in ids:
            mask |= 1 << number
        object.__setattr__(self, "_mask", mask)

    @classmethod
    def from_mask(cls: type[Ids], mask: int) -> Ids:
        """The set whose members are the one-bits of *mask*."""
        made = cls.__new__(cls)
        object.__setattr__(made, "_mask", mask)
        return made

    @classmethod
    def parse(cls: type[Ids], text: str, *, field: str = "cpus") -> Ids:
        """Read the kernel's list format; the empty text is the empty set.

        Raises HomenodeProblem naming *field* where *text* is no such list.
        """
        return cls.from_mask(_mask_of(text, field))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __str__(self) -> str:
        """The canonical kernel list: ascending, runs as ``first-last``."""
        return _list_of(self._mask)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __iter__(self) -> Iterator[int]:
        mask = self._mask
        while mask:
            low = mask & -mask
            yield low.bit_length() - 1
            mask ^= low

    def __len__(self) -> int:
        return bin(self._mask).count("1")

    def __bool__(self) -> bool:
        return self._mask != 0

    def __contains__(self, number: int) -> bool:
        return self._mask >> number & 1 == 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdSet) and self._mask == other._mask

    def __hash__(self) -> int:
        return hash(self._mask)

    def __or__(self: Ids, other: Ids) -> Ids:
        return self.from_mask(self._mask | other._mask)

    def __and__(self: Ids, other: Ids) -> Ids:
        return self.from_mask(self._mask & other._mask)

    def __sub__(self: Ids, other: Ids) -> Ids:
        return self.from_mask(self._mask & ~other._mask)

    def __le__(self, other: IdSet) -> bool:
        return self._mask & ~other._mask == 0

    def lowest(self: Ids, count: int) -> Ids:
        """The *count* lowest ids; all of them where the set is smaller."""
        return type(self)(islice(self, count))


class CpuSet(IdSet):
    """Logical CPUs (hardware threads) by kernel id."""

    __slots__ = ()


class NodeSet(IdSet):
    """NUMA nodes by kernel id."""

    __slots__ = ()


NO_CPUS = CpuSet()
NO_NODES = NodeSet()


@lru_cache(maxsize=MOST_KNOWN)
def _list_of(mask: int) -> str:
    parts = []
    first = 0
    while mask:
        gap = (mask & -mask).bit_length() - 1
        first, mask = first + gap, mask >> gap
        length = (~mask & (mask + 1)).bit_length() - 1
        parts.append(str(first) if length == 1 else f"{first}-{first + length - 1}")
        first, mask = first + length, mask >> length
    return ",".join(parts)


@lru_cache(maxsize=MOST_KNOWN)
def _mask_of(text: str, field: str) -> int:
    mask = 0
    stripped = text.strip()
    if stripped.count(",") >= MAX_PARTS:
        raise HomenodeProblem(
            field, text, f"has more than {MAX_PARTS} ranges", "write a list like 0-3,8"
        )
    for part in stripped.split(",") if stripped else ():
        mask |= _range_mask(part.strip(), text, field)
    return mask


def _range_mask(part: str, text: str, field: str) -> int:
    match = _RANGE.match(part)
    if match is None:
        raise HomenodeProblem(
            field, text, f"{part!r} is neither a number nor a range", "write a list like 0-3,8"
        )
    first = int(match[1])
    last = int(match[2] or first)
    if last < first or last > MAX_ID:
        why = "ends before it starts" if last < first else f"goes past {MAX_ID}"
        raise HomenodeProblem(field, text, f"{part!r} {why}", "write a list like 0-3,8")
    if match[3] is None:
        return ((1 << (last - first + 1)) - 1) << first
    used, group = int(match[3]), int(match[4])
    if not 0 < used <= group:
        raise HomenodeProblem(
            field, text, f"{part!r} uses {used} of every {group}", "write N-M:used/group"
        )
    return sum(1 << number for number in range(first, last + 1) if (number - first) % group < used)
