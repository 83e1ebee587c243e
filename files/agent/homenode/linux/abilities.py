# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this machine can do for the agent: found by looking, never inferred from a version.

Each ability says what was found and what follows. Almost only files are read, so a recorded machine
answers as the live one did. Out of scope: abilities of page work, which come with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable, NamedTuple, Optional

from model.cpuset import NodeSet
from model.files import Files
from model.pod_cgroup import KUBEPODS
from model.problem import HomenodeProblem

CAPABILITIES = {19: "CAP_SYS_PTRACE", 23: "CAP_SYS_NICE", 2: "CAP_DAC_READ_SEARCH"}
"""Numbers of <linux/capability.h>; what the service is given, see docs/security.md."""

CGROUP, V1 = "/sys/fs/cgroup", "cgroup v1"
CPU = "/sys/devices/system/cpu/cpu0"
IRQ = "/proc/irq"


@dataclass(frozen=True)
class Ability:
    """*present* is None where a recorded machine cannot tell."""

    name: str
    present: Optional[bool]
    found: str
    effect: str


class Sockets(NamedTuple):
    """Where others listen; of *cri* the first that is there counts."""

    nri: str
    cri: Sequence[str]
    pod_resources: str


Look = Callable[[str], Optional[bool]]
"""Answers a question about a path; None where the machine is a recorded one."""


def probe(files: Files, sockets: Sockets, is_socket: Look, writable: Look) -> tuple[Ability, ...]:
    """Every ability, in the order in which they matter to pinning."""
    cgroup = _cgroup(files)
    return (
        _numa(files),
        cgroup,
        _nri(sockets.nri, is_socket(sockets.nri)),
        _bypass(files, cgroup),
        _cri(sockets.cri, is_socket),
        _pod_resources(sockets.pod_resources, is_socket(sockets.pod_resources)),
        _capabilities(files),
        _numa_balancing(files),
        _pressure(files),
        _isolated(files),
        _clocks(files, writable),
        _idle_states(files, writable),
        _interrupts(files, writable),
    )


def _text(files: Files, path: str) -> str:
    return (files.read(path) or "").strip()


def _numa(files: Files) -> Ability:
    try:
        nodes = NodeSet.parse(_text(files, "/sys/devices/system/node/online"))
    except HomenodeProblem:
        nodes = NodeSet()
    if len(nodes) > 1:
        return Ability("numa", True, f"nodes {nodes}", "workloads get a home node")
    found = f"node {nodes}" if nodes else "no node folder"
    return Ability("numa", False, found, "one memory: CPUs are still kept apart, memory is left")


def _cgroup(files: Files) -> Ability:
    controllers = _text(files, f"{CGROUP}/cgroup.controllers").split()
    if "cpuset" in controllers:
        return Ability("cgroup v2", True, "cpuset controller", "pins are read back and verified")
    legacy = files.read(f"{CGROUP}/cpuset/cpuset.cpus") is not None
    found = V1 if legacy else "no cpuset controller"
    return Ability("cgroup v2", False, found, "pins go through the runtime and stay unverified")


def _nri(path: str, there: Optional[bool]) -> Ability:
    if there:
        return Ability("nri", True, path, "containers are pinned before they start")
    effect = "nothing is pinned: enable NRI in the runtime (role cri_rm does), or use bypass"
    return Ability("nri", there, "not recorded" if there is None else f"no {path}", effect)


def _bypass(files: Files, cgroup: Ability) -> Ability:
    if not cgroup.present and cgroup.found != V1:
        return Ability("bypass", False, "no cpuset controller", "pinning needs NRI")
    there = files.list(CGROUP if cgroup.present else f"{CGROUP}/cpuset")
    found = next((name for name in KUBEPODS if name in there), "no pods yet")
    effect = "pods can be pinned without NRI; no creation can be refused, no class be set"
    return Ability("bypass", True, found, effect)


def _cri(paths: Sequence[str], is_socket: Look) -> Ability:
    looked = {path: is_socket(path) for path in paths}
    found = next((path for path, there in looked.items() if there), "")
    if found:
        return Ability("CRI socket", True, found, "bypass knows annotations")
    effect = "bypass knows annotations where the runtime's files have them (CRI-O, Docker)"
    if None in looked.values():
        return Ability("CRI socket", None, "not recorded", effect)
    return Ability("CRI socket", False, "none at the usual places", effect)


def _pod_resources(path: str, there: Optional[bool]) -> Ability:
    if there:
        return Ability("podresources", True, path, "devices of device plugins can be hints")
    effect = "devices of device plugins are no hints; mounts and device nodes are"
    return Ability("podresources", there, "not recorded" if there is None else f"no {path}", effect)


def _capabilities(files: Files) -> Ability:
    text = _text(files, "/proc/self/status")
    match = re.search(r"^CapEff:\s*([0-9a-f]{1,32})$", text, re.MULTILINE)
    if match is None:
        return Ability("capabilities", None, "not recorded", "asked on the live machine only")
    held = int(match[1], 16)
    missing = [name for bit, name in sorted(CAPABILITIES.items()) if not held >> bit & 1]
    if missing:
        effect = "enough to look and to pin through NRI; not to read other users' memory maps"
        return Ability("capabilities", False, "without " + ", ".join(missing), effect)
    return Ability("capabilities", True, "all that the service needs", "pinning and its read-back")


def _numa_balancing(files: Files) -> Ability:
    value = _text(files, "/proc/sys/kernel/numa_balancing")
    if value in ("", "0"):
        found = "off" if value else "not there"
        return Ability("numa balancing", False, found, "the kernel leaves pages where they are")
    effect = "the kernel also moves pages; inside one home node it has nothing to do"
    return Ability("numa balancing", True, f"mode {value}", effect)


def _pressure(files: Files) -> Ability:
    there = files.read("/proc/pressure/memory") is not None
    effect = "memory work can be held back" if there else "no pressure figures to hold back by"
    return Ability("pressure (PSI)", there, "/proc/pressure" if there else "absent", effect)


def _isolated(files: Files) -> Ability:
    cpus = _text(files, "/sys/devices/system/cpu/isolated")
    effect = "left alone: the boot line set them aside" if cpus else "every CPU may be used"
    return Ability("isolated CPUs", bool(cpus), cpus or "none", effect)


def _clocks(files: Files, writable: Look) -> Ability:
    driver = _text(files, f"{CPU}/cpufreq/scaling_driver")
    if not driver:
        return Ability("CPU clocks", False, "no cpufreq", "CPU classes set no frequency")
    may = writable(f"{CPU}/cpufreq/scaling_max_freq")
    return Ability("CPU clocks", may, driver, _if_writable(may, "CPU classes set frequencies"))


def _idle_states(files: Files, writable: Look) -> Ability:
    folder = f"{CPU}/cpuidle"
    names = [_text(files, f"{folder}/{state}/name") for state in files.list(folder)]
    if not names:
        return Ability("idle states", False, "no cpuidle", "CPU classes disable no C-state")
    may = writable(f"{folder}/state0/disable")
    effect = _if_writable(may, "CPU classes disable C-states, with CAP_SYS_ADMIN")
    return Ability("idle states", may, " ".join(names), effect)


def _interrupts(files: Files, writable: Look) -> Ability:
    numbers = [name for name in files.list(IRQ) if name.isdigit()]
    if not numbers:
        return Ability("interrupts", False, f"none in {IRQ}", "no interrupt is moved")
    may = writable(f"{IRQ}/{numbers[0]}/smp_affinity_list")
    effect = _if_writable(may, "interrupts follow who claims them")
    return Ability("interrupts", may, f"{len(numbers)} in {IRQ}", effect)


def _if_writable(may: Optional[bool], effect: str) -> str:
    return "cannot be written from here" if may is False else effect
