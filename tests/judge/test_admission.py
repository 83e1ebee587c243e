# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role's profiles do to pods: real kubelets admit them, or refuse them with these words.

All kubelets are heard first, as many at a time as there is room for; each test then looks at one
record. Beside the rows' own expectations, every record has to keep some rules. Needs root and Go,
see README.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from judge import admission, answers, build, pods
from judge.admission import DROPIN, Record, memory_by_nodes, planned, profile
from judge.court import Judge
from judge.pods import BYSTANDER
from model.cpuset import CpuSet
from model.kubelet.configuration import text_map
from model.problem import HomenodeProblem
from model.quantity import Quantity

PLACES = 3
ALL = pods.load()
WORD = 2**64


@pytest.fixture(scope="session")
def records(request: pytest.FixtureRequest) -> dict[str, Record]:
    """What was seen of the rows that are wanted."""
    names = [getattr(item, "callspec", None) for item in request.session.items]
    wanted = {spec.params["row"] for spec in names if spec and spec.params.get("row") in ALL}
    found: dict[str, Record] = {}
    for version in (build.NEW, build.OLD):
        chosen = [name for name in ALL if name in wanted and ALL[name].version == version]
        if chosen:
            with Judge(version, places=PLACES) as judge:
                hear = partial(admission.hear, judge=judge)
                heard = judge.in_turn(hear, [ALL[name] for name in chosen])
            found.update(zip(chosen, heard, strict=True))
    return found


@pytest.fixture
def record(row: str, records: dict[str, Record]) -> Record:
    assert not records[row].failure, records[row].failure
    return records[row]


@pytest.mark.parametrize("row", ALL)
def test_pods_get_what_the_row_says(record: Record) -> None:
    for pod in record.row.pods.values():
        if pod.refused is None:
            assert pod.name not in record.refused, record.refused[pod.name]
        else:
            reason, message = record.refused[pod.name]
            assert reason == pod.refused["reason"]
            assert pod.refused["message"] in message
        for container, told in pod.containers.items():
            seen = (record.at_first | record.seen).get(f"{pod.name}/{container}")
            for what, value in told.get("gets", {}).items():
                wanted = _shared(record) if value == "shared" else value
                assert getattr(seen, what) == wanted, f"{pod.name}/{container}: {what}"
    for metric, rise in record.row.metrics.items():
        assert record.metrics[metric] == rise, metric


@pytest.mark.parametrize("row", ALL)
def test_rules_are_kept(record: Record) -> None:
    assert not list(_broken(record))


@pytest.mark.parametrize("row", ALL)
def test_the_bystander_is_unharmed(record: Record) -> None:
    """Its CPUs and memory stay; or, where it shares, it has what is left to share."""
    before, now = record.at_first[f"{BYSTANDER}/main"], record.seen[f"{BYSTANDER}/main"]
    assert now.mems == before.mems
    own = f"{BYSTANDER}/main" in record.exclusive()
    assert now.cpus == (before.cpus if own or not before.cpus else _shared(record))


@pytest.mark.parametrize("row", [name for name in ALL if ALL[name].warns])
def test_the_verdict_warns(record: Record) -> None:
    version = record.row.version
    said = answers.answer(record.case, record.machine, version).verdict
    assert said["starts"]
    assert any(record.row.warns in warning for warning in said["warnings"]), said


@pytest.mark.parametrize("row", [name for name in ALL if ALL[name].by_hand])
def test_the_plan_refuses_a_share_that_wraps_a_counter(record: Record) -> None:
    """The kubelet takes it, and then has a node with more to give than its memory."""
    with pytest.raises(HomenodeProblem, match=r"NUMA node 1|strategy\[1\]"):
        planned(record.row, record.machine, record.row.by_hand)
    allocatable = memory_by_nodes(record.podresources["allocatable"])
    assert allocatable[(1,)] > record.row.topology.nodes[1].memory_kib * 1024


@pytest.mark.parametrize("row", [name for name in ALL if ALL[name].apart])
def test_deleted_state_files_move_cpus_away_from_memory(record: Record) -> None:
    """The runtime is told new CPUs, and never other nodes, while podresources claims both."""
    moved = {name for name, seen in record.updates if seen.cpus != record.at_first[name].cpus}
    assert set(record.row.apart) <= moved
    assert all(not seen.mems for _name, seen in record.updates)
    for name in record.row.apart:
        claimed = next(iter(record.resources()[name][1]))
        assert record.seen[name].mems != str(CpuSet(claimed))


@pytest.mark.parametrize("row", [name for name in ALL if ALL[name].apart])
def test_the_verdict_warns_of_live_pods(record: Record) -> None:
    """Before anybody deletes them: another policy, and the state files as they were then."""
    changed = {**record.case.dropins[DROPIN], "memoryManagerPolicy": "None"}
    case = replace(record.case, dropins={DROPIN: changed}, state=record.state)
    said = answers.answer(case, record.machine, record.row.version).verdict
    assert said["reset"] == ["memory_manager_state"]
    assert any("deleted under live ones" in warning for warning in said["warnings"]), said


@pytest.mark.parametrize("name", ["latency", "balanced"])
def test_the_profiles_are_the_role_s(name: str) -> None:
    assert profile(name) == {
        "topologyManagerPolicy": {"latency": "single-numa-node", "balanced": "restricted"}[name],
        "topologyManagerScope": {"latency": "container", "balanced": "pod"}[name],
        "cpuManagerPolicy": "static",
        "memoryManagerPolicy": "Static",
    }


@pytest.mark.parametrize("row", [name for name in ALL if ALL[name].refusals])
def test_the_page_has_every_refusal(row: str) -> None:
    """Users look for the kubelet's words; but for the number of CPUs in them."""
    page = (answers.ROOT / "docs/kubelet/admission.md").read_text()
    for refused in ALL[row].refusals:
        assert f"`{refused['reason']}`" in page
        assert re.sub(r"requested \d", "requested 1", refused["message"]) in page


def _broken(record: Record) -> Iterator[str]:
    """Rules that hold for every record but for the traps that the row names."""
    if record.plan.problems or record.plan.stale:
        yield f"the plan: {record.plan.problems} {record.plan.stale}"
    if not record.row.by_hand:
        yield from _allocatable(record)
    yield from _exclusive(record)
    for pod in record.row.pods.values():
        for container, told in pod.containers.items():
            name = f"{pod.name}/{container}"
            if name in record.seen and name not in record.row.apart:
                yield from _one(record, name, told)


def _allocatable(record: Record) -> Iterator[str]:
    """The role's own arithmetic: each node's memory without its share, CPUs without reserved."""
    told = record.podresources["allocatable"]
    static = record.plan.effective.config["memoryManagerPolicy"] == "Static"
    wanted = {
        (numa_node.id,): numa_node.memory_kib * 1024 - record.plan.shares.get(numa_node.id, 0)
        for numa_node in record.row.topology.nodes
        if static and numa_node.memory_kib
    }
    if memory_by_nodes(told) != wanted:
        yield f"allocatable: {memory_by_nodes(told)}, planned {wanted}"
    reserved = set(record.row.topology.cpus) - set(told.get("cpu_ids", ()))
    listed = record.plan.settings.get("reservedSystemCPUs")
    count = Quantity.parse(text_map(record.plan.settings, "kubeReserved")["cpu"]).ceiling
    if _static(record) and str(CpuSet(reserved)) != (listed or "0"):
        yield f"reserved: {reserved}, planned {listed or count}"


def _exclusive(record: Record) -> Iterator[str]:
    """No CPU is given twice, and none that is reserved."""
    given: dict[int, str] = {}
    allowed = set(record.podresources["allocatable"].get("cpu_ids", ()))
    for name, cpus in record.exclusive().items():
        yield from (f"{name}: {cpu} is reserved" for cpu in set(cpus) - allowed)
        yield from (f"{name}: {cpu} is also {given[cpu]}'s" for cpu in cpus if cpu in given)
        given.update(dict.fromkeys(cpus, name))


def _one(record: Record, name: str, told: Any) -> Iterator[str]:
    """Runtime, podresources and the configuration agree about one container."""
    seen, config = record.seen[name], record.plan.effective.config
    cpus, memory = record.resources().get(name, ((), {}))
    if not seen.made or told.get("kind"):
        return
    if cpus and seen.cpus != str(CpuSet(cpus)):
        yield f"{name}: CPUs {seen.cpus}, podresources {cpus}"
    if _static(record) and not cpus and seen.cpus != _shared(record):
        yield f"{name}: shared CPUs {seen.cpus}, left are {_shared(record)}"
    numa_nodes = {numa_node for key in memory for numa_node in key}
    if set(CpuSet.parse(seen.mems, field="mems")) != numa_nodes:
        yield f"{name}: mems {seen.mems}, podresources {memory}"
    limit = Quantity.parse(str(told.get("memory", "64Mi"))).ceiling
    if memory and sum(memory.values()) != limit:
        yield f"{name}: {memory}, limit {told.get('memory')}"
    of_cpus = {n.id for n in record.row.topology.nodes if set(n.cpus) & set(cpus)}
    single = config["topologyManagerPolicy"] == "single-numa-node"
    if single and cpus and memory and (of_cpus != numa_nodes or len(of_cpus) != 1):
        yield f"{name}: CPUs of {of_cpus}, memory of {numa_nodes}"


def _shared(record: Record) -> str:
    """The CPUs that are left to share: all but the exclusive ones; reserved ones unless strict."""
    options = text_map(record.plan.settings, "cpuManagerPolicyOptions")
    left = set(record.row.topology.cpus)
    if options.get("strict-cpu-reservation") == "true":
        left = set(record.podresources["allocatable"]["cpu_ids"])
    for cpus in record.exclusive().values():
        left -= set(cpus)
    return str(CpuSet(left))


def _static(record: Record) -> bool:
    return bool(record.plan.effective.config["cpuManagerPolicy"] == "static")
