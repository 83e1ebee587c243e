# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another configuration or another machine while the agent runs: tried first, then applied.

What cannot be satisfied is told and the old one stays. Out of scope: what is tried (``loop``), and
sections other than ``pinning``, which hold from the next start on.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Callable, Optional

from homenode.intent.config import Config, PinningConfig, parse_config
from homenode.intent.fit import misfits
from homenode.loop import Reconfigured
from model.events import ContainerUpdate
from model.files import Files
from model.machine import Machine
from model.problem import HomenodeProblem, Problem
from model.sysfs import read_machine

from .nearness import Nearness
from .owner import Owner
from .surroundings import surroundings

ONLINE_CPUS = "/sys/devices/system/cpu/online"

Apply = Callable[[Sequence[ContainerUpdate]], object]
Note = Callable[..., None]


class Reload:
    """*read* gives the configuration anew; *apply* tells the runtime; *note* the journal."""

    def __init__(
        self,
        config: Config,
        machine: Machine,
        files: Files,
        nearness: Nearness,
        *,
        owner: Owner,
        read: Callable[[], Config],
        apply: Apply,
        note: Note,
    ) -> None:
        self._config = config
        self._machine = machine
        self._files = files
        self._nearness = nearness
        self._online = self._files.read(ONLINE_CPUS)
        self._owner = owner
        self._read = read
        self._apply = apply
        self._note = note
        self._trying = threading.Lock()
        self._refused: tuple[Problem, ...] = ()
        self._unheeded: tuple[Problem, ...] = ()

    def problems(self) -> list[Problem]:
        """What the operator wanted and does not have."""
        return [*self._in_vain(), *self._refused, *self._unheeded]

    def tell(self) -> None:
        """Note what the configuration that holds from now on says in vain."""
        for problem in self._in_vain():
            self._note("problem", field=problem.field, why=str(problem))

    def configuration(self) -> None:
        """Read the configuration again, and live by it where that can be."""
        with self._trying:
            self._configuration()

    def machine(self) -> None:
        """Look whether CPUs came or went; cheap where none did."""
        with self._trying:
            self._look_at_machine()

    def check(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Verb of the control socket: who would move under the section ``pinning`` of *request*,
        and who is in the way. Raises HomenodeProblem where it cannot be satisfied at all."""
        sections = {"pinning": request.get("pinning")}
        pinning = parse_config(sections, source="configuration").pinning
        around = surroundings(pinning, self._files, self._nearness)
        tried = self._owner.reconfigure(self._machine, pinning, around, dry=True)
        return {
            "moves": [move.as_dict() for move in tried.moves],
            "obstacles": [problem.as_dict() for problem in tried.obstacles],
        }

    def _in_vain(self) -> list[Problem]:
        pinning = self._config.pinning
        return [*misfits(pinning, self._machine), *(pinning.notes if pinning else ())]

    def _configuration(self) -> None:
        try:
            config = self._read()
        except HomenodeProblem as error:
            self._refuse("configuration", (error.problem,))
            return
        self._unheeded = tuple(_needs_restart(self._config, config))
        if self._try("configuration", self._machine, config.pinning):
            self._config = replace(self._config, pinning=config.pinning)
            self.tell()

    def _look_at_machine(self) -> None:
        online = self._files.read(ONLINE_CPUS)
        if online == self._online:
            return
        self._online = online
        try:
            machine = read_machine(self._files)
        except HomenodeProblem as error:
            self._refuse("machine", (error.problem,))
            return
        if self._try("machine", machine, self._config.pinning):
            self._machine = machine

    def _try(self, what: str, machine: Machine, pinning: Optional[PinningConfig]) -> bool:
        try:
            around = surroundings(pinning, self._files, self._nearness)
            tried = self._owner.reconfigure(machine, pinning, around)
        except HomenodeProblem as error:
            self._refuse(what, (error.problem,))
            return False
        if tried.obstacles:
            self._refuse(what, tried.obstacles)
            return False
        self._refused = ()
        self._note("configured", what=what, moved=len(tried.moves))
        self._tell(tried)
        return True

    def _tell(self, tried: Reconfigured) -> None:
        if tried.effects.reply.updates:
            self._apply(tried.effects.reply.updates)

    def _refuse(self, what: str, problems: tuple[Problem, ...]) -> None:
        self._refused = problems
        for problem in problems:
            self._note("problem", field=what, why=str(problem))


def _needs_restart(old: Config, new: Config) -> list[Problem]:
    remedy = "restart the agent: systemctl restart homenode"
    return [
        Problem(one.name, "", "changed, and holds from the next start on", remedy, "configuration")
        for one in fields(Config)
        if one.name != "pinning" and getattr(old, one.name) != getattr(new, one.name)
    ]
