# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Swap: ``/proc/swaps`` (mm/swapfile.c), and zswap (Documentation/admin-guide/mm/zswap.rst).

Out of scope: how full it is, and which container may use it.
"""

from __future__ import annotations

from model.files import Files

SWAPS, ZSWAP = "/proc/swaps", "/sys/module/zswap/parameters/enabled"


def swap_kind(files: Files) -> str:
    """Where a page goes that is swapped out now: "zram", "zswap", "partition" or "file".

    "" where there is no swap. zswap holds pages in front of whatever the swap is; of several
    swaps the one of the highest priority counts.
    """
    rows = [line.split() for line in (files.read(SWAPS) or "").splitlines()[1:]]
    known = [row for row in rows if len(row) >= 5 and row[4].lstrip("-").isdigit()]
    if not known:
        return ""
    name, kind = max(known, key=lambda row: int(row[4]))[:2]
    if name.startswith("/dev/zram"):
        return "zram"
    return "zswap" if (files.read(ZSWAP) or "").strip() in ("Y", "1") else kind
