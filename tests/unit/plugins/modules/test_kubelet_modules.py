# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kubelet modules do by themselves: find flags and files, name variables, write once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import (
    HomenodeProblem,
)
from ansible_collections.homenode.numa.plugins.modules import kubelet_config_info


def test_flags_are_joined_with_their_values() -> None:
    words = ["--config", "/c.yaml", "--v=2", "--fail-swap-on", "--node-ip", "10.0.0.1", "-h", "x"]
    assert kubelet_config_info.joined(words) == [
        "--config=/c.yaml",
        "--v=2",
        "--fail-swap-on",
        "--node-ip=10.0.0.1",
    ]


def test_flags_of_a_kubelet_that_does_not_run(tmp_path: Path) -> None:
    kubeadm = tmp_path / "kubeadm-flags.env"
    kubeadm.write_text(
        'KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.1 --pod-infra-container-image=p:3"\n'
    )
    extra = tmp_path / "kubelet"
    extra.write_text(
        "# a comment\nKUBELET_EXTRA_ARGS=--config-dir=/etc/kubernetes/kubelet.conf.d\n"
    )
    files = [str(kubeadm), str(tmp_path / "missing"), str(extra)]
    assert kubelet_config_info.found_flags(None, files) == [
        "--node-ip=10.0.0.1",
        "--pod-infra-container-image=p:3",
        "--config-dir=/etc/kubernetes/kubelet.conf.d",
    ]


def test_flags_of_a_kubelet_that_runs(tmp_path: Path) -> None:
    (tmp_path / "cmdline").write_bytes(b"/usr/bin/kubelet\0--config\0/c.yaml\0--v=2\0")
    assert kubelet_config_info.found_flags(tmp_path, []) == ["--config=/c.yaml", "--v=2"]


def test_drop_ins_come_in_the_order_of_the_kubelet(tmp_path: Path) -> None:
    (tmp_path / "20-b.conf.d").mkdir()
    for name in ("90-z.conf", "10-a.conf", "20-b.conf.d/1.conf", "20-b.conf", "50-c.yaml"):
        (tmp_path / name).write_text(name)
    found = kubelet_config_info.dropins_in(str(tmp_path))
    assert [file["content"] for file in found] == [
        "10-a.conf",
        "20-b.conf",
        "20-b.conf.d/1.conf",
        "90-z.conf",
    ]
    assert kubelet_config_info.dropins_in(str(tmp_path / "missing")) == []


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "config.yaml"
    large.write_bytes(b"#" * (kubelet_config_info.MAX_BYTES + 1))
    with pytest.raises(HomenodeProblem, match="too large"):
        kubelet_config_info.read(large)
    assert kubelet_config_info.read(tmp_path / "missing") is None
