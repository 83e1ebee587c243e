# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module kubelet_numa_config with destinations of its own: RKE2's flags, a unit's drop-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from roles.local_ansible import Ansible

GIB = 1 << 30
MACHINE = {
    "nodes": [
        {"id": 0, "cpus": "0-1", "memory": {"total_bytes": 2 * GIB}},
        {"id": 1, "cpus": "2-3", "memory": {"total_bytes": 2 * GIB}},
    ],
    "memory_total_bytes": 4 * GIB,
}
SETTINGS = {
    "cpuManagerPolicy": "static",
    "memoryManagerPolicy": "Static",
    "kubeReserved": {"cpu": "1", "memory": "1Gi"},
}
MARK = "# Written by homenode.numa.kubelet_numa_config: what is changed here will be lost."


def sources(distribution: str, version: str) -> dict[str, Any]:
    return {
        "base": None,
        "base_path": None,
        "dropins": [],
        "flags": [],
        "distribution": distribution,
        "version": version,
        "checkpoints": {},
    }


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


def test_flags_of_rke2(ansible: Ansible, tmp_path: Path) -> None:
    root = tmp_path / "node"
    root.mkdir()
    path = root / "rke2/config.yaml.d/50-homenode-numa.yaml"
    asked: dict[str, Any] = {
        "destination": {"form": "kubelet_args", "path": str(path), "unit": ""},
        "settings": SETTINGS,
        "sources": sources("rke2", "1.31"),
        "numa": MACHINE,
    }
    checked = ansible.module("kubelet_numa_config", "--check", "--diff", **asked)
    assert (checked["changed"], files(root)) == (True, {})
    assert '+  - \\"cpu-manager-policy=static' in checked["printed"].replace('"', '\\"')

    done = ansible.module("kubelet_numa_config", **asked)
    assert done["files"] == [str(path)]
    assert yaml.safe_load(path.read_text()) == {
        "kubelet-arg+": [
            "cpu-manager-policy=static",
            "kube-reserved=cpu=1,memory=1Gi",
            "memory-manager-policy=Static",
            "reserved-memory=0:memory=512Mi",
            "reserved-memory=1:memory=512Mi",
        ]
    }
    assert ansible.module("kubelet_numa_config", **asked)["changed"] is False

    no_flag = {**asked, "settings": {**SETTINGS, "memorySwap": {"swapBehavior": "LimitedSwap"}}}
    refused = ansible.module("kubelet_numa_config", **no_flag)
    assert "memorySwap" in refused["msg"] and "has no flag" in refused["msg"]

    assert ansible.module("kubelet_numa_config", **{**asked, "state": "absent"})["changed"] is True
    assert files(root) == {}


def test_a_unit_gets_its_drop_in_and_loses_it(ansible: Ansible, tmp_path: Path) -> None:
    root = tmp_path / "node"
    units = root / "systemd"
    units.mkdir(parents=True)
    before = files(root)
    unit = units / "homenode-test.service.d/50-homenode-numa.conf"
    path = root / "conf.d/50-homenode-numa.conf"
    asked: dict[str, Any] = {
        "destination": {
            "form": "dropin",
            "path": str(path),
            "unit": "homenode-test",
            "unit_dropin": {"path": str(unit), "text": f"{MARK}\n[Service]\n"},
        },
        "unit_folder": str(units),
        "settings": SETTINGS,
        "sources": sources("kubeadm", "1.35"),
        "numa": MACHINE,
    }
    done = ansible.module("kubelet_numa_config", **asked)
    assert done["reload_needed"] is True
    assert unit.read_text().endswith("[Service]\n")
    assert [item["content"] for item in done["before"]] == [None, None]
    written = files(root)

    # Once the kubelet has its folder, nobody asks for the drop-in any more; it stays.
    later = {**asked, "destination": {**asked["destination"], "unit_dropin": None}}
    assert ansible.module("kubelet_numa_config", **later)["changed"] is False
    assert files(root) == written

    back = {"state": "restored", "before": done["before"], "destination": later["destination"]}
    restored = ansible.module("kubelet_numa_config", unit_folder=str(units), **back)
    assert (restored["changed"], restored["reload_needed"]) == (True, True)
    assert files(root) == before


def test_state_files_come_back(ansible: Ansible, tmp_path: Path) -> None:
    kept, path = tmp_path / "cpu_manager_state.homenode-1", tmp_path / "cpu_manager_state"
    kept.write_text("before")
    path.write_text("after")
    moved = [{"path": str(path), "kept": str(kept)}]
    options = {"state": "restored", "path": str(tmp_path / "x.conf"), "moved": moved}
    assert ansible.module("kubelet_numa_config", "--check", **options)["changed"] is True
    assert path.read_text() == "after"
    assert ansible.module("kubelet_numa_config", **options)["changed"] is True
    assert (path.read_text(), kept.exists()) == ("before", False)
    assert ansible.module("kubelet_numa_config", **options)["changed"] is False
