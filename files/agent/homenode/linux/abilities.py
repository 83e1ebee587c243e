# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this machine can do for the agent: found by looking, never inferred from a version.

Each ability says what was found and what follows. Only files are read, so a recorded machine
answers as the live one did. Out of scope: abilities of page work, which come with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional

from model.cpuset import NodeSet
from model.files import Files
from model.problem import HomenodeProblem

CAPABILITIES = {19: "CAP_SYS_PTRACE", 23: "CAP_SYS_NICE", 2: "CAP_DAC_READ_SEARCH"}
"""Numbers of <linux/capability.h>; what the service is given, see docs/security.md."""


@dataclass(frozen=True)
class Ability:
    """*present* is None where a recorded machine cannot tell."""

    name: str
    present: Optional[bool]
    found: str
    effect: str


def probe(files: Files, nri_socket: str, nri_socket_there: Optional[bool]) -> tuple[Ability, ...]:
    """Every ability, in the order in which they matter to pinning."""
    return (
        _numa(files),
        _cgroup(files),
        _nri(nri_socket, nri_socket_there),
        _capabilities(files),
        _numa_balancing(files),
        _pressure(files),
        _isolated(files),
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
    controllers = _text(files, "/sys/fs/cgroup/cgroup.controllers").split()
    if "cpuset" in controllers:
        return Ability("cgroup v2", True, "cpuset controller", "pins are read back and verified")
    legacy = files.read("/sys/fs/cgroup/cpuset/cpuset.cpus") is not None
    found = "cgroup v1" if legacy else "no cpuset controller"
    return Ability("cgroup v2", False, found, "pins go through the runtime and stay unverified")


def _nri(path: str, there: Optional[bool]) -> Ability:
    if there:
        return Ability("nri", True, path, "containers are pinned before they start")
    effect = "nothing is pinned: enable NRI in the runtime (role cri_rm does)"
    return Ability("nri", there, "not recorded" if there is None else f"no {path}", effect)


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
