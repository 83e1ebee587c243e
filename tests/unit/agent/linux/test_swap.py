# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kind of swap, from what kernels print."""

from __future__ import annotations

from typing import Optional

import pytest

from fakes.files import FakeFiles
from homenode.linux.swap import SWAPS, ZSWAP, swap_kind

HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
DISK = "/dev/nvme0n1p3                          partition\t8388604\t\t0\t\t-2\n"
FILE = "/swapfile                               file\t\t2097148\t\t512\t\t-3\n"
ZRAM = "/dev/zram0                              partition\t4194300\t\t0\t\t100\n"

KINDS = {
    "no such file": (None, None, ""),
    "none": (HEAD, "Y\n", ""),
    "a partition": (HEAD + DISK, "N\n", "partition"),
    "a file": (HEAD + FILE, None, "file"),
    "the preferred of two": (HEAD + FILE + DISK, "N\n", "partition"),
    "zram before a disk": (HEAD + DISK + ZRAM, "Y\n", "zram"),
    "zswap before a disk": (HEAD + DISK, "Y\n", "zswap"),
    "a path with a space": (HEAD + "/swap\\040file file 8 0 -2\n", None, "file"),
    "noise": (HEAD + "what\n\n", None, ""),
}


@pytest.mark.parametrize(("swaps", "zswap", "kind"), KINDS.values(), ids=KINDS)
def test_kind(swaps: str, zswap: Optional[str], kind: str) -> None:
    texts = {path: text for path, text in ((SWAPS, swaps), (ZSWAP, zswap)) if text is not None}
    assert swap_kind(FakeFiles(texts)) == kind
