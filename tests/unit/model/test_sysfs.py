# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines from files: the recorded ones row by row, what is missing, what makes no sense."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.files import FakeFiles
from fakes.hand_made import HAND_MADE, MACHINES, largest, recorded, recording
from fakes.machines import CPUS, NODES, machine_files, sockets
from host_files import RecordedFiles, open_host
from model.facts import machine_facts, without_free_figures
from model.machine import Machine
from model.problem import HomenodeProblem
from model.sysfs import read_machine

RECORDED = sorted(MACHINES.glob("*.machine"))
TWO_NODES = machine_files(sockets(2, cores=2))


def machine_named(name: str) -> Machine:
    """One of the machines in tests/machines."""
    return read_machine(open_host(str(MACHINES / f"{name}.machine")))


def changed(**texts: str | None) -> dict[str, str]:
    """The two-node machine with some files changed; None takes a file away."""
    return machine_files(replace(sockets(2, cores=2), extra=texts))


def nodes_of(machine: Machine) -> list[str]:
    return [f"{n.id}:{n.cpus}:{n.kind}:{n.package}" for n in machine.nodes]


NODES_OF = {
    "lab-2n": ["0:0-1:dram:0", "1:2-3:dram:1"],
    "lab-4n": ["0:0-1:dram:0", "1:2-3:dram:1", "2:4-5:dram:2", "3:6-7:dram:3"],
    "lab-ht": ["0:0-3:dram:0", "1:4-7:dram:0", "2:8-11:dram:1", "3:12-15:dram:1"],
    "lab-tier": ["0:0-1:dram:0", "1:2-3:dram:1", "2::memory-only:None"],
    "lab-memless": ["0:0-1:dram:0", "1:2-3:dram:1"],
    "8n": [f"{n}:{4 * n}-{4 * n + 3},{4 * n + 32}-{4 * n + 35}:dram:{n // 4}" for n in range(8)],
    "sparse-ids": ["0:0-15:dram:0", "8:64-79:dram:8"],
    "offline": ["0:0-1,4:dram:0", "1::dram:None"],
    "numa-off": ["0:0-7:dram:None"],
    "hybrid": ["0:0-15:dram:0"],
    "arm64": ["0:0-7:dram:0", "1:8-15:dram:1"],
    "hbm": ["0:0-3:dram:0", "1:4-7:dram:1", "2::hbm:None", "3::hbm:None"],
    "cxl-pmem": ["0:0-15:dram:0", "1::cxl:None", "2::pmem:None"],
}


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_the_nodes_of_a_recorded_machine(file: Path) -> None:
    """A machine without a row here fails: what it is for is told by its row."""
    assert nodes_of(machine_named(file.stem)) == NODES_OF[file.stem]


@pytest.mark.parametrize("name", HAND_MADE)
def test_a_hand_made_machine_is_as_its_generator_writes_it(name: str) -> None:
    kept = (MACHINES / f"{name}.machine").read_text(encoding="utf-8")
    assert kept == recording(name), "run python3 -m fakes.hand_made"


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_recorded_machine_is_whole(file: Path) -> None:
    """Every CPU is in exactly one core and one package, and at most in one cache and one node."""
    machine = read_machine(open_host(str(file)))
    for groups in (machine.siblings, [package.cpus for package in machine.packages]):
        assert sorted(cpu for group in groups for cpu in group) == list(machine.online)
    assert sorted(cpu for node in machine.nodes for cpu in node.cpus) == list(machine.online)
    cached = [cpu for cache in machine.last_level_caches for cpu in cache.cpus]
    assert len(cached) == len(set(cached))
    assert sum(len(node.distances) for node in machine.nodes) == len(machine.nodes) ** 2


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_recorded_machine_is_readable_and_small(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") < 450
    assert max(map(len, text.splitlines())) < 100


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_machine_is_the_same_after_recording_it_again(file: Path) -> None:
    files = open_host(str(file))
    assert isinstance(files, RecordedFiles)
    again = RecordedFiles(files.texts)
    assert read_machine(again) == read_machine(files)
    title = file.read_text(encoding="utf-8").split("\n")[0].lstrip("# ")
    assert recorded(files.texts, title) == file.read_text(encoding="utf-8")


def test_unequal_distances() -> None:
    machine = machine_named("lab-4n")
    assert machine.node(1).distances == {0: 12, 1: 10, 2: 22, 3: 20}


def test_dies_and_threads() -> None:
    machine = machine_named("lab-ht")
    dies = [(die.package, die.id, str(die.cpus)) for die in machine.dies]
    assert dies == [(0, 0, "0-3"), (0, 1, "4-7"), (1, 2, "8-11"), (1, 3, "12-15")]
    assert [str(core) for core in machine.siblings][:2] == ["0-1", "2-3"]
    assert [str(package.nodes) for package in machine.packages] == ["0-1", "2-3"]


def test_a_node_without_memory_has_its_cpus() -> None:
    node = machine_named("lab-memless").node(1)
    assert (node.memory_total_bytes, node.memory_free_bytes, str(node.cpus)) == (0, 0, "2-3")


def test_eight_nodes() -> None:
    machine = machine_named("8n")
    assert machine.threads_per_core == 2
    assert str(machine.siblings[0]) == "0,32"
    assert str(machine.isolated) == "28-31,60-63"
    assert [str(package.nodes) for package in machine.packages] == ["0-3", "4-7"]
    assert len(machine.last_level_caches) == 8
    assert machine.node(5).distances == {0: 32, 1: 32, 2: 32, 3: 32, 4: 12, 5: 10, 6: 12, 7: 12}


def test_sparse_node_ids() -> None:
    machine = machine_named("sparse-ids")
    assert machine.node(8).distances == {0: 40, 8: 10}
    assert machine.node(8).hugepages["1Gi"].total == 2
    assert (machine.threads_per_core, machine.dies) == (4, ())
    assert [(package.id, str(package.nodes)) for package in machine.packages] == [
        (0, "0"),
        (8, "8"),
    ]


def test_offline_cpus_are_present_and_nowhere_else() -> None:
    machine = machine_named("offline")
    assert (str(machine.online), str(machine.present)) == ("0-1,4", "0-7")
    assert [str(core) for core in machine.siblings] == ["0,4", "1"]
    assert [str(package.cpus) for package in machine.packages] == ["0-1,4"]


def test_without_numa_one_node_holds_everything() -> None:
    machine = machine_named("numa-off")
    assert not machine.numa
    assert machine.nodes[0].memory_total_bytes == machine.memory_total_bytes == 32 << 30
    assert (machine.nodes[0].hugepages["2Mi"].total, machine.nodes[0].hugepages["2Mi"].free) == (
        128,
        100,
    )
    assert machine.nodes[0].distances == {0: 10}
    assert [str(package.nodes) for package in machine.packages] == ["0", "0"]


def test_hybrid_cores() -> None:
    machine = machine_named("hybrid")
    assert (str(machine.performance_cpus), str(machine.efficiency_cpus)) == ("0-7", "8-15")
    assert machine.threads_per_core == 2


def test_arm64() -> None:
    machine = machine_named("arm64")
    assert (machine.dies, str(machine.isolated), machine.threads_per_core) == ((), "", 1)
    assert list(machine.nodes[0].hugepages) == ["64Ki", "2Mi", "512Mi", "16Gi"]


def test_the_number_of_reads_is_bounded() -> None:
    """Two a core, 18 a node, 20 more; that machine has 5,421 files."""
    files = FakeFiles(largest())
    machine = read_machine(files)
    assert (len(machine.online), len(machine.nodes), machine.threads_per_core) == (256, 8, 2)
    assert sum(files.reads.values()) <= 2 * len(machine.siblings) + 18 * len(machine.nodes) + 20
    assert max(files.reads.values()) == 1
    assert sum(files.lists.values()) <= 2 * len(machine.nodes) + 1


def test_no_cpu_less_node_no_search_for_its_kind() -> None:
    files = FakeFiles(TWO_NODES)
    read_machine(files)
    assert not [path for path in files.lists if "memory_tiering" in path or "/bus/" in path]


DEFAULTS: Mapping[str, tuple[str, str, object]] = {
    "present is online": ("cpu/present", "cpus.present", "0-3"),
    "nothing is isolated": ("cpu/isolated", "cpus.isolated", ""),
    "no package lists: by id": ("/package_cpus_list", "packages[0].cpus", "0-1"),
    "no package ids: 0": ("/physical_package_id", "packages[0].id", 0),
    "no core lists: alone": ("/core_cpus_list", "cpus.siblings[0]", "0"),
    "no die lists: by id": ("/die_cpus_list", "dies[0].cpus", "0-1"),
    "one CPU without die: no dies": ("cpu2/topology/die_id", "dies", []),
    "no cache lists: alone": ("/shared_cpu_list", "last_level_caches[1].cpus", "1"),
    "no cache size: 0": ("/size", "last_level_caches[0].size_bytes", 0),
    "no node list: by folders": ("node/online", "nodes[1].cpus", "2-3"),
    "no distances: 10 and 20": ("/distance", "nodes[0].distances", {"0": 10, "1": 20}),
    "no count: 0": ("/free_hugepages", "nodes[0].memory.hugepages.2Mi.free", 0),
}


@pytest.mark.parametrize(("end", "query", "value"), DEFAULTS.values(), ids=DEFAULTS.keys())
def test_missing_files_have_a_default(end: str, query: str, value: object) -> None:
    texts = {path: text for path, text in TWO_NODES.items() if not path.endswith(end)}
    assert len(texts) < len(TWO_NODES)
    found: object = machine_facts(read_machine(FakeFiles(texts)))
    for step in query.replace("[", ".").replace("]", "").split("."):
        found = found[int(step)] if isinstance(found, list) else found[step]  # type: ignore[index]
    assert found == value


def test_old_names_of_the_lists_are_known() -> None:
    """Linux before 5.3: thread_siblings_list and core_siblings_list, and no dies."""
    renamed = {"core_cpus_list": "thread_siblings_list", "package_cpus_list": "core_siblings_list"}
    texts = {}
    for path, text in machine_files(sockets(2, cores=2, threads=2)).items():
        folder, _slash, name = path.rpartition("/")
        if not name.startswith("die_"):
            texts[f"{folder}/{renamed.get(name, name)}"] = text
    machine = read_machine(FakeFiles(texts))
    assert [str(core) for core in machine.siblings] == ["0,4", "1,5", "2,6", "3,7"]
    assert [str(package.cpus) for package in machine.packages] == ["0-1,4-5", "2-3,6-7"]


@pytest.mark.parametrize(
    "path", ["/proc/meminfo", f"{CPUS}/online", f"{NODES}/node1/cpulist", f"{NODES}/node1/meminfo"]
)
def test_what_every_linux_has_must_be_there(path: str) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        read_machine(FakeFiles(changed(**{path: None})))
    assert caught.value.problem.field == path
    assert "missing" in caught.value.problem.why


def test_no_machine_at_all() -> None:
    with pytest.raises(HomenodeProblem, match="name the root folder of a Linux machine"):
        read_machine(FakeFiles({}))


NODE1 = f"{NODES}/node1"
NONSENSE: Mapping[str, tuple[str, str, str]] = {
    "letters for CPUs": (f"{NODE1}/cpulist", "zz", "neither a number nor a range"),
    "CPU of another node": (f"{NODE1}/cpulist", "1-3", "CPU 1 is on another node"),
    "CPU of no node": (f"{NODE1}/cpulist", "2", "online CPUs are on no node"),
    "online is empty": (f"{CPUS}/online", "", "no CPU is online"),
    "online is nonsense": (f"{CPUS}/online", "0-", "neither"),
    "more online than present": (f"{CPUS}/present", "0-2", "not present (0-2)"),
    "isolated is nonsense": (f"{CPUS}/isolated", "none", "neither"),
    "core without its CPU": (f"{CPUS}/cpu0/topology/core_cpus_list", "1", "leaves out CPU 0"),
    "cores share a CPU": (f"{CPUS}/cpu1/topology/core_cpus_list", "0-1", "CPU 0 is in another"),
    "package is no number": (f"{CPUS}/cpu0/topology/physical_package_id", "one", "no"),
    "die is no number": (f"{CPUS}/cpu2/topology/die_id", "0x1", "whole number"),
    "caches overlap": (f"{CPUS}/cpu2/cache/index3/shared_cpu_list", "1-3", "CPU 1 is in another"),
    "cache size": (f"{CPUS}/cpu0/cache/index3/size", "big", "size like 32K"),
    "cache level": (f"{CPUS}/cpu0/cache/index0/level", "L1", "whole number"),
    "nodes": (f"{NODES}/online", "all", "neither"),
    "short distances": (f"{NODE1}/distance", "10", "each of the nodes 0-1"),
    "long distances": (f"{NODE1}/distance", "21 10 10", "each of the nodes 0-1"),
    "word among distances": (f"{NODE1}/distance", "21 ten", "each of the nodes 0-1"),
    "negative distance": (f"{NODE1}/distance", "-1 10", "each of the nodes 0-1"),
    "no total": (f"{NODE1}/meminfo", "Node 1 MemFree: 1 kB", "MemTotal: N kB"),
    "no unit": (f"{NODE1}/meminfo", "Node 1 MemTotal: 1\nNode 1 MemFree: 1\n", "MemTotal: N kB"),
    "more free than total": (
        f"{NODE1}/meminfo",
        "Node 1 MemTotal: 1 kB\nNode 1 MemFree: 2 kB\n",
        "above MemTotal 1 kB",
    ),
    "huge pages": (f"{NODE1}/hugepages/hugepages-2048kB/nr_hugepages", "many", "whole number"),
    "binary": (f"{NODE1}/cpulist", "\ufffd\ufffd\x00\x1b[2J", "neither"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "text", "why"), NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_refused_by_file_and_value(path: str, text: str, why: str) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        read_machine(FakeFiles(changed(**{path: f"{text}\n"})))
    problem = caught.value.problem
    assert why in problem.why or why in str(problem)
    assert problem.remedy
    assert problem.field.startswith("/") and "\n" not in str(problem)


@given(st.sampled_from(sorted(TWO_NODES)), st.text(alphabet="0123456789,-:kBM \nz", max_size=12))
def test_whatever_one_file_says_there_is_a_machine_or_a_problem(path: str, text: str) -> None:
    try:
        read_machine(FakeFiles({**TWO_NODES, path: text}))
    except HomenodeProblem as error:
        assert error.problem.field.startswith("/")


def test_a_memoryless_node_is_dram() -> None:
    nothing = "Node 1 MemTotal: 0 kB\nNode 1 MemFree: 0 kB\n"
    machine = read_machine(FakeFiles(changed(**{f"{NODE1}/meminfo": nothing})))
    assert (machine.node(1).memory_total_bytes, machine.node(1).kind) == (0, "dram")


def test_packages_that_firmware_does_not_number_are_one() -> None:
    unknown = {f"{CPUS}/cpu{cpu}/topology/physical_package_id": "-1\n" for cpu in range(4)}
    machine = read_machine(FakeFiles(changed(**unknown)))
    assert [(package.id, str(package.cpus)) for package in machine.packages] == [(0, "0-3")]


def test_caches_are_grouped_by_their_lists_whatever_their_ids_say() -> None:
    lies = {f"{CPUS}/cpu{cpu}/cache/index3/id": "0\n" for cpu in range(4)}
    machine = read_machine(FakeFiles(changed(**lies)))
    assert [(c.id, str(c.cpus), c.level) for c in machine.last_level_caches] == [
        (0, "0-1", 3),
        (1, "2-3", 3),
    ]


def test_without_a_third_level_the_second_is_the_last() -> None:
    shape = replace(sockets(1, cores=2, threads=2), caches=())
    machine = read_machine(FakeFiles(machine_files(shape)))
    assert [(str(c.cpus), c.level) for c in machine.last_level_caches] == [("0,2", 2), ("1,3", 2)]


def test_a_kernel_that_tells_of_no_caches() -> None:
    shape = replace(sockets(1, cores=2), cache_kib=0)
    assert read_machine(FakeFiles(machine_files(shape))).last_level_caches == ()


def test_facts_have_the_structure_that_others_build_on() -> None:
    facts = machine_facts(read_machine(FakeFiles(TWO_NODES)))
    total, free = 16 << 30, 12 << 30
    assert facts["nodes"][1] == {
        "id": 1,
        "cpus": "2-3",
        "kind": "dram",
        "package": 1,
        "memory": {
            "total_bytes": total,
            "free_bytes": free,
            "hugepages": {"2Mi": {"total": 0, "free": 0}},
        },
        "distances": {"0": 21, "1": 10},
    }
    assert facts["packages"] == [
        {"id": 0, "nodes": [0], "cpus": "0-1"},
        {"id": 1, "nodes": [1], "cpus": "2-3"},
    ]
    assert facts["cpus"]["siblings"] == ["0", "1", "2", "3"]
    assert facts["last_level_caches"][0]["size_bytes"] == 32 << 20
    assert (facts["numa"], facts["threads_per_core"]) == (True, 1)
    assert facts["memory_total_bytes"] == 2 * total


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_facts_survive_json(file: Path) -> None:
    facts = machine_facts(read_machine(open_host(str(file))))
    assert json.loads(json.dumps(facts)) == facts


def test_stable_facts_do_not_change_with_free_memory() -> None:
    usage = {
        f"{NODE1}/meminfo": "Node 1 MemTotal: 16777216 kB\nNode 1 MemFree: 5 kB\n",
        f"{NODE1}/hugepages/hugepages-2048kB/free_hugepages": "1\n",
    }
    quiet, busy = (machine_facts(read_machine(FakeFiles(t))) for t in (TWO_NODES, changed(**usage)))
    assert quiet != busy
    assert without_free_figures(quiet) == without_free_figures(busy)
    assert "free" not in json.dumps(without_free_figures(busy))
