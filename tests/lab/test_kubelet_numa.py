# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role kubelet_numa on nodes of a real cluster, from the first rollout to the last trace.

Two nodes with real kubelets, and a third that only the inventory knows. The second one's kubelet
does not survive the new settings. On each node pods run that a drain leaves alone: nothing that
the role does may touch them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab import kubelet_pods as pods
from lab.kubelet_ansible import Ansible, DryHost, Run, dry_host
from lab.kubelet_fixtures import Cluster
from lab.kubelet_in_guest import KubeNode
from lab.kubelet_pods import KubePod, Seen

LATENCY: dict[str, Any] = {
    "profile": "latency",
    "kube_reserved": {"memory": "128Mi"},
    "reserved_cpus": 1,
    "stays_up_s": 5,
    "probe_pod": pods.IMAGE,
}
NEED = 228 << 20  # what is reserved, and the kubelet's own 100Mi for evictions
UNIT = "kubelet_numa-boot"
STATE = "/var/lib/kubelet/memory_manager_state"
RECORD = "/var/lib/homenode-kubelet/boot.json"
TRAP = "[memorymanager] the expected machine state is different from the real one"
REASON = "the lab ends this kubelet"

# It comes up, answers for a moment, and ends: the hardest failure to see. Then it ends at once.
DOOMED = f"""#!/bin/bash
real=/usr/local/lib/lab/kubelet
case "$*" in *--config-dir*) ;; *) exec $real "$@" ;; esac
if mkdir /run/doomed 2>/dev/null; then
    $real "$@" &
    until (: < /dev/tcp/127.0.0.1/10248) 2>/dev/null; do sleep 0.2; done
    sleep 2
fi
echo 'E0102 03:04:05.6 '$$' run.go:72] "command failed" err="failed to run Kubelet: {REASON}"' >&2
kill -KILL $(jobs -p)
exit 1
"""


@dataclass
class Story:
    """The nodes, their pods, and what the rollout did."""

    one: KubeNode
    two: KubeNode
    dry: DryHost
    ansible: Ansible
    bystanders: list[KubePod]
    workloads: list[KubePod]
    before: dict[str, str]
    seen: list[Seen]
    rollout: Run


@pytest.fixture(scope="module")
def story(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """All that happens before the first test: pods, and the rollout over three hosts."""
    one, two = cluster.join("2n 1.7", "2n 2.x")
    two.guest.run(
        "mkdir -p /usr/local/lib/lab && mv /usr/bin/kubelet /usr/local/lib/lab/kubelet"
        " && cat > /usr/bin/kubelet && chmod 755 /usr/bin/kubelet && systemctl restart kubelet",
        stdin=DOOMED,
    )
    daemons = cluster.plane.make(pods.owner("DaemonSet", "daemon"))
    replicas = cluster.plane.make(pods.owner("ReplicaSet", "web"))
    bystanders, workloads = [], []
    for node, number in ((one, 1), (two, 2)):
        quiet = pods.manifest("quiet", "100m", "16Mi", limited=False)
        bystanders.append(pods.start_static(node, quiet))
        daemon = pods.manifest(f"daemon-{number}", "100m", "16Mi", limited=False, owner=daemons)
        bystanders.append(pods.start(node, daemon))
        web = pods.manifest(f"web-{number}", "1", "32Mi", owner=replicas)
        workloads.append(pods.start(node, web))
    for pod in workloads:
        pod.seen()
    with dry_host("three") as dry:
        ansible = Ansible(tmp_path_factory.mktemp("ansible"), [one, two], dry)
        before = {node.name: files(node) for node in (one, two)}
        seen = [pod.seen() for pod in bystanders]
        rollout = ansible.role(**LATENCY)
        yield Story(one, two, dry, ansible, bystanders, workloads, before, seen, rollout)


@pytest.fixture
def told(story: Story) -> Iterator[Story]:
    """The story, and afterwards: no bystander was restarted or moved to another NUMA node."""
    yield story
    assert_unharmed(story, 0)


@pytest.fixture
def told_of_two(story: Story) -> Iterator[Story]:
    """The same once the first node has booted: its pods are new, the second one's are not."""
    yield story
    assert_unharmed(story, len(story.bystanders) // 2)


def assert_unharmed(story: Story, first: int) -> None:
    """Each bystander from this one on has the container, the process and the memory as before."""
    for pod, before in list(zip(story.bystanders, story.seen, strict=True))[first:]:
        now = pod.seen()
        assert (now.container, now.pid, now.mems) == (before.container, before.pid, before.mems)


def files(node: KubeNode) -> str:
    """Every file that configures the kubelet, with what is in it."""
    folders = "/etc/systemd/system /etc/kubernetes /etc/default /usr/lib/systemd/system/kubelet*"
    own = "/var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env"
    return node.guest.run(f"find {folders} {own} -type f | sort | xargs sha256sum")


def test_the_first_node_is_done(told: Story) -> None:
    one = told.one
    assert told.rollout.failed[one.name] == 0, told.rollout.text
    now = one.configz()
    assert (now["cpuManagerPolicy"], now["memoryManagerPolicy"]) == ("static", "Static")
    assert now["topologyManagerPolicy"] == "single-numa-node"
    state = one.state("memory_manager_state")
    reserved = [cell["memoryMap"]["memory"]["systemReserved"] for cell in cells(state)]
    assert len(reserved) == 2 and all(reserved) and sum(reserved) == NEED
    assert not unschedulable(one)
    assert not told.workloads[0].object(), "the node was not drained"


def test_the_second_node_is_as_it_was(told: Story) -> None:
    two = told.two
    assert (told.rollout.failed[two.name], told.rollout.status) == (1, 2)
    assert REASON in told.rollout.text
    assert files(two) == told.before[two.name]
    two.wait_until_ready()
    now = two.configz()
    assert (now["cpuManagerPolicy"], now["memoryManagerPolicy"]) == ("none", "None")
    assert not unschedulable(two)


def test_the_third_host_is_not_touched(told: Story) -> None:
    assert told.dry.knocks() == 0
    assert told.dry.name not in told.rollout.text.partition("PLAY RECAP")[2]


def test_pods_land_on_one_numa_node(told: Story) -> None:
    """The lab's nodes have CPUs 0-1 and 2-3; one CPU of the first is kept for the house."""
    asked = {"wide": ("300m", "1200Mi"), "pair": ("2", "64Mi"), "part": ("300m", "64Mi")}
    started = {
        name: pods.start(told.one, pods.manifest(name, *amounts)) for name, amounts in asked.items()
    }
    pair, part = started["pair"].seen(), started["part"].seen()
    assert (pair.cpus, pair.mems) == ("2-3", "1")
    assert (part.cpus, part.mems) in (("0-1", "0"), ("0-1", "1"))
    refused = started["wide"].ended_or_running()["status"]
    assert refused["phase"] == "Failed"
    assert refused["reason"] in ("TopologyAffinityError", "UnexpectedAdmissionError")
    told.one.plane.kubectl("delete", "pod", "--now", "--wait=false", *asked)


def test_pods_that_run_keep_their_state(told: Story) -> None:
    """Even if the unit takes this for another boot, and no kubelet runs."""
    guest = told.one.guest
    kept = told.one.text(STATE)
    changed = kept.replace('"total":', '"total":1')
    guest.run(f"systemctl stop kubelet && cat > {STATE}", stdin=changed)
    guest.run(f'sed -i \'s/"boot_id": "./&x/\' {RECORD} && systemctl restart {UNIT}')
    assert told.one.text(STATE) == changed
    assert f"{STATE}: left alone: something runs: pods" in told_at_boot(told.one)
    guest.run(f"cat > {STATE} && systemctl start kubelet", stdin=kept)


def test_a_boot_without_the_unit_is_a_trap(told_of_two: Story) -> None:
    one = told_of_two.one
    one.guest.run(f"systemctl disable {UNIT}")
    one.boot_with((1000, 1048))
    one.until(lambda: TRAP in one.journal(300), "the kubelet has not refused its state")


def test_a_boot_with_the_unit_is_none(told_of_two: Story) -> None:
    one = told_of_two.one
    one.guest.run(f"systemctl stop kubelet; systemctl enable {UNIT}")
    before = one.text(STATE)
    one.boot_with((1008, 1040))
    one.wait_until_ready()
    [copy] = one.guest.run(f"ls {STATE}.homenode-boot-*").split()
    assert one.text(copy) == before
    assert f"{STATE}: moved aside to {copy}: memory of node 0 was " in told_at_boot(one)
    assert one.state("memory_manager_state")["policyName"] == "Static"
    assert TRAP not in one.guest.run("journalctl -b -u kubelet")


def test_a_second_run_changes_nothing(told_of_two: Story) -> None:
    """Though the nodes have another proportion since the last boot."""
    again = told_of_two.ansible.role([told_of_two.one], **LATENCY)
    assert (again.status, again.changed) == (0, {told_of_two.one.name: 0}), again.text


def test_without_the_role_everything_is_as_it_was(told_of_two: Story) -> None:
    """Even that somebody else has cordoned the node."""
    one = told_of_two.one
    one.plane.kubectl("cordon", one.name)
    gone = told_of_two.ansible.role([one], **{**LATENCY, "state": "absent"})
    assert gone.status == 0, gone.text
    assert files(one) == told_of_two.before[one.name]
    assert one.guest.run("find / -xdev -path '*homenode-kubelet*' -o -name 'kubelet_numa*'") == ""
    one.wait_until_ready()
    now = one.configz()
    assert (now["cpuManagerPolicy"], now["memoryManagerPolicy"]) == ("none", "None")
    assert unschedulable(one)


def told_at_boot(node: KubeNode) -> str:
    """What the unit has said since this boot."""
    return node.guest.run(f"journalctl -b -u {UNIT} -o cat --no-pager")


def cells(state: dict[str, Any]) -> list[dict[str, Any]]:
    """What a memory state file says of each NUMA node, in their order."""
    return [cell for _number, cell in sorted(state["machineState"].items())]


def unschedulable(node: KubeNode) -> bool:
    """Whether somebody has cordoned it."""
    return bool(node.plane.get("node", node.name)["spec"].get("unschedulable"))
