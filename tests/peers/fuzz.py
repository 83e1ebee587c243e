# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random scenarios for both: ``python -m peers.fuzz POLICY FIRST LAST`` plays those seeds.

A scenario is all chance of its seed: machine, configuration, steps. Where ours and the peer part,
the steps that do not matter are taken out, and the rest is kept in ``build/peers``, in the form of
``recorded/``.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

from .compare import difference, on_principle, refusal, seen, simulate
from .peer import PeerBroken, peer_binary, run
from .random_balloons import random_balloons
from .random_pods import Surroundings, random_steps
from .random_topology_aware import random_topology_aware
from .recording import plain, write

MACHINES = (
    "n4c16",
    "n4c16-isolated",
    "n4c16-efficiency",
    "n4c16-l2-of-4",
    "n6-hbm-cxl",
    "c4pmem4",
    "desktop",
    "desktop-l3",
    "hybrid",
    "dies",
    "dies-of-2",
    "xeon",
    "epyc",
)
MEMORY_TYPES = {"n6-hbm-cxl": ("dram", "pmem", "hbm"), "c4pmem4": ("dram", "pmem")}
FOUND = Path(__file__).parents[2] / "build" / "peers"


def scenario(policy: str, seed: int) -> dict[str, Any]:
    """The scenario of *seed*."""
    chance = random.Random(f"{policy} {seed}")
    machine = chance.choice(MACHINES)
    memory_types = MEMORY_TYPES.get(machine, ("dram",))
    config, types = (
        (random_topology_aware(chance), ())
        if policy == "topology-aware"
        else random_balloons(chance, memory_types)
    )
    steps = random_steps(chance, Surroundings(types, memory_types))
    return {"machine": machine, "policy": policy, "config": config, "steps": steps}


def parted(content: Mapping[str, Any], binary: str) -> Optional[tuple[int, str]]:
    """Where ours and the peer part, and how; None for not at all, on principle, or by chance."""
    full = plain(content)
    theirs, ours = run(full, binary), simulate(full)
    words = refusal(theirs["error"] or "", ours["error"] or "")
    if words is not None:
        return -1, words
    found = difference(seen(theirs), seen(ours))
    if found is None or on_principle(seen(theirs), ours, found[0]):
        return None
    if difference(seen(theirs), seen(run(full, binary))) is not None:
        return None
    return found


def shrunk(content: Mapping[str, Any], binary: str) -> tuple[dict[str, Any], str]:
    """*content* with as few steps as still make the two part, and how they part then."""
    kept, words = dict(content), ""
    found = parted(kept, binary)
    while found is not None:
        step, words = found
        kept["steps"] = kept["steps"][: step + 1]
        found = None
        for place in range(step - 1, -1, -1):
            steps = _without(kept["steps"], place)
            with suppress(PeerBroken):  # some steps only keep the peer from breaking
                found = parted({**kept, "steps": steps}, binary)
            if found is not None:
                kept["steps"] = steps
                break
    return kept, words


def main(policy: str, first: int, last: int) -> int:
    """Print where they part; 1 where they do."""
    binary = peer_binary(policy)
    assert binary is not None, "peer absent"
    bad = 0
    for seed in range(first, last):
        content = scenario(policy, seed)
        try:
            found = parted(content, binary)
        except PeerBroken as error:
            print(f"{seed}: peer broken: {str(error)[-300:]}")
            continue
        if found is None:
            continue
        bad += 1
        small, words = shrunk(content, binary)
        path = FOUND / f"{policy}-{seed}.yaml"
        write(path, small)
        print(f"{path}, step {len(small['steps']) - 1}: {words}", flush=True)
    print(f"{last - first} scenarios, {bad} differ")
    return 1 if bad else 0


def _without(steps: list[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    """Without one step and what depends on it."""
    gone = steps[place].get("create")
    rest = [step for number, step in enumerate(steps) if number != place]
    if gone is None:
        return rest
    name = f"{gone.get('namespace', 'default')}/{gone['name']}"
    return [step for step in rest if not _touches(step, name)]


def _touches(step: Mapping[str, Any], pod: str) -> bool:
    named = step.get("delete") or step.get("exit") or step.get("update", {}).get("container", "")
    return f"{named}/".startswith(f"{pod}/")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
