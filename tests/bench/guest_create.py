# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CreateContainer in a guest with and without the agent, alternating: needs the lab.

The seam for whoever has the lab: ``run`` yields Figures named "create with agent" and "create
without agent" (p50, p99, n >= 50 each, alternating) and their ratio.
"""

from __future__ import annotations

from collections.abc import Iterator

from .figures import Figure

BENCH = "guest"


def run(quick: bool) -> Iterator[Figure]:
    """Nothing yet but the fact that nothing was measured."""
    yield Figure(BENCH, "not measured", 0, "", of={"needs": "the lab"})
