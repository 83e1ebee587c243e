# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where our settings go, and what makes a kubelet read them."""

from __future__ import annotations

import pytest

from model.kubelet import destination
from model.problem import HomenodeProblem

RKE2_DIR = "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d"
COMMAND = "/usr/bin/kubelet $KUBELET_EXTRA_ARGS"


@pytest.mark.parametrize(
    ("version", "form", "path", "config_dir"),
    [
        ("1.32.0+rke2r1", "dropin", f"{RKE2_DIR}/50-homenode-numa.conf", RKE2_DIR),
        ("1.31.9", "kubelet_args", "/etc/rancher/rke2/config.yaml.d/50-homenode-numa.yaml", ""),
    ],
)
def test_rke2_before_and_after_its_drop_ins(
    version: str, form: str, path: str, config_dir: str
) -> None:
    found = destination.rancher("rke2", "rke2-server", version, RKE2_DIR)
    assert found.as_dict() == {
        "form": form,
        "path": path,
        "config_dir": config_dir,
        "unit": "rke2-server",
        "unit_dropin": None,
        "leftover": "",
    }


def test_after_an_upgrade_our_flags_go() -> None:
    flags = "/etc/rancher/rke2/config.yaml.d/50-homenode-numa.yaml"
    found = destination.rancher("rke2", "rke2-server", "1.32.0", RKE2_DIR, has_flags=True)
    assert (found.form, found.leftover) == ("dropin", flags)
    old = destination.rancher("rke2", "rke2-server", "1.31.9", RKE2_DIR, has_flags=True)
    assert (old.path, old.leftover) == (flags, "")


def test_a_kubelet_with_a_config_dir_keeps_its_unit() -> None:
    found = destination.elsewhere("kubelet", "1.35.4", "/d")
    assert found.path == "/d/50-homenode-numa.conf"
    assert found.unit_dropin is None


def test_a_kubelet_without_one_gets_it() -> None:
    dropin = destination.elsewhere("kubelet", "1.30.0", "/d", COMMAND).unit_dropin
    assert dropin is not None
    assert dropin.path == "/etc/systemd/system/kubelet.service.d/50-homenode-numa.conf"
    assert dropin.text == (
        f"{destination.MARK}\n"
        "# With --config-dir the kubelet reads the drop-ins in that folder.\n"
        "[Service]\n"
        "ExecStart=\n"
        "ExecStart=/usr/bin/kubelet --config-dir=/d $KUBELET_EXTRA_ARGS\n"
    )


def test_old_kubelets_need_a_variable_too() -> None:
    dropin = destination.elsewhere("kubelet", "1.29.9", "/d", COMMAND).unit_dropin
    assert dropin is not None
    assert "\nEnvironment=KUBELET_CONFIG_DROPIN_DIR_ALPHA=1\nExecStart=\n" in dropin.text


def test_a_kubelet_that_is_too_old_is_refused() -> None:
    with pytest.raises(HomenodeProblem, match=r"older than 1\.28"):
        destination.elsewhere("kubelet", "1.27.3", "/d")
