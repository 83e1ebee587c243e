# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CreateContainer in a guest under a real containerd, with and without the agent, alternating.

Blocks of creations with the agent running and with it stopped, on one guest and one connection;
times are those of the runtime's own call. First with nothing else in the guest, then beside
Burstable pods: when a Guaranteed container takes CPUs for itself, the runtime applies one update
for each of them before it answers. The policy is topology-aware, as the peer's was whose ratio is
1.27 to 1.41 (peers.md §2). Needs the lab's image; ``make demo`` builds it.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fake_runtime.process import ROOT

from .figures import Figure, median, quantile
from .nodes import TOPOLOGY_AWARE

if TYPE_CHECKING:
    from lab.cri import Cri
    from lab.guest import Guest

BENCH = "guest"
BLOCK = 5
BESIDE = {0: 10, 4: 4}
"""How many Burstable pods run meanwhile, and how many blocks are measured: 50 and 20 creations."""

RATIO_BAR = 1.15
"""With nothing beside; else it is the runtime's updates that are measured, one process for each."""

PLACE = "/opt/homenode-bench"
UNIT = "homenode-bench"
STATE = "/run/homenode-bench"


def run(quick: bool) -> Iterator[Figure]:
    """p50 and p99 with and without, and the difference of the medians."""
    from lab.places import places  # the lab's libraries are not everybody's

    if not any(places().images.glob("*")):
        yield Figure(BENCH, "not measured", 0, "", of={"needs": "the lab's image: make demo"})
        return
    from lab import fleet

    with fleet.create(f"bench-{os.getpid()}", "2n", "2.x") as guest, guest.cri() as cri:
        agent = GuestAgent(guest)
        for count, blocks in BESIDE.items():
            agent.start()
            pods = [
                cri.create_pod(f"beside-{number}", qos="Burstable", cpu="100m", memory="16Mi")
                for number in range(count)
            ]
            taken = _take_turns(agent, cri, 2 if quick else blocks)
            for pod in pods:
                pod.remove()
            of = {"accelerator": guest.identity.accelerator, "burstable_beside": count}
            yield from _figures(taken, of)


def _figures(taken: dict[bool, list[float]], of: dict[str, object]) -> Iterator[Figure]:
    for running, values in taken.items():
        told = {**of, "agent": "running" if running else "stopped", "n": len(values)}
        yield Figure(BENCH, "create p50", median(values), "ms", of=told)
        yield Figure(BENCH, "create p99", quantile(values, 0.99), "ms", of=told)
    ratio = median(taken[True]) / median(taken[False])
    limit = None if of["burstable_beside"] else RATIO_BAR
    yield Figure(BENCH, "create p50, running over stopped", ratio, "ratio", limit, of)


def _take_turns(agent: GuestAgent, cri: Cri, blocks: int) -> dict[bool, list[float]]:
    """Milliseconds of each creation, by whether the agent ran; the order turns every time."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number in range(blocks):
        for running in (True, False) if number % 2 else (False, True):
            (agent.start if running else agent.stop)()
            _create_ms(cri)  # the first after a switch also pays for the switch
            taken[running] += [_create_ms(cri) for _sample in range(BLOCK)]
    return taken


def _create_ms(cri: Cri) -> float:
    from lab.cri import RunningPod, single_container
    from lab.pods import Pod, container_config, sandbox_config

    container = single_container("Guaranteed", cpu="1", memory="16Mi")
    running = RunningPod(cri, Pod("sample", str(uuid.uuid4()), [container]))
    config = sandbox_config(running.pod)
    try:
        running.sandbox_id = cri.call("RunPodSandbox", config=config).pod_sandbox_id
        request = {
            "pod_sandbox_id": running.sandbox_id,
            "config": container_config(running.pod, container, cri.capacity),
            "sandbox_config": config,
        }
        began = time.perf_counter()
        running.container_ids["main"] = cri.call("CreateContainer", **request).container_id
        return (time.perf_counter() - began) * 1000
    finally:
        running.remove()


class GuestAgent:
    """The agent of this tree in a guest, as a transient unit."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        guest.run(f"mkdir -p {PLACE}")
        guest.put(ROOT / "files/agent", PLACE)
        guest.put(ROOT / "plugins/module_utils", PLACE)
        guest.run(f"cat > {PLACE}/config.yaml", stdin=TOPOLOGY_AWARE)
        guest.run(f"python3 -m compileall -q {PLACE}")

    def start(self) -> None:
        """Start it where it does not run, and wait until it is synchronized."""
        command = f"/usr/bin/python3 -m homenode run --config-file {PLACE}/config.yaml"
        paths = f"--state-dir {STATE}/state --pid-file {STATE}/pid"
        environment = f"--setenv=PYTHONPATH={PLACE}/agent:{PLACE}/module_utils"
        self._guest.run(
            f"systemctl -q is-active {UNIT} || "
            f"systemd-run -q --collect --unit {UNIT} {environment} {command} {paths}"
        )
        deadline = time.monotonic() + 60
        while not self._connected():
            if time.monotonic() > deadline:
                raise TimeoutError(self._guest.run(f"journalctl -u {UNIT} -n 20", check=False))

    def stop(self) -> None:
        """Stop it where it runs."""
        self._guest.run(f"systemctl -q is-active {UNIT} && systemctl stop {UNIT} || true")
        self._guest.run(f"rm -f {STATE}/status.json")

    def _connected(self) -> bool:
        text = self._guest.run(f"cat {STATE}/status.json 2>/dev/null || true")
        return bool(text.strip()) and bool(json.loads(text)["agent"]["connected"])
