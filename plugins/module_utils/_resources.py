# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""How busy the machine is right now, through psutil where it is at hand.

Out of scope: figures for each NUMA node, which the kernel's own files tell without any library.
"""

from __future__ import annotations

from typing import Optional, Union

try:
    import psutil
except ImportError:
    HAS_PSUTIL = False
else:
    HAS_PSUTIL = True

Figures = dict[str, Union[int, float]]


def resource_figures() -> Optional[Figures]:
    """Memory and swap in bytes, and the load averages; None where psutil is not at hand."""
    if not HAS_PSUTIL:
        return None
    memory, swap, load = psutil.virtual_memory(), psutil.swap_memory(), psutil.getloadavg()
    return {
        "memory_available_bytes": memory.available,
        "swap_total_bytes": swap.total,
        "swap_used_bytes": swap.used,
        "load_1m": load[0],
        "load_5m": load[1],
        "load_15m": load[2],
    }
