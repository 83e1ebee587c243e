# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to know a kubelet's configuration, and to look at a node that needs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from model.kubelet.effective import Layer, Sources, effective
from roles.kubelet_node import LATENCY, Node
from roles.local_ansible import Ansible
from tools.staging import COLLECTIONS, ROOT, stage

from .figures import Figure, median

BENCH = "kubelet"
BAR_OVER_PING = 2.0
BAR_MERGE_MS = 20.0
BAR_TASKS = 12
DROPINS = 20
CONFIG = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"

Task = Mapping[str, object]


def run(quick: bool) -> Iterator[Figure]:
    """The merge in this process, the module beside ping, and one look of the role."""
    yield _merge(20 if quick else 200)
    stage()
    with tempfile.TemporaryDirectory(prefix="homenode-bench-") as folder:
        yield _over_ping(Path(folder), 3 if quick else 15)
        yield _tasks_of_a_look(Path(folder))


def _merge(rounds: int) -> Figure:
    """Milliseconds for one merge of a base file and 20 drop-ins, each with maps and lists."""
    layers = tuple(Layer(f"{number:02}.conf", _dropin(number)) for number in range(DROPINS))
    sources = Sources(Layer("config.yaml", {"kubeReserved": {"memory": "1Gi"}}), layers)
    taken = []
    for _round in range(rounds):
        began = time.perf_counter()
        effective(sources)
        taken.append((time.perf_counter() - began) * 1000)
    of = {"dropins": DROPINS, "n": rounds}
    return Figure(BENCH, "effective configuration", median(taken), "ms", BAR_MERGE_MS, of)


def _dropin(number: int) -> dict[str, object]:
    return {
        "kubeReserved": {"cpu": f"{number}m", "memory": f"{number + 1}Mi"},
        "evictionHard": {"memory.available": f"{number + 1}Mi", "nodefs.available": "5%"},
        "reservedMemory": [{"numaNode": 0, "limits": {"memory": f"{number + 1}Mi"}}],
        "featureGates": {f"Gate{number}": True},
    }


def _over_ping(folder: Path, rounds: int) -> Figure:
    """Time of the task over the time of a ping beside it, on this host."""
    files = _kubelet_files(folder)
    look = {"homenode.numa.kubelet_config_info": {**files, "version": "1.35"}}
    tasks = [{"name": "ping", "ansible.builtin.ping": {}}, {"name": "look", **look}] * (rounds + 1)
    taken = _times(folder, tasks)
    ping, info = taken["ping"][1:], taken["look"][1:]
    of = {"n": rounds, "ping_ms": round(median(ping) * 1000), "info_ms": round(median(info) * 1000)}
    ratio = median([mine / his for mine, his in zip(info, ping)])
    return Figure(BENCH, "kubelet_config_info over ping", ratio, "x", BAR_OVER_PING, of)


def _kubelet_files(folder: Path) -> dict[str, object]:
    """A kubeadm node's files, as the module's options name them."""
    config, dropins = folder / "config.yaml", folder / "kubelet.conf.d"
    config.write_text(CONFIG)
    dropins.mkdir(exist_ok=True)
    for number in range(3):
        text = CONFIG + f'kubeReserved: {{memory: "{number + 1}Mi"}}\n'
        (dropins / f"{number}.conf").write_text(text)
    flags = [f"--config={config}", f"--config-dir={dropins}", f"--root-dir={folder}"]
    return {"flags": flags, "distribution": "kubeadm"}


def _tasks_of_a_look(folder: Path) -> Figure:
    """How many tasks reach a node in a check run of the role that finds nothing to do.

    The node's systemd and kubelet are those of tests/roles; the profile was applied before.
    """
    ansible = Ansible(folder / "ansible")
    ansible.folder.mkdir()
    here = Node(ansible, folder / "node")
    wanted = {**LATENCY, "kubelet_numa_restart": True, "kubelet_numa_node_is_empty": True}
    wanted["kubelet_numa_boot_helper"] = "auto"
    (here.folder / "systemd").mkdir()
    here.kubelet.start()
    try:
        _succeeded(here.apply(**wanted))
        log = folder / "times-of-the-role"
        ansible.environment.update(_noting(log))
        said = _succeeded(here.apply("--check", **wanted))
    finally:
        here.kubelet.end()
    if "changed=0" not in said:
        raise RuntimeError(f"the second run changes something: {said}")
    reached = sum(line["on_node"] for line in map(json.loads, log.read_text().splitlines()))
    return Figure(BENCH, "tasks that reach the node", reached, "", BAR_TASKS)


def _succeeded(said: str) -> str:
    if "failed=0" not in said:
        raise RuntimeError(f"the role failed: {said}")
    return said


def _times(folder: Path, tasks: Sequence[Task], *flags: str) -> dict[str, list[float]]:
    """Run a play on this host; seconds of every task that reached it, by its name."""
    play = {"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": tasks}
    (folder / "play.json").write_text(json.dumps([play]))
    log = folder / f"times-{time.monotonic_ns()}"
    done = subprocess.run(
        [str(Path(sys.prefix) / "bin/ansible-playbook"), "-i", "localhost,", "play.json", *flags],
        cwd=folder,
        env=_environment(log),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the play failed:\n{done.stdout}{done.stderr}")
    taken: dict[str, list[float]] = {}
    for line in map(json.loads, log.read_text().splitlines()):
        if line["on_node"]:
            taken.setdefault(line["task"], []).append(line["seconds"])
    return taken


def _environment(log: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        **_noting(log),
    }


def _noting(log: Path) -> dict[str, str]:
    """What makes Ansible write its tasks to *log*."""
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests/tools/callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "task_times",
        "TASK_TIMES": str(log),
    }
