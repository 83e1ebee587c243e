# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back for everything at once: the runtime's own record, the cgroups, the hardware.

The runtime keeps the cpuset it was told and would write it again at the next update, so it is
told the widest one; then each cgroup gets its exact before-value, and is read again.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import Callable

from homenode.enforce.file_knobs import FileKnobs
from homenode.enforce.knobs import cpuset
from homenode.enforce.undo import BeforeValue, UndoLog
from homenode.linux.cgroup import CgroupTree
from homenode.runtime.notice import CONNECTED, RuntimeNotice
from homenode.runtime.plugin import NriPlugin
from homenode.runtime.settings import NriSettings
from host_files import open_host
from model.cpuset import NodeSet
from model.events import NO_CHANGE, ContainerUpdate, Event, Reply, Synchronized
from model.machine import Machine
from model.settings import Settings
from model.sysfs import read_machine
from model.workload import Placement

from .hardware import knobs_at
from .service import Paths

WAIT_S = 10.0

Say = Callable[[str], None]


def undo(paths: Paths, say: Say) -> int:
    """Restore all before-values; how many could not be. Says what was, one line for each cgroup."""
    log, hardware = UndoLog(paths.undo), knobs_at(paths.host_root, paths.hardware)
    values = log.values()
    if not values and not hardware.before:
        say("nothing to give back")
        return 0
    failures = _restore_hardware(hardware, say)
    return failures + (_restore_containers(paths, log, values, say) if values else 0)


def _restore_hardware(hardware: FileKnobs, say: Say) -> int:
    touched = len(hardware.before)
    problems = hardware.give_back()
    for problem in problems:
        say(f"{problem.field}: NOT given back: {problem.why}")
    if touched:
        say(f"{touched - len(problems)} settings of clocks and interrupts: given back, read again")
    return len(problems)


def _restore_containers(paths: Paths, log: UndoLog, values: Sequence[BeforeValue], say: Say) -> int:
    if os.path.exists(paths.nri_socket):
        machine = read_machine(open_host(paths.host_root))
        told = _tell_runtime(paths.nri_socket, values, machine)
        say("the runtime was told" if told else "the runtime did not answer: cgroups only")
    failures = _restore_cgroups(CgroupTree(paths.host_root), values, say)
    if not failures:
        log.keep_only(())
        _forget(paths.ledger)
    return failures


def _restore_cgroups(tree: CgroupTree, values: Sequence[BeforeValue], say: Say) -> int:
    failures = 0
    for value in values:
        if not value.cgroup or tree.placement(value.cgroup) is None:
            continue
        why = cpuset.restore(tree, value.cgroup, value.placement)
        failures += why is not None
        say(
            f"{value.name}: {'given back, read again' if why is None else 'NOT given back: ' + why}"
        )
    return failures


def _tell_runtime(socket: str, values: Sequence[BeforeValue], machine: Machine) -> bool:
    """Register once, answer Synchronize with the wide cpusets, and leave."""
    wide = Placement(
        machine.online, NodeSet(node.id for node in machine.nodes if node.memory_total_bytes)
    )
    touched = {value.container_id: value for value in values}
    synchronized, stop = threading.Event(), threading.Event()

    def handle(event: Event, _deadline: float) -> Reply:
        if not isinstance(event, Synchronized):
            return NO_CHANGE
        return Reply(None, tuple(_updates(event, touched, wide)))

    def noticed(notice: RuntimeNotice) -> None:
        if notice.kind == CONNECTED:
            synchronized.set()

    plugin = NriPlugin(NriSettings(socket, "homenode-undo"), handle, noticed)
    thread = threading.Thread(target=plugin.run, args=(stop,), name="nri", daemon=True)
    thread.start()
    told = synchronized.wait(WAIT_S)
    if told:
        time.sleep(0.5)  # the runtime applies what Synchronize answered after it has the answer
    stop.set()
    plugin.interrupt()
    thread.join(WAIT_S)
    return told


def _updates(
    event: Synchronized, touched: dict[str, BeforeValue], wide: Placement
) -> list[ContainerUpdate]:
    updates = []
    for container in event.containers:
        before = touched.get(container.id)
        if before is not None:
            was = before.placement
            restored = Placement(was.cpus or wide.cpus, was.mems or wide.mems)
            updates.append(ContainerUpdate(container.id, restored, Settings(before.shares)))
    return updates


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # there was none
