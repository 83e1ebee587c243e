# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long ``homenode facts`` takes on the largest recorded machine."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

from fake_runtime.process import ROOT, tree_environment

from .figures import Figure, median
from .nodes import node_python

BENCH = "facts"
BAR_S = 0.3


def run(quick: bool) -> Iterator[Figure]:
    """Seconds from start to end of the process, median."""
    machines = sorted((ROOT / "tests/machines").glob("*.machine"), key=lambda p: p.stat().st_size)
    if not machines:
        return
    rounds = 3 if quick else 15
    command = [node_python(), "-m", "homenode", "facts", "--json", "--root", str(machines[-1])]
    taken = []
    for number in range(rounds + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=tree_environment())
        if number:
            taken.append(time.perf_counter() - began)
    of = {"machine": machines[-1].stem, "n": rounds}
    yield Figure(BENCH, "wall time", median(taken), "s", BAR_S, of)
