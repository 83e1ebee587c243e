# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module and action together on recorded nodes: one of each distribution, and broken ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Optional

import pytest

from ansible_collections.homenode.numa.plugins.action import kubelet_config_info as action
from ansible_collections.homenode.numa.plugins.module_utils.host_files import from_recording
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_host import Host
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.modules import kubelet_config_info

NODES = Path(__file__).resolve().parents[3] / "nodes"
OPTIONS: dict[str, Any] = {
    "flags": None,
    "config_file": None,
    "config_dir": None,
    "environment_files": None,
    "state_dir": None,
    "distribution": "auto",
    "version": "1.35.4",
}
HEAD = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"


def unpacked(name: str, folder: Path) -> Path:
    """A recorded node as a folder."""
    for path, text in from_recording((NODES / f"{name}.node").read_text()).items():
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


def look(folder: Path, /, **options: object) -> dict[str, Any]:
    """What the task would return."""
    given = {**OPTIONS, **options}
    fetched = kubelet_config_info.run(given, Host(str(folder)), lambda _words: "")
    understood: dict[str, Any] = action._understood(json.loads(json.dumps(fetched)), given)
    return understood


Node = Callable[..., dict[str, Any]]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    def looked(name: str, /, **options: object) -> dict[str, Any]:
        return look(unpacked(name, tmp_path), **options)

    return looked


KNOWN = {
    "kubeadm": ("kubeadm", True, "kubelet", "/etc/kubernetes/kubelet.conf.d", "100Mi"),
    "kubespray": ("kubespray", False, "kubelet", "/etc/kubernetes/kubelet.conf.d", "868Mi"),
    "rke2": ("rke2", True, "rke2-server", "/data/rke2/agent/etc/kubelet.conf.d", "2Gi"),
    "k3s": ("k3s", True, "k3s", "/srv/k3s/agent/etc/kubelet.conf.d", "512Mi"),
    "eks-al2": ("eks-al2", False, "kubelet", "/etc/kubernetes/kubelet.conf.d", "100Mi"),
    "eks-al2023": (
        "eks-al2023",
        True,
        "kubelet",
        "/etc/kubernetes/kubelet/config.json.d",
        "8462Mi",
    ),
    "upstream": ("upstream", False, "kubelet", "/etc/kubernetes/kubelet.conf.d", "1Gi"),
}


@pytest.mark.parametrize(
    ("name", "running", "unit", "folder", "need"), KNOWN.values(), ids=KNOWN.keys()
)
def test_a_node_of_each_distribution(
    node: Node, name: str, running: bool, unit: str, folder: str, need: str
) -> None:
    found = node(name)
    assert (found["distribution"], found["running"], found["unit"]) == (name, running, unit)
    assert found["destination"]["unit"] == unit
    assert found["destination"]["form"] == "dropin"
    assert found["destination"]["path"] == f"{folder}/50-homenode-numa.conf"
    assert found["destination"]["config_dir"] == folder
    assert found["sources"]["distribution"] == found["effective"]["distribution"] == name
    assert found["unreadable"] == []
    assert found["need"]["quantity"] == need
    assert "not-to-be-seen" not in json.dumps(found)


ADDED = {
    "kubeadm": "/usr/bin/kubelet --config-dir=/etc/kubernetes/kubelet.conf.d $KUBELET_KUBECONFIG",
    "kubespray": "/usr/local/bin/kubelet --config-dir=/etc/kubernetes/kubelet.conf.d $KUBE_LOGTO",
    "eks-al2": "/usr/bin/kubelet --config-dir=/etc/kubernetes/kubelet.conf.d --config /etc/kub",
    "upstream": "/opt/bin/kubelet --config-dir=/etc/kubernetes/kubelet.conf.d --kubeconfig /etc",
    "eks-al2023": None,
    "rke2": None,
    "k3s": None,
}


@pytest.mark.parametrize(("name", "command"), ADDED.items(), ids=ADDED.keys())
def test_a_kubelet_without_a_config_dir_would_get_one(
    node: Node, name: str, command: Optional[str]
) -> None:
    found = node(name)
    dropin = found["destination"]["unit_dropin"]
    if command is None:
        assert dropin is None
        assert found["config_dir"] == found["destination"]["config_dir"]
    else:
        assert f"\nExecStart=\nExecStart={command}" in dropin["text"]
        assert found["config_dir"] == ""


def test_our_own_unit_drop_in_is_not_taken_for_the_units(tmp_path: Path) -> None:
    unpacked("kubeadm", tmp_path)
    before = look(tmp_path)["destination"]
    ours = tmp_path / before["unit_dropin"]["path"].lstrip("/")
    ours.parent.mkdir(parents=True)
    ours.write_text(before["unit_dropin"]["text"])
    with (tmp_path / "proc/812/cmdline").open("a") as file:
        file.write(f"--config-dir={before['config_dir']}\n")
    after = look(tmp_path)
    assert after["destination"] == before
    assert after["config_dir"] == before["config_dir"]


def test_a_kubelet_that_has_a_config_dir_by_its_own_variables_keeps_its_unit(
    tmp_path: Path,
) -> None:
    unpacked("kubeadm", tmp_path)
    (tmp_path / "proc/812/comm").write_text("another\n")
    extra = tmp_path / "etc/default/kubelet"
    extra.parent.mkdir(parents=True)
    extra.write_text("KUBELET_EXTRA_ARGS=--config-dir=/d\n")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/1.conf").write_text(f"{HEAD}kubeReserved: {{memory: 1Gi}}\n")
    found = look(tmp_path)
    assert not found["running"]
    assert found["destination"]["unit_dropin"] is None
    assert found["destination"]["path"] == "/d/50-homenode-numa.conf"
    assert found["need"]["quantity"] == "1124Mi"


def test_a_later_drop_in_that_says_what_is_started_wins_over_ours(tmp_path: Path) -> None:
    unpacked("kubeadm", tmp_path)
    later = tmp_path / "etc/systemd/system/kubelet.service.d/90-site.conf"
    later.parent.mkdir(parents=True)
    later.write_text("[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --v=4\n")
    found = look(tmp_path)
    assert found["destination"]["unit_dropin"] is None
    said = "\n".join(found["warnings"])
    assert "90-site.conf: ExecStart" in said
    assert "add --config-dir=/etc/kubernetes/kubelet.conf.d to the kubelet there" in said
    later.write_text("[Service]\nMemoryMax=4G\n")
    assert look(tmp_path)["destination"]["unit_dropin"] is not None


def test_an_old_kubelet_needs_a_variable(node: Node) -> None:
    text = node("kubeadm", version="1.29.15")["destination"]["unit_dropin"]["text"]
    assert "\nEnvironment=KUBELET_CONFIG_DROPIN_DIR_ALPHA=1\n" in text


def test_rke2_takes_what_the_next_start_will_copy(node: Node) -> None:
    found = node("rke2")
    assert [file["path"].rpartition("/")[2] for file in found["sources"]["dropins"]] == [
        "00-rke2-defaults.conf",
        "10-cli-config.conf",
    ]
    assert found["effective"]["config"]["systemReserved"] == {"memory": "1Gi"}
    assert found["sources"]["flags"] == [
        "kube-reserved=cpu=1,memory=1Gi",
        "reserved-memory=0:memory=2Gi",
    ]
    assert found["state_dir"] == "/var/lib/kubelet"


def test_quotes_in_a_kubelet_arg_reach_the_kubelet(tmp_path: Path) -> None:
    unpacked("rke2", tmp_path)
    site = tmp_path / "etc/rancher/rke2/config.yaml.d/10-site.yaml"
    site.write_text("kubelet-arg+: ['reserved-memory=\"0:memory=2Gi\"']\n")
    found = look(tmp_path)
    said = "\n".join(found["warnings"])
    assert "has quotes, and they reach the kubelet" in said
    assert "the need cannot be computed: --reserved-memory: reservedMemory" in said
    assert found["need"] is None
    assert found["effective"]["errors"][0]["field"] == "reservedMemory"


def test_rke2_before_its_drop_ins_has_our_flags_apart(node: Node) -> None:
    found = node("rke2-1.31", version="1.31.9+rke2r1")
    ours = "/etc/rancher/rke2/config.yaml.d/50-homenode-numa.yaml"
    assert (found["destination"]["form"], found["destination"]["path"]) == ("kubelet_args", ours)
    assert found["config_dir"] == ""
    assert found["sources"]["flags"] == ["kube-reserved=memory=1Gi"]
    assert found["sources"]["own_args"] == [
        "memory-manager-policy=Static",
        "reserved-memory=0:memory=1Gi",
    ]
    assert found["need"]["quantity"] == "1Gi"
    assert found["effective"]["config"]["evictionHard"] == {
        "imagefs.available": "5%",
        "nodefs.available": "5%",
    }


def test_rke2_after_its_drop_ins_names_our_flags_as_a_leftover(node: Node) -> None:
    found = node("rke2-1.31", version="1.32.1+rke2r1")
    ours = "/etc/rancher/rke2/config.yaml.d/50-homenode-numa.yaml"
    assert (found["destination"]["form"], found["destination"]["leftover"]) == ("dropin", ours)


def test_arguments_of_the_k3s_service_replace_those_of_its_files(node: Node) -> None:
    found = node("k3s", version="1.31.4+k3s1")
    assert found["sources"]["flags"] == ["kube-reserved=memory=512Mi"]
    assert any("replaces the kubelet-arg of every file" in said for said in found["warnings"])


def test_the_article_wipes_its_own_reservation(node: Node) -> None:
    found = node("eks-al2", version="1.32.9-eks-113cf36")
    assert "--reserved-memory=0:memory=8462Mi" in found["sources"]["flags"]
    assert found["need"]["quantity"] == "100Mi"
    said = "\n".join(found["warnings"])
    assert "kubelet-config.json: kubeReserved" in said
    assert "is replaced whole by flag --kube-reserved: {'cpu': '1'} wins" in said
    assert "quotes" not in said


def test_bottlerocket_is_refused(node: Node) -> None:
    with pytest.raises(HomenodeProblem, match="render user data"):
        node("bottlerocket")


def test_flags_that_are_known_and_name_no_file_mean_none(node: Node) -> None:
    found = node("upstream")
    assert found["sources"]["base"] is None
    assert found["state_dir"] == "/srv/kubelet"
    assert found["sources"]["checkpoints"]["cpu_manager_state"]["policyName"] == "none"
    assert found["need"]["terms"]["eviction"] == 0


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HomenodeProblem, match="no kubelet runs, and there is none of"):
        look(tmp_path)
    named = look(tmp_path, distribution="kubeadm", version=None)
    assert named["sources"]["base"] is None
    assert named["warnings"][0].startswith("no kubelet told its version")


def test_a_kubelet_that_is_too_old_is_refused(node: Node) -> None:
    with pytest.raises(HomenodeProblem, match=r"older than 1\.28"):
        node("kubeadm", version="1.27.16")


def _half(path: Path) -> None:
    path.write_text("kind: KubeletConfiguration\nevictionHard: {memory")


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.name)


def _large(path: Path) -> None:
    path.write_bytes(b"#" * ((1 << 20) + 1))


def _fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def _dangling(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("gone")


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "half written": (_half, "line 2"),
    "a folder": (_folder, "cannot be read: Is a directory"),
    "a loop": (_loop, "cannot be read: Too many levels of symbolic links"),
    "too large": (_large, "has more than 1 MiB"),
    "a fifo": (_fifo, "is no regular file"),
    "a link to nothing": (_dangling, "is a link to nothing"),
    "binary": (lambda path: path.write_bytes(b"\0\xff\xfe" * 9), "content"),
    "a list": (lambda path: path.write_text("- 1\n"), "is not a mapping"),
    "gone": (lambda path: path.unlink(), "is not there"),
}


@pytest.mark.parametrize(("broken", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_named_and_may_be_tolerated(
    tmp_path: Path, broken: Callable[[Path], object], words: str
) -> None:
    unpacked("kubeadm", tmp_path)
    broken(tmp_path / "var/lib/kubelet/config.yaml")
    with pytest.raises(action.Unreadable, match=words) as caught:
        look(tmp_path)
    assert "/var/lib/kubelet/config.yaml" in str(caught.value)
    found = look(tmp_path, tolerate_unreadable=True)
    assert (found["effective"], found["need"]) == (None, None)
    assert [problem["source"] for problem in found["unreadable"]] == [
        "/var/lib/kubelet/config.yaml"
    ]
    assert found["sources"]["base"] is None
    assert found["destination"]["unit_dropin"] is not None


def test_a_drop_in_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    unpacked("eks-al2023", tmp_path)
    folder = tmp_path / "etc/kubernetes/kubelet/config.json.d"
    (folder / "50-a.conf").write_text("maxPods: 9\n")
    _folder(folder / "60-b.conf")
    _loop(folder / "70-c.conf")
    found = look(tmp_path, tolerate_unreadable=True)
    assert [problem["source"].rpartition("/")[2] for problem in found["unreadable"]] == [
        "70-c.conf",
        "50-a.conf",
    ]
    assert [Path(file["path"]).name for file in found["sources"]["dropins"]] == ["40-nodeadm.conf"]


def test_a_state_file_that_cannot_be_read_leaves_the_configuration(tmp_path: Path) -> None:
    unpacked("kubeadm", tmp_path)
    _folder(tmp_path / "var/lib/kubelet/cpu_manager_state")
    found = look(tmp_path, tolerate_unreadable=True)
    assert found["need"]["quantity"] == "100Mi"
    assert found["unreadable"][0]["source"] == "/var/lib/kubelet/cpu_manager_state"


def test_a_data_folder_that_was_guessed_wrong_is_refused(tmp_path: Path) -> None:
    unpacked("rke2", tmp_path)
    config = tmp_path / "etc/rancher/rke2/config.yaml"
    config.write_text(config.read_text().replace("/data/rke2 #", ">-\n  /data/other\n#"))
    with pytest.raises(HomenodeProblem, match="data-dir"):
        look(tmp_path)


def test_options_of_the_service_say_where_its_files_are(tmp_path: Path) -> None:
    unit = tmp_path / "etc/systemd/system/k3s-blue.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(
        "[Service]\nExecStart=/opt/k3s agent -c /srv/blue.yaml -d /srv/blue --token t0p\n"
    )
    for name, text in (("comm", "k3s-agent"), ("cgroup", "0::/system.slice/k3s-blue.service")):
        (tmp_path / "proc/7").mkdir(parents=True, exist_ok=True)
        (tmp_path / "proc/7" / name).write_text(f"{text}\n")
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv/blue.yaml").write_text("kubelet-arg: root-dir=/srv/kubelet\n")
    found = look(tmp_path)
    assert (found["distribution"], found["unit"], found["running"]) == ("k3s", "k3s-blue", True)
    assert found["config_dir"] == "/srv/blue/agent/etc/kubelet.conf.d"
    assert found["sources"]["flags"] == ["root-dir=/srv/kubelet"]
    assert found["state_dir"] == "/srv/kubelet"
    assert "t0p" not in json.dumps(found)


def test_a_broken_file_of_rke2_is_named(tmp_path: Path) -> None:
    unpacked("rke2", tmp_path)
    (tmp_path / "etc/rancher/rke2/config.yaml").write_text("data-dir: /data/rke2\nkubelet-arg: [")
    with pytest.raises(action.Unreadable, match=r"/etc/rancher/rke2/config\.yaml: line 2"):
        look(tmp_path)
    found = look(tmp_path, tolerate_unreadable=True)
    assert found["effective"] is None
    assert found["destination"]["config_dir"] == "/data/rke2/agent/etc/kubelet.conf.d"


def test_a_need_that_cannot_be_computed_is_said(tmp_path: Path) -> None:
    unpacked("kubeadm", tmp_path)
    with (tmp_path / "var/lib/kubelet/config.yaml").open("a") as file:
        file.write('evictionHard: {memory.available: "5%"}\n')
    assert look(tmp_path)["need"]["bytes"] == 3371117208
    (tmp_path / "proc/meminfo").unlink()
    found = look(tmp_path)
    assert found["need"] is None
    assert any(said.startswith("the need cannot be computed: ") for said in found["warnings"])
