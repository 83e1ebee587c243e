# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded machines that nobody lent us: shapes that the lab cannot make, made up in full.

``python3 -m fakes.hand_made`` writes them to ``tests/machines``; a test compares. Each is a
recording of a made-up machine, so it holds only what the reader reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from fakes.files import FakeFiles
from fakes.machines import CPUS, NODES, Memory, Shape, joined, machine_files, sockets
from host_files import as_recording
from model.cpuset import NO_CPUS, CpuSet
from model.files import RecordingFiles
from model.sysfs import read_machine

MACHINES = Path(__file__).parents[1] / "machines"
TIERS = "/sys/devices/virtual/memory_tiering"


def _eight_nodes() -> Shape:
    shape = sockets(2, nodes=4, cores=4, threads=2, gib=32, far=32)
    return replace(shape, isolated=CpuSet.parse("28-31,60-63"))


def _sparse_node_ids() -> Shape:
    """As on POWER9: firmware numbers sockets 0 and 8, and threads by core; no dies."""
    cores = tuple(
        CpuSet(range(first, first + 4)) for first in (*range(0, 16, 4), *range(64, 80, 4))
    )
    local = (joined(cores[:4]), joined(cores[4:]))
    return Shape(
        cores=cores,
        packages={0: local[0], 8: local[1]},
        caches=tuple(joined(cores[pair : pair + 2]) for pair in range(0, 8, 2)),
        cache_kib=10240,
        nodes={
            0: Memory(local[0], 128, (10, 40), {2048: 0, 1048576: 0}),
            8: Memory(local[1], 128, (40, 10), {2048: 512, 1048576: 2}),
        },
    )


def _offline_cpus() -> Shape:
    """CPU 5 is the sibling of CPU 1; node 1 has lost all of its CPUs, and keeps its memory."""
    shape = sockets(2, cores=2, threads=2)
    return replace(shape, offline=CpuSet.parse("2-3,5-7"))


def _numa_off() -> Shape:
    """CONFIG_NUMA=n: no node folder at all, although there are two sockets."""
    shape = sockets(2, cores=4)
    hugepages = "/sys/kernel/mm/hugepages/hugepages-2048kB"
    extra = {f"{hugepages}/nr_hugepages": "128\n", f"{hugepages}/free_hugepages": "100\n"}
    without = {path: None for path in machine_files(shape) if path.startswith(NODES)}
    return replace(shape, extra={**extra, **without})


def _hybrid() -> Shape:
    """Four performance cores with two threads, eight efficiency cores; one package, one L3."""
    performance = tuple(CpuSet((cpu, cpu + 1)) for cpu in range(0, 8, 2))
    efficiency = tuple(CpuSet([cpu]) for cpu in range(8, 16))
    everything = joined(performance + efficiency)
    kinds = {"cpu_core": joined(performance), "cpu_atom": joined(efficiency)}
    return Shape(
        cores=performance + efficiency,
        packages={0: everything},
        dies=(everything,),
        caches=(everything,),
        cache_kib=30720,
        nodes={0: Memory(everything, 64, (10,))},
        extra={f"/sys/devices/{name}/cpus": f"{cpus}\n" for name, cpus in kinds.items()},
    )


def _arm64() -> Shape:
    """No dies, no threads, no ``isolated`` in this kernel, 64 KiB pages; no cache ids either."""
    shape = sockets(2, cores=8, gib=64, far=20)
    sizes = {64: 0, 2048: 0, 524288: 0, 16777216: 0}
    nodes = {number: replace(node, hugepages=sizes) for number, node in shape.nodes.items()}
    return replace(shape, dies=(), nodes=nodes, extra={f"{CPUS}/isolated": None})


def _hbm_flat() -> Shape:
    """As on a Xeon Max in flat mode: each socket's HBM is a CPU-less node and a higher tier."""
    shape = sockets(2, cores=4, gib=128)
    rows = ((10, 21, 13, 23), (21, 10, 23, 13), (13, 23, 10, 23), (23, 13, 23, 10))
    memory = ((shape.packages[0], 128), (shape.packages[1], 128), (NO_CPUS, 64), (NO_CPUS, 64))
    bandwidths = (143360, 143360, 458752, 458752)
    access = "access0/initiators/read_bandwidth"
    return replace(
        shape,
        nodes={n: Memory(*memory[n], distances=rows[n]) for n in range(4)},
        extra={
            **{f"{NODES}/node{n}/{access}": f"{bandwidths[n]}\n" for n in range(4)},
            f"{TIERS}/memory_tier4/nodelist": "0-1\n",
            f"{TIERS}/memory_tier2/nodelist": "2-3\n",
        },
    )


def _cxl_and_pmem() -> Shape:
    """One socket; node 1 is a CXL expander and node 2 persistent memory, both slower tiers."""
    shape = sockets(1, cores=8, threads=2, gib=64)
    rows = ((10, 14, 17), (14, 10, 26), (17, 26, 10))
    memory = ((shape.packages[0], 64), (NO_CPUS, 32), (NO_CPUS, 256))
    return replace(
        shape,
        nodes={n: Memory(*memory[n], distances=rows[n]) for n in range(3)},
        extra={
            f"{TIERS}/memory_tier4/nodelist": "0\n",
            f"{TIERS}/memory_tier22/nodelist": "1-2\n",
            "/sys/bus/cxl/devices/dax_region0/dax0.0/target_node": "1\n",
            "/sys/bus/nd/devices/region0/target_node": "2\n",
        },
    )


def _thousands() -> Shape:
    """Two sockets, eight nodes, 256 CPUs: the largest of all, too long to be kept as a file."""
    return sockets(2, nodes=4, cores=16, threads=2, gib=96, far=32)


HAND_MADE: Mapping[str, tuple[str, Callable[[], Shape]]] = {
    "8n": ("two sockets of four nodes, 64 CPUs with SMT, one node isolated", _eight_nodes),
    "sparse-ids": (
        "node and package ids 0 and 8, four threads a core, 1 GiB pages",
        _sparse_node_ids,
    ),
    "offline": ("half of node 0 and all of node 1 offline", _offline_cpus),
    "numa-off": ("a kernel without NUMA on two sockets: no node folder", _numa_off),
    "hybrid": ("performance and efficiency cores in one package", _hybrid),
    "arm64": ("two sockets, no dies, no threads, no isolated file, four huge page sizes", _arm64),
    "hbm": ("two sockets, each with a CPU-less node of high-bandwidth memory", _hbm_flat),
    "cxl-pmem": ("one socket, a CXL expander, persistent memory", _cxl_and_pmem),
}
"""What is kept in ``tests/machines``, by file name."""


def largest() -> dict[str, str]:
    """The files of the largest machine: 256 CPUs on 8 nodes."""
    return machine_files(_thousands())


def recording(name: str) -> str:
    """The recording of one hand-made machine, as it should stand in ``tests/machines``."""
    title, shape = HAND_MADE[name]
    return recorded(machine_files(shape()), f"hand-made: {title}")


def recorded(texts: Mapping[str, str], title: str) -> str:
    """What ``homenode facts --record`` would keep of a machine with these files."""
    files = RecordingFiles(FakeFiles(texts))
    read_machine(files)
    return as_recording(files.texts, title)


if __name__ == "__main__":
    for machine in HAND_MADE:
        (MACHINES / f"{machine}.machine").write_text(recording(machine), encoding="utf-8")
