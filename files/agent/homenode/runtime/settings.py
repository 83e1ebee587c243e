# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the runtime room is told once, at start: where, as whom, and how patient.

Out of scope: where the values come from (``daemon``).
"""

from __future__ import annotations

from dataclasses import dataclass

from model.problem import HomenodeProblem


@dataclass(frozen=True)
class NriSettings:
    """Times in seconds. *plugin_index* orders plugins; NRI wants exactly two digits.

    A runtime cuts us off after 2 s by default, so the budgets are well below: an event is
    answered within *answer_budget_s*, Synchronize within *synchronize_budget_s*. A runtime that
    took our registration and says nothing for *registration_wait_s* has forgotten us (containerd
    1.7 after a slow Synchronize): we connect anew. Between tries we wait *retry_first_s*, doubled
    up to *retry_longest_s*. Raises HomenodeProblem for values that cannot work.
    """

    socket_path: str = "/var/run/nri/nri.sock"
    plugin_name: str = "homenode"
    plugin_index: str = "90"
    answer_budget_s: float = 0.5
    synchronize_budget_s: float = 1.5
    registration_wait_s: float = 8.0
    retry_first_s: float = 0.05
    retry_longest_s: float = 2.0

    def __post_init__(self) -> None:
        index = self.plugin_index
        if not (len(index) == 2 and index.isascii() and index.isdigit()):
            raise HomenodeProblem("plugin_index", index, "is not two digits", "write 00 to 99")
        if not self.plugin_name:
            raise HomenodeProblem("plugin_name", "", "is empty", "leave it at homenode")
        for name in (
            "answer_budget_s",
            "synchronize_budget_s",
            "registration_wait_s",
            "retry_first_s",
            "retry_longest_s",
        ):
            value = getattr(self, name)
            if not 0 < value <= 3600:
                raise HomenodeProblem(name, value, "is no time to wait", "write seconds above 0")
