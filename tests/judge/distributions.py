# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A profile on a recorded node of each distribution, from the first look to a real kubelet.

The same code as on a node: the module's look, the action's understanding, the plan, the files. Then
a kubelet is started with all of it, the node's own settings included, and a second plan is made on
the node as the first one left it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from host_files import from_recording
from judge.answers import COLLECTION, ROOT, filter_named
from judge.compare import COMPARED
from judge.court import HEADER, Case, Judge, facts
from judge.topology import topology
from model.kubelet.defaults import RANCHER_DROPINS, RANCHER_FLAGS, version_of
from model.kubelet.flags import FLAGS, name_and_value

NODES = ROOT / "tests/nodes"
BY_USER_DATA = ("bottlerocket",)
"""No shell: see test_user_data."""
ON_NODES = sorted(path.stem for path in NODES.glob("*.node") if path.stem not in BY_USER_DATA)
MACHINE = topology(
    {
        "nodes": [
            {"memory": "192Gi", "cpus": "0-23,48-71"},
            {"memory": "192Gi", "cpus": "24-47,72-95"},
        ]
    }
)
RANCHER_DEFAULTS = {
    "evictionHard": {"imagefs.available": "5%", "nodefs.available": "5%"},
    "evictionMinimumReclaim": {"imagefs.available": "10%", "nodefs.available": "10%"},
}
PROFILE: dict[str, Any] = {
    "cpuManagerPolicy": "static",
    "memoryManagerPolicy": "Static",
    "topologyManagerPolicy": "single-numa-node",
    "topologyManagerScope": "container",
}
SYSTEM_RESERVED = {"memory": "512Mi"}
"""Where the node reserves nothing for the system itself."""
OPTIONS: dict[str, Any] = {
    **dict.fromkeys(("flags", "config_file", "config_dir", "environment_files", "state_dir")),
    "distribution": "auto",
}


@dataclass(frozen=True)
class Row:
    """*files* are those written, *need* what was divided; *changed_again* is the second plan's."""

    distribution: str
    version: str
    files: tuple[str, ...]
    need: str
    starts: bool
    reason: str
    changed_again: bool


THEIR_OWN = {
    "eks-al2": "/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf",
    "rke2": "/etc/rancher/rke2/config.yaml.d/10-site.yaml",
}
"""Files in which a node's owner has reserved memory as flags; no plan can be made beside them."""


class Refused(Exception):
    """The plan has problems, so that nothing is written."""


def row(name: str, version: str, judge: Judge, folder: Path) -> Row:
    """The profile on the node recorded as *name*, unpacked in *folder*, by a kubelet *version*."""
    unpack(name, folder, without=(THEIR_OWN.get(name, ""),))
    found = look(folder, version)
    wanted = settings(found)
    planned, texts = plan(found, wanted)
    outcome = judge.run(as_case(found, planned.settings, texts))
    for path, text in texts.items():
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    _again, same = plan(look(folder, version), wanted)
    need = "" if planned.need is None else str(planned.need.total)
    changed = same[found["destination"]["path"]] != texts[found["destination"]["path"]]
    files = tuple(texts)
    return Row(found["distribution"], version, files, need, outcome.starts, outcome.reason, changed)


def unpack(name: str, folder: Path, without: tuple[str, ...] = ()) -> None:
    """A recorded node as a folder, *without* some of its files."""
    for path, text in from_recording((NODES / f"{name}.node").read_text()).items():
        if path in without:
            continue
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def look(folder: Path, version: str) -> dict[str, Any]:
    """What kubelet_config_info returns on that node."""
    module, action, host = (
        _plugin("modules.kubelet_config_info"),
        _plugin("action.kubelet_config_info"),
        _plugin("module_utils.kubelet_host"),
    )
    given = {**OPTIONS, "version": version}
    fetched = module.run(given, host.Host(str(folder)), lambda _words: "")
    understood: dict[str, Any] = action._understood(json.loads(json.dumps(fetched)), given)
    return understood


def settings(found: Mapping[str, Any]) -> dict[str, Any]:
    """The profile, with memory for the system where the node's owner gives it none."""
    wanted = {**PROFILE, "reservedSystemCPUs": filter_named("cpuset_reserved")(facts(MACHINE), 2)}
    if "memory" not in (found["effective"]["config"].get("systemReserved") or {}):
        wanted["systemReserved"] = SYSTEM_RESERVED
    return wanted


def plan(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """The plan that kubelet_numa_config makes of it, and its files by path. Raises Refused."""
    settings_of = _plugin("module_utils.kubelet_settings")
    planner = _plugin("module_utils.model.kubelet.plan")
    hardware = _plugin("module_utils.model.kubelet.hardware")
    given = {
        "destination": found["destination"],
        "path": None,
        "unit_folder": "/etc/systemd/system",
        "sources": found["sources"],
        "settings": wanted,
        "reserved_memory_split": "proportional",
    }
    at = settings_of.place(given)
    planned = planner.plan(settings_of.request(given, at), hardware.hardware(facts(MACHINE)))
    if planned.problems:
        raise Refused("; ".join(map(str, planned.problems)))
    texts = {str(at.path): planned.text("by hand")}
    if at.unit_text is not None:
        texts[str(at.unit_path)] = at.unit_text
    return planned, texts


def as_case(found: Mapping[str, Any], planned: Mapping[str, Any], texts: dict[str, str]) -> Case:
    """All of it as a kubelet reads it, less what has nothing to do with NUMA (certificates …)."""
    sources, at = found["sources"], found["destination"]["path"]
    base, flags = sources["base"], [flag for flag in sources["flags"] if _ours(flag)]
    dropins = {
        f"{number:02}.conf": {**HEADER, **_compared(layer["settings"])}
        for number, layer in enumerate(sources["dropins"])
    }
    if found["destination"]["form"] == "dropin":
        dropins["50-homenode-numa.conf"] = {**HEADER, **yaml.safe_load(texts[at])}
        if not found["destination"]["leftover"]:
            flags += sources.get("own_args", [])  # they would still be on the node
    else:
        flags += yaml.safe_load(texts[at])["kubelet-arg+"]
    if found["distribution"] in ("rke2", "k3s"):
        if version_of(sources["version"]) >= RANCHER_DROPINS:
            dropins = {"00-defaults.conf": {**HEADER, **RANCHER_DEFAULTS}, **dropins}
        else:
            given = {name_and_value(flag)[0] for flag in flags}
            flags += [flag for flag in RANCHER_FLAGS if name_and_value(flag)[0] not in given]
    return Case(MACHINE, None if base is None else _compared(base), dropins, tuple(flags))


def _ours(flag: str) -> bool:
    return name_and_value(flag)[0] in FLAGS


def _compared(settings: Mapping[str, Any]) -> dict[str, Any]:
    left_out = ("enforceNodeAllocatable", "cgroupsPerQOS", "failSwapOn", "failCgroupV1")
    return {key: settings[key] for key in COMPARED if key in settings and key not in left_out}


def _plugin(name: str) -> Any:
    filter_named("kubelet_effective")  # makes the collection importable
    return importlib.import_module(f"{COLLECTION}.plugins.{name}")
