# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where ours decides otherwise than a peer on purpose: from which step of a recording, and why.

In words for users: ``docs/pinning``. Out of scope: random scenarios (``compare.on_principle``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .recording import Assignments


@dataclass(frozen=True)
class Difference:
    """From *step* on, counted from 0, the recording is not ours; *why* names the rule.

    *ours* has the containers that differ in that step, as ours has them.
    """

    step: int
    ours: Assignments
    why: str


SHARES = "refused for want of CPUs by the peer; a pod is not broken, it shares (peers.md §2 d)"

ON_PURPOSE: Mapping[str, Difference] = {
    "topology-aware/affinity-malformed": Difference(
        0,
        {"default/pod0/pod0c0": ("4-7", "1"), "default/pod0/pod0c1": ("8-11", "2")},
        "an affinity that cannot be read is passed over with a warning, as all that tenants write"
        " but strict demands; the peer fails every container of the pod",
    ),
    "topology-aware/classes": Difference(
        8, {"default/pod8/pod8c0": ("0-3,5-7,11,14-15", "0-3")}, SHARES
    ),
    "topology-aware/desktop": Difference(8, {"default/pod7/pod7c0": ("6-7,13-15", "0")}, SHARES),
    "topology-aware/full-machine": Difference(
        2,
        {"default/pod2/pod2c0": ("0", "0")},
        f"{SHARES}; where all else is somebody's own, it runs on the reserved CPU (peers.md §2 c)",
    ),
    "topology-aware/full-machine-shared": Difference(
        1, {"default/pod1/pod1c3": ("1-15", "0-3")}, SHARES
    ),
    "topology-aware/isolated-reserved": Difference(
        1,
        {"default/pod1/pod1c0": ("9", "2")},
        "reserved CPUs are nobody's own (pinning.md §1.7); the peer gives an isolated one away",
    ),
    "topology-aware/memoryless-node": Difference(
        1,
        {"default/pod1/pod1c0": ("10-11,14-15", "2-3")},
        "the best pool has four CPUs and cannot spare them, the next one can; the peer tries one"
        " pool only and refuses (pinning.md §2.5, peers.md §2 d)",
    ),
    "topology-aware/pmem-exclusive": Difference(3, {"default/pod3/pod3c0": ("3", "3,5")}, SHARES),
    "topology-aware/pmem-guarantee": Difference(1, {"default/pod1/pod1c0": ("1-3", "0-7")}, SHARES),
    "topology-aware/pmem-types": Difference(1, {"default/pod1/pod1c0": ("1-3", "0-7")}, SHARES),
    "balloons/match-operators": Difference(
        2,
        {"default/pod2/pod2c0": ("5-7", "1")},
        "pod/qosclass has a value, as documented (pinning.md §2.6); a slip of types leaves the peer"
        " without one, so that nothing ever matches",
    ),
    "balloons/over-committed": Difference(
        2,
        {"default/pod1/pod1c0": ("4-7", "1"), "default/pod2/pod2c0": ("1-3", "0")},
        "maxCPUs holds however few CPUs are idle (pinning.md §3.5): 4 and 3 CPUs are no 5, so there"
        " are two balloons; the peer squeezes both into one",
    ),
    "balloons/update-ignored": Difference(
        1,
        {"default/pod0/pod0c0": ("1-3", "0")},
        "a balloon follows the new request of a container (pinning.md §8.2); the peer ignores it",
    ),
}
"""By ``POLICY/NAME``; each is looked for, so none outlives its reason."""
