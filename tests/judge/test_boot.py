# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot trap, shown with real kubelets, and what ``homenode kubelet-boot`` does about it.

A kubelet runs with two pods; the machine is "booted" into another shape; a kubelet is started with
the old state, and once more after the helper. It also asks real kubelets which CPUs they reserve,
and reads their logs as a node's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homenode.cli import main
from homenode.cli.kubelet_boot import BOOT_ID
from judge import build, topology
from judge.court import Case, Judge, facts
from judge.topology import Topology
from model.kubelet import log
from model.kubelet.checksums import CPU_STATE, MEMORY_STATE
from model.kubelet.reserved_cpus import reserve

VERSIONS = (build.NEW, build.OLD)


def shape(*nodes: tuple[str, str], threads: int = 1, pages: int = 0) -> Topology:
    """Nodes by memory and CPUs; *pages* of 2Mi on the first."""
    made = [{"memory": memory, "cpus": cpus} for memory, cpus in nodes]
    huge = {"hugepages": {"2Mi": pages}}
    return topology.topology(
        {"threads": threads, "nodes": [{**made[0], **huge} if pages else made[0], *made[1:]]}
    )


BEFORE = shape(("2010994Ki", "0-1"), ("2010994Ki", "2-3"))
SETTINGS = {
    "memoryManagerPolicy": "Static",
    "cpuManagerPolicy": "static",
    "topologyManagerPolicy": "single-numa-node",
    "systemReserved": {"cpu": "1", "memory": "300Mi"},
    "reservedMemory": [{"numaNode": 0, "limits": {"memory": "400Mi"}}],
}
STRICT = {**SETTINGS, "cpuManagerPolicyOptions": {"strict-cpu-reservation": "true"}}


def pod(name: str, cpu: str, memory: str) -> dict[str, Any]:
    limits = {"resources": {"limits": {"cpu": cpu, "memory": memory}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"hostNetwork": True, "containers": [{"name": "main", "image": "x", **limits}]},
    }


PODS = {"whole": pod("whole", "1", "300Mi"), "part": pod("part", "700m", "200Mi")}
BOOTS: dict[str, tuple[Topology, Mapping[str, Any], str]] = {
    "the same machine": (BEFORE, SETTINGS, ""),
    "the totals drift": (
        shape(("2006898Ki", "0-1"), ("2015090Ki", "2-3")),
        SETTINGS,
        MEMORY_STATE,
    ),
    "huge pages": (
        shape(("2010994Ki", "0-1"), ("2010994Ki", "2-3"), pages=10),
        SETTINGS,
        MEMORY_STATE,
    ),
    "a CPU is gone": (shape(("2010994Ki", "0-1"), ("2010994Ki", "2")), SETTINGS, CPU_STATE),
    "a CPU is new": (shape(("2010994Ki", "0-1"), ("2010994Ki", "2-4")), SETTINGS, CPU_STATE),
    "the same machine, strict": (BEFORE, STRICT, ""),
    "a CPU is new, strict": (shape(("2010994Ki", "0-1"), ("2010994Ki", "2-4")), STRICT, CPU_STATE),
}


@pytest.fixture(scope="module", params=VERSIONS)
def judge(request: pytest.FixtureRequest) -> Iterator[Judge]:
    """A judge of each version."""
    with Judge(request.param) as made:
        yield made


class BootUnit:
    """What the unit runs, on a machine that is a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = folder / "state"
        self._state.mkdir()

    def boot(self, machine: Topology, boot_id: str, state: Mapping[str, str]) -> dict[str, str]:
        """Boot *machine* with *state*; the state that is left."""
        root = self._folder / boot_id
        topology.write(machine, root)
        (root / BOOT_ID.lstrip("/")).parent.mkdir(parents=True)
        (root / BOOT_ID.lstrip("/")).write_text(boot_id)
        for name, text in state.items():
            (self._state / name).write_text(text)
        where = ["--host-root", str(root), "--state-dir", str(self._state)]
        assert main(["kubelet-boot", *where, "--record", str(self._folder / "record")]) == 0
        return {name: (self._state / name).read_text() for name in state if self._has(name)}

    def _has(self, name: str) -> bool:
        return (self._state / name).exists()


@pytest.mark.parametrize("name", BOOTS)
def test_a_boot(judge: Judge, name: str, tmp_path: Path) -> None:
    after, settings, goes = BOOTS[name]
    if judge.version == build.OLD and settings is STRICT:
        refused = judge.run(Case(after, settings))
        assert "unknown CPU Manager Policy option" in refused.reason
        return
    state = _state_with_pods(judge, Case(BEFORE, settings, pods=PODS))
    boot_unit = BootUnit(tmp_path)
    assert boot_unit.boot(BEFORE, "first", state) == state

    again = Case(after, settings, state=state)
    assert judge.run(again).starts == (not goes)
    left = boot_unit.boot(after, "second", state)
    assert set(state) - set(left) == ({goes} if goes else set())
    assert judge.run(replace(again, state=left)).starts


def _state_with_pods(judge: Judge, case: Case) -> dict[str, str]:
    """The state files once the pod with a CPU of its own and both pods' memory are in them."""
    with judge.running(case) as kubelet:
        for _attempt in range(100):
            state = kubelet.state()
            entries = [len(json.loads(text).get("entries") or {}) for text in state.values()]
            if sorted(entries) == [1, 2]:
                return state
            kubelet.wait("no such line", limit_s=0.1)
    raise AssertionError(f"the pods were not admitted: {state}")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
@pytest.mark.parametrize(
    "machine",
    [
        shape(("8Gi", "0-7"), threads=2),
        shape(("4Gi", "0-3,8-11"), ("4Gi", "4-7,12-15"), threads=2),
        shape(*[("2Gi", f"{2 * n}-{2 * n + 1}") for n in range(4)]),
    ],
    ids=["one node, 2 threads", "two nodes, 2 threads", "four nodes"],
)
def test_packed_is_the_kubelets_order(judge: Judge, machine: Topology, count: int) -> None:
    settings = {"cpuManagerPolicy": "static", "systemReserved": {"cpu": str(count)}}
    told = judge.run(Case(machine, settings)).log
    taken = re.search(r'not available for exclusive assignment.* reserved="([^"]*)"', told)
    assert taken is not None
    assert taken[1] == str(reserve(facts(machine), count, whole_cores=False))


REFUSED: dict[str, tuple[Mapping[str, Any], str]] = {
    "the sum": ({"reservedMemory": [{"numaNode": 0, "limits": {"memory": "399Mi"}}]}, "400Mi"),
    "huge pages": (
        {
            "reservedMemory": [
                {"numaNode": 0, "limits": {"memory": "400Mi", "hugepages-2Mi": "2Mi"}}
            ]
        },
        "0",
    ),
    "a policy": ({"memoryManagerPolicy": "static"}, ""),
    "too much": ({"systemReserved": {"cpu": "1", "memory": "9Gi"}}, "9316Mi"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_real_log_is_read(judge: Judge, name: str) -> None:
    changed, want = REFUSED[name]
    outcome = judge.run(Case(BEFORE, {**SETTINGS, **changed}))
    failure = log.last_failure(outcome.log)
    assert not outcome.starts and failure is not None
    assert failure.text == outcome.reason
    assert (failure.reservation.want if failure.reservation else "") == want
    up = judge.run(Case(BEFORE, SETTINGS))
    assert log.reservation(outcome.log + up.log) is None
