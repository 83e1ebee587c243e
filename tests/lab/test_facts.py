# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`homenode facts` in real guests, against lscpu, numactl and hwloc, and against its recording."""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lab.fixtures import GuestKind, on_guests
from lab.guest import Guest

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS.parent / "plugins/module_utils"))

from host_files import open_host  # noqa: E402
from model.cpuset import CpuSet  # noqa: E402
from model.facts import machine_facts  # noqa: E402
from model.sysfs import read_machine  # noqa: E402
from tools.artifacts import build_agent  # noqa: E402

ARCHIVE = "/root/homenode.pyz"
MIB = 1 << 20

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent as it is shipped."""
    target = tmp_path_factory.mktemp("agent") / "homenode.pyz"
    build_agent(target)
    return target


@pytest.fixture
def facts(guest: Guest, archive: Path) -> Facts:
    """What the shipped agent says of the guest, which is as it was made."""
    guest.put(archive, ARCHIVE)
    return facts_of(guest)


def facts_of(guest: Guest, *options: str) -> Facts:
    """The facts of now."""
    found: Facts = json.loads(guest.run(f"python3 {ARCHIVE} facts --json {' '.join(options)}"))
    return found


@on_guests("2n 1.7", "4n 1.7", "ht 1.7", "tier 1.7", "memless 1.7")
def test_every_source_agrees(facts: Facts, guest: Guest, guest_kind: GuestKind) -> None:
    agrees_with_lscpu(facts, guest)
    agrees_with_numactl(facts, guest)
    agrees_with_hwloc(facts, guest)
    agrees_with_its_recording(facts, guest_kind.topology)


@on_guests("ht 1.7")
def test_what_changes_is_seen(facts: Facts, guest: Guest, tmp_path: Path) -> None:
    """Huge pages on node 0, its last CPU offline: and the recording of it says the same."""
    cpus = CpuSet.parse(facts["nodes"][0]["cpus"])
    last = max(cpus)
    pages = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
    guest.run(f"echo 8 > {pages} && echo 0 > /sys/devices/system/cpu/cpu{last}/online")
    changed = facts_of(guest, "--record", "/root/changed.machine")
    assert changed["nodes"][0]["cpus"] == str(cpus - CpuSet([last]))
    assert changed["cpus"]["present"] == facts["cpus"]["present"]
    assert changed["nodes"][0]["memory"]["hugepages"]["2Mi"] == {"total": 8, "free": 8}
    agrees_with_lscpu(changed, guest)
    guest.get("/root/changed.machine", tmp_path)
    assert stable(machine_facts(read_machine(open_host(str(tmp_path / "changed.machine"))))) == (
        stable(changed)
    )


@on_guests("2n 1.7")
def test_a_node_whose_cpus_are_offline_keeps_its_kind(facts: Facts, guest: Guest) -> None:
    cpus = CpuSet.parse(facts["nodes"][1]["cpus"])
    guest.run("; ".join(f"echo 0 > /sys/devices/system/cpu/cpu{cpu}/online" for cpu in cpus))
    node = facts_of(guest)["nodes"][1]
    assert (node["cpus"], node["kind"], node["package"]) == ("", "dram", None)


def agrees_with_lscpu(facts: Facts, guest: Guest) -> None:
    """Which CPUs are online, and which of them share node, package, core and last cache."""
    listed = json.loads(guest.run("lscpu -J -e"))["cpus"]
    online = [cpu for cpu in listed if cpu["online"]]
    caches = next(name for name in online[0] if name.startswith("l1d:"))
    assert facts["cpus"]["online"] == str(CpuSet(cpu["cpu"] for cpu in online))
    for name, groups in {
        "node": [node["cpus"] for node in facts["nodes"] if node["cpus"]],
        "socket": [package["cpus"] for package in facts["packages"]],
        "core": facts["cpus"]["siblings"],
    }.items():
        assert sorted(groups) == grouped((cpu["cpu"], cpu[name]) for cpu in online), name
    assert sorted(cache["cpus"] for cache in facts["last_level_caches"]) == grouped(
        (cpu["cpu"], cpu[caches].rpartition(":")[2]) for cpu in online
    )


def agrees_with_numactl(facts: Facts, guest: Guest) -> None:
    """CPUs, memory in MiB and distances of each node."""
    told = guest.run("numactl --hardware")
    for node in facts["nodes"]:
        found = re.search(rf"^node {node['id']} cpus:(.*)$", told, re.MULTILINE)
        size = re.search(rf"^node {node['id']} size: (\d+) MB$", told, re.MULTILINE)
        row = re.search(rf"^ *{node['id']}:(.*)$", told, re.MULTILINE)
        assert found and size and row, told
        assert node["cpus"] == str(CpuSet(map(int, found[1].split())))
        assert node["memory"]["total_bytes"] // MIB == int(size[1])
        assert list(node["distances"].values()) == list(map(int, row[1].split()))


def agrees_with_hwloc(facts: Facts, guest: Guest) -> None:
    """Packages, dies and last-level caches by their CPUs; the nodes that have memory.

    Not the kinds of memory: hwloc takes the faster of two speeds for HBM, even where the slower
    one has no CPUs.
    """
    tree = ElementTree.fromstring(guest.run("lstopo-no-graphics --of xml"))
    objects = defaultdict(list)
    for one in tree.iter("object"):
        objects[one.get("type")].append(one)
    cpus = {
        kind: sorted(str(mask(one.get("cpuset", ""))) for one in objects[kind])
        for kind in ("Package", "Die", "L3Cache", "Core")
    }
    assert sorted(package["cpus"] for package in facts["packages"]) == cpus["Package"]
    assert sorted(facts["cpus"]["siblings"]) == cpus["Core"]
    assert sorted(cache["cpus"] for cache in facts["last_level_caches"]) == cpus["L3Cache"]
    if cpus["Die"]:  # hwloc leaves out dies that are whole packages
        assert sorted(die["cpus"] for die in facts["dies"]) == cpus["Die"]
    sizes = {int(one.get("cache_size", "0")) for one in objects["L3Cache"]}
    assert {cache["size_bytes"] for cache in facts["last_level_caches"]} == sizes
    memory = {node["id"]: node["memory"]["total_bytes"] for node in facts["nodes"]}
    assert {number: size for number, size in memory.items() if size} == {
        int(one.get("os_index", "-1")): int(one.get("local_memory", "0"))
        for one in objects["NUMANode"]
    }


def agrees_with_its_recording(facts: Facts, topology: str) -> None:
    """The machine in tests/machines, which unit tests build on, is still what the lab makes."""
    recorded = read_machine(open_host(str(TESTS / f"machines/lab-{topology}.machine")))
    assert stable(facts) == stable(machine_facts(recorded))


def stable(facts: Facts) -> Facts:
    """Without the figures that differ from boot to boot and from kernel to kernel."""
    nodes = []
    for node in facts["nodes"]:
        memory = node["memory"]
        there = {"some": memory["total_bytes"] > 0, "pages": list(memory["hugepages"])}
        nodes.append({**node, "memory": there})
    return {**facts, "nodes": nodes, "memory_total_bytes": None}


def grouped(pairs: Iterable[tuple[int, object]]) -> list[str]:
    """CPU lists, sorted as text, of the CPUs with the same second value."""
    groups = defaultdict(list)
    for cpu, group in pairs:
        groups[group].append(cpu)
    return sorted(str(CpuSet(cpus)) for cpus in groups.values())


def mask(text: str) -> CpuSet:
    """hwloc's masks: comma-separated words of 32 bits, the highest first."""
    value = 0
    for word in text.split(","):
        value = value << 32 | int(word, 16)
    return CpuSet.from_mask(value)
