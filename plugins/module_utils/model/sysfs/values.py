# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How the kernel writes values into its files, read strictly; out of scope: what they mean."""

from __future__ import annotations

import re
from typing import Optional, TypeVar

from ..cpuset import IdSet
from ..files import Files
from ..problem import HomenodeProblem

KIB = 1024
REMEDY = "check what is mounted there, or record the machine again"

Value = TypeVar("Value")
Ids = TypeVar("Ids", bound=IdSet)

_NUMBER = re.compile(r"-?\d{1,18}\Z", re.ASCII)
_SIZE = re.compile(r"(\d{1,12})([KMG]?)\Z", re.ASCII)
_SHIFTS = {"": 0, "K": 10, "M": 20, "G": 30}


def fail(path: str, value: str, why: str, remedy: str = REMEDY) -> HomenodeProblem:
    """The problem with the value of one file; to be raised by the caller."""
    return HomenodeProblem(path, value.strip(), why, remedy)


def required(path: str, value: Optional[Value]) -> Value:
    """*value*, read from *path*. Raises HomenodeProblem where the file was missing."""
    if value is None:
        remedy = "name the root folder of a Linux machine, or a recorded machine"
        raise fail(path, "", "is missing or cannot be read", remedy)
    return value


def read_ids(files: Files, path: str, kind: type[Ids]) -> Optional[Ids]:
    """A CPU or node list. Raises HomenodeProblem where the file holds something else."""
    text = files.read(path)
    if text is None:
        return None
    try:
        return kind.parse(text, field=path)
    except HomenodeProblem as error:
        raise fail(path, text, error.problem.why) from None


def read_number(files: Files, path: str) -> Optional[int]:
    """One decimal number. Raises HomenodeProblem where the file holds something else."""
    text = files.read(path)
    if text is None:
        return None
    if _NUMBER.match(text.strip()) is None:
        raise fail(path, text, "is not a whole number")
    return int(text)


def read_size(files: Files, path: str) -> Optional[int]:
    """A cache's size ("32K") in bytes. Raises HomenodeProblem where the file holds another text."""
    text = files.read(path)
    if text is None:
        return None
    match = _SIZE.match(text.strip())
    if match is None:
        raise fail(path, text, "is not a size like 32K")
    return int(match[1]) << _SHIFTS[match[2]]


def meminfo_bytes(path: str, text: str, field: str) -> int:
    """One figure of a ``meminfo``, in bytes. Raises HomenodeProblem where it is not in *text*."""
    match = re.search(rf"\b{field}:\s+(\d{{1,15}}) kB$", text, re.ASCII | re.MULTILINE)
    if match is None:
        raise fail(path, text, f'has no line "{field}: N kB"')
    return int(match[1]) * KIB
