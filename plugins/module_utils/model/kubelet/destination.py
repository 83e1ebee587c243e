# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where our settings go on a live node, and what makes its kubelet read them.

A kubelet reads drop-ins only where it has ``--config-dir``. RKE2 and k3s give it theirs from
DROPINS on; older ones take flags from a file of their own. Everywhere else a drop-in of the unit
adds it. On 1.28 and 1.29 the kubelet wants a variable besides. Out of scope: writing any of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from . import defaults, systemd_unit
from .distributions import TABLE

MARK = "# Written by homenode.numa.kubelet_numa_config: what is changed here will be lost."
NAME = "50-homenode-numa"
DROPIN, KUBELET_ARGS = "dropin", "kubelet_args"
NEEDS_NO_VARIABLE: defaults.Version = (1, 30)
"""The first that reads ``--config-dir`` without _VARIABLE."""

_VARIABLE = "KUBELET_CONFIG_DROPIN_DIR_ALPHA"


@dataclass(frozen=True)
class UnitDropin:
    """A file with which a unit starts its kubelet with ``--config-dir``."""

    path: str
    text: str


@dataclass(frozen=True)
class Destination:
    """*form* is DROPIN, a KubeletConfiguration in *config_dir*, or KUBELET_ARGS, flags in a file of
    RKE2's or k3s's. *unit_dropin* is None where the *unit* can stay as it is. *leftover* is our
    file of flags from before an upgrade to DROPIN: flags would win over the drop-in, so it goes.
    """

    form: str
    path: str
    config_dir: str
    unit: str
    unit_dropin: Optional[UnitDropin] = None
    leftover: str = ""

    def as_dict(self) -> dict[str, object]:
        """The same, JSON-clean."""
        dropin = self.unit_dropin
        return {
            "form": self.form,
            "path": self.path,
            "config_dir": self.config_dir,
            "unit": self.unit,
            "unit_dropin": None if dropin is None else {"path": dropin.path, "text": dropin.text},
            "leftover": self.leftover,
        }


def rancher(
    distribution: str, unit: str, version: str, config_dir: str, *, has_flags: bool = False
) -> Destination:
    """On a node of RKE2 or k3s; *config_dir* is the one below its data folder.

    *has_flags*: our file of flags is there. Raises HomenodeProblem for a version that is none, or
    too old.
    """
    if defaults.version_of(version) >= defaults.RANCHER_DROPINS:
        leftover = args_file(distribution) if has_flags else ""
        path = f"{config_dir}/{NAME}.conf"
        return Destination(DROPIN, path, config_dir, unit, leftover=leftover)
    return Destination(KUBELET_ARGS, args_file(distribution), "", unit)


def args_file(distribution: str) -> str:
    """Our file of flags on a node of RKE2 or k3s."""
    return f"{TABLE[distribution].config}.d/{NAME}.yaml"


def elsewhere(
    unit: str, version: str, config_dir: str, command: Optional[str] = None
) -> Destination:
    """On any other node. *command* is the unit's own ExecStart, where that lacks the flag.

    Raises HomenodeProblem for a version that is none, or too old.
    """
    known = defaults.version_of(version)
    dropin = None
    if command is not None:
        text = unit_dropin_text(command, config_dir, known)
        dropin = UnitDropin(unit_dropin_path(unit), text)
    return Destination(DROPIN, f"{config_dir}/{NAME}.conf", config_dir, unit, dropin)


def unit_dropin_path(unit: str) -> str:
    """Our drop-in of a unit, without the suffix .service."""
    return f"/etc/systemd/system/{unit}.service.d/{NAME}.conf"


def unit_dropin_text(command: str, config_dir: str, version: defaults.Version) -> str:
    """A drop-in that starts *command* with ``--config-dir``."""
    lines = [
        MARK,
        "# With --config-dir the kubelet reads the drop-ins in that folder.",
        "[Service]",
    ]
    if version < NEEDS_NO_VARIABLE:
        lines.append(f"Environment={_VARIABLE}=1")
    lines.append("ExecStart=")
    lines.append(f"ExecStart={systemd_unit.with_argument(command, f'--config-dir={config_dir}')}")
    return "\n".join(lines) + "\n"
