# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hardware thread: clocks, idle states and interrupts follow what the policy wishes.

Nothing is touched where no class and no interrupt is configured. Values of before are kept for the
boot that they were read in; ``daemon.undo`` gives them back. Out of scope: who wishes what
(``Policy.hardware``), how a value is held (``enforce.file_knobs``).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from typing import Callable, Optional

from homenode.enforce.file_knobs import FileKnobs
from homenode.enforce.undo import UNBELIEVABLE
from homenode.intent.config import PinningConfig
from homenode.intent.policy_config import BalloonsConfig, CommonConfig
from homenode.linux.cpu_hardware import (
    affinity_path,
    clock_files,
    idle_state_files,
    read_interrupts,
)
from homenode.pinning.cpu_classes import PACKAGE, cpu_settings
from homenode.pinning.interrupt_affinity import wanted_cpus
from homenode.pinning.policy import NO_HARDWARE, Hardware
from homenode.world.world import World
from host_files import open_host
from model.cpuset import CpuSet
from model.files import Files
from model.problem import HomenodeProblem, Problem

from . import store

BOOT_ID = "/proc/sys/kernel/random/boot_id"
PERIOD_S = 30.0
"""How often it is looked whether somebody else has changed what is held, seconds."""
SETTLE_S = 0.1


def knobs_at(host_root: str, path: str) -> FileKnobs:
    """What is held by *path*'s account, if that is of this boot: a boot resets everything."""
    boot = (open_host(host_root).read(BOOT_ID) or "").strip()

    def save(before: str) -> Optional[OSError]:
        return store.write_atomically(path, json.dumps({"boot": boot, "before": before}), 0o600)

    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        remembered = str(found["before"]) if found["boot"] == boot else ""
    except (OSError, *UNBELIEVABLE):
        remembered = ""
    return FileKnobs(host_root, remembered, save)


class Tuner:
    """*files* are the machine's; *changed* is called when there are other problems than before."""

    def __init__(
        self,
        world: Callable[[], World],
        files: Files,
        knobs: FileKnobs,
        changed: Callable[[], None],
    ) -> None:
        self._world = world
        self._files = files
        self._knobs = knobs
        self._changed = changed
        self._due = threading.Event()
        self._done: Optional[tuple[Hardware, Optional[PinningConfig]]] = None
        self._looked = 0.0
        self._problems: list[Problem] = []

    def problems(self) -> list[Problem]:
        """What the hardware or its driver did not take."""
        return self._problems

    def wake(self) -> None:
        """Something may have changed."""
        self._due.set()

    def run(self, stop: threading.Event) -> None:
        """The thread's body; returns soon after *stop* and ``wake``."""
        while not stop.is_set():
            self.tune(time.monotonic())
            if self._due.wait(PERIOD_S):
                stop.wait(SETTLE_S)
                self._due.clear()

    def tune(self, now: float) -> None:
        """Make the hardware as it is wished for; cheap where nothing has changed."""
        world = self._world()
        if world.policy is not None and world.books is None:
            return  # it is not known yet what runs, and that has its CPUs already
        hardware = NO_HARDWARE if world.policy is None else world.policy.hardware(world.books)
        wish = (hardware, world.pinning)
        repair = world.repairs_drift and now - self._looked >= PERIOD_S
        if wish == self._done and not repair:
            return
        self._done, self._looked = wish, now
        spec = None if world.pinning is None else world.pinning.spec
        wanted = {} if spec is None else self._wanted(world, spec, hardware)
        self._tell([*self._knobs.hold(wanted), *self._missing(wanted)])

    def _wanted(self, world: World, spec: CommonConfig, hardware: Hardware) -> dict[str, str]:
        domain = spec.turbo_domain if isinstance(spec, BalloonsConfig) else PACKAGE
        classes = {one.name: one for one in spec.cpu_classes}
        wanted: dict[str, str] = {}
        settings = cpu_settings(world.machine, classes, hardware.cpu_classes, domain)
        for cpu, one in settings.items():
            preference = one.energy_performance_preference
            wanted.update(clock_files(cpu, one.min_khz, one.max_khz, preference, one.governor))
            wanted.update(idle_state_files(self._files, cpu, one.disabled_cstates))
        if hardware.interrupts:
            wanted.update(self._affinities(spec, hardware))
        return wanted

    def _affinities(self, spec: CommonConfig, hardware: Hardware) -> dict[str, str]:
        """Interrupts count as going where they went before us."""
        interrupts = []
        for interrupt, cpus in read_interrupts(self._files):
            before = self._knobs.before.get(affinity_path(interrupt.number), "")
            try:
                interrupts.append((interrupt, CpuSet.parse(before) or cpus))
            except HomenodeProblem:  # no text of a kernel: whoever wrote it there
                interrupts.append((interrupt, cpus))
        found = wanted_cpus(
            interrupts, hardware.allowed, spec.controllable_interrupts, hardware.interrupts
        )
        return {affinity_path(number): str(cpus) for number, cpus in found.items()}

    def _missing(self, wanted: Iterable[str]) -> list[Problem]:
        remedy = "load the driver, or take the setting out of the class"
        return [
            Problem(path, "", "is not there on this machine", remedy)
            for path in wanted
            if path not in self._knobs.before and self._files.read(path) is None
        ]

    def _tell(self, problems: list[Problem]) -> None:
        before, self._problems = self._problems, _each_once(problems)
        if self._problems != before:
            self._changed()


def _each_once(problems: Iterable[Problem]) -> list[Problem]:
    """One for all files of a name that have the same trouble: there may be hundreds."""
    alike: dict[tuple[str, str], list[Problem]] = {}
    for one in problems:
        alike.setdefault((one.field.rpartition("/")[2], one.why), []).append(one)
    return [
        Problem(
            one.field if len(same) == 1 else f"{one.field} and {len(same) - 1} more",
            one.value,
            one.why,
            one.remedy,
            "hardware",
        )
        for same in alike.values()
        for one in same[:1]
    ]
