# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""The options of kubelet_numa_config as the model wants them, and its problems as a role says them.

Out of scope: planning (``model.kubelet.plan``), files (``own_files``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from .model.kubelet import flags
from .model.kubelet.destination import NAME
from .model.kubelet.effective import Layer, Sources
from .model.kubelet.plan import DROPIN, FORMS, Request
from .model.kubelet.split import Shares
from .model.problem import HomenodeProblem, Problem
from .model.quantity import amount

DEFAULT_PATH = f"/etc/kubernetes/kubelet.conf.d/{NAME}.conf"
LOG = "the kubelet's log"
CHANGE_THE_NEED = ("kubeReserved", "systemReserved", "evictionHard")
VARIABLES = {
    "topologyManagerPolicy": "topology_manager_policy",
    "topologyManagerPolicyOptions": "topology_manager_policy_options",
    "topologyManagerScope": "topology_manager_scope",
    "cpuManagerPolicy": "cpu_manager_policy",
    "cpuManagerPolicyOptions": "cpu_manager_policy_options",
    "memoryManagerPolicy": "memory_manager_policy",
    "kubeReserved": "kube_reserved",
    "systemReserved": "system_reserved",
    "evictionHard": "eviction_hard",
    "reservedSystemCPUs": "reserved_system_cpus",
    "reservedMemory": "reserved_memory_split",
    "strategy": "reserved_memory_split",
    "version": "version",
    "path": "dropin_name",
}
"""A role's variables, less their prefix, by the field of a problem."""


@dataclass(frozen=True)
class Place:
    """Where our settings go: the file, its form, and what makes the kubelet read it.

    *unit* is "" where no service is known. *unit_text* is None where the unit can stay as it is.
    *leftover* is a file of ours that would win over this one, and has to go.
    """

    path: Path
    form: str
    unit: str
    unit_path: Optional[Path]
    unit_text: Optional[str]
    leftover: Optional[Path] = None

    @property
    def files(self) -> list[Path]:
        """All of our files, those of systemd last."""
        return [path for path in (self.path, self.leftover, self.unit_path) if path is not None]


def place(given: Mapping[str, Any]) -> Place:
    """The options as one place. Raises HomenodeProblem for a destination of another shape."""
    destination = given["destination"] or {}
    unit = str(destination.get("unit") or "")
    dropin = destination.get("unit_dropin") or {}
    form = destination.get("form") or DROPIN
    if form not in FORMS or not isinstance(dropin, Mapping):
        why = "is not what kubelet_config_info returns as destination"
        raise HomenodeProblem("destination", destination, why, "give that result as it is")
    path = Path(given["path"] or destination.get("path") or DEFAULT_PATH)
    if form == DROPIN and path.suffix != ".conf":
        raise HomenodeProblem("path", str(path), "is ignored by kubelets", "end it in .conf")
    unit_path = Path(given["unit_folder"], f"{unit}.service.d", f"{NAME}.conf")
    if dropin:
        unit_path = Path(str(dropin["path"]))
    leftover = Path(str(destination["leftover"])) if destination.get("leftover") else None
    return Place(path, form, unit, unit_path if unit else None, dropin.get("text"), leftover)


def request(given: Mapping[str, Any], at: Place) -> Request:
    """The options as the model wants them."""
    found = given["sources"]
    try:
        base = found["base"]
        sources = Sources(
            base=None if base is None else Layer(str(found["base_path"]), base),
            dropins=tuple(Layer(file["path"], file["settings"]) for file in found["dropins"]),
            flags=tuple(found["flags"]),
            distribution=found["distribution"],
            version=found["version"],
        )
        checkpoints = found["checkpoints"]
    except (KeyError, TypeError) as error:
        why = f"is not what kubelet_config_info returns as sources ({error})"
        raise HomenodeProblem("sources", "", why, "give that result as it is") from error
    if given.get("need_from_log") is not None:
        sources = from_log(sources, given["need_from_log"], given["settings"])
    return Request(
        sources=sources,
        dropin=str(at.path),
        settings=given["settings"],
        strategy=given["reserved_memory_split"],
        checkpoints=checkpoints,
        form=at.form,
        earlier=earlier_shares(found, at),
    )


def earlier_shares(found: Mapping[str, Any], at: Place) -> Shares:
    """The split that our own file has so far; empty where it makes no sense."""
    ours = [file["settings"] for file in found["dropins"] if file["path"] == str(at.path)]
    parsed = flags.parse(found.get("own_args") or ()).values
    settings: Mapping[str, Any] = ours[-1] if ours else parsed
    try:
        return {
            entry["numaNode"]: amount(entry["limits"]["memory"], field="reservedMemory")
            for entry in settings.get("reservedMemory") or ()
        }
    except (AttributeError, KeyError, TypeError, HomenodeProblem):
        return {}


def from_log(sources: Sources, need: int, settings: Mapping[str, Any]) -> Sources:
    """Sources of which only the need is known. A CPU is taken for reserved: the log knows none."""
    for key in CHANGE_THE_NEED:
        if settings.get(key):
            why = f"changes the need, of which only the present value is known, from {LOG}"
            raise HomenodeProblem(key, settings[key], why, "leave it out, or repair the files")
    known = {
        "kubeReserved": {"memory": str(need), "cpu": "1"},
        "evictionHard": {"nodefs.available": "10%"},
    }
    return replace(sources, base=Layer(LOG, known), dropins=(), flags=(), distribution="upstream")


def named(problem: Problem, prefix: str) -> Problem:
    """The same, naming the role's variable: kubeReserved.cpu is kubelet_numa_kube_reserved.cpu."""
    if not prefix:
        return problem
    field = re.sub(r"^\w+", lambda found: variable(found[0], prefix), problem.field)
    remedy = re.sub(r"\b[a-z]+[A-Z]\w+", lambda found: variable(found[0], prefix), problem.remedy)
    return replace(problem, field=field, remedy=remedy)


def variable(key: str, prefix: str) -> str:
    """The role's variable for a key; the key itself where there is none."""
    return f"{prefix}{VARIABLES[key]}" if key in VARIABLES else key
