# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people see: the table and the explanation, from JSON alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Optional

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.intent.nri_plugins import PREFER_SHARED
from homenode.report.explain import explain, explain_failed, find, find_failed
from homenode.report.status import status, table, with_live
from homenode.world.decision import EXCLUSIVE, Candidate, Decision
from model.cpuset import CpuSet, NodeSet
from model.events import CgroupRead
from model.problem import Problem
from model.workload import Placement

TWO = machine(sockets(2, cores=4))
SHARES = "container shares the CPUs that nobody owns"
AGENT = {"version": "1.2.3", "pid": 77, "runtime": "connected to fake 1", "problems": []}


def shown(fake: FakeNode, cgroups: Optional[Mapping[str, Placement]] = None) -> dict[str, Any]:
    """The status as the command line gets it: through JSON, then read live."""
    stored = json.loads(json.dumps(status(fake.world, AGENT)))
    held = fake.book if cgroups is None else cgroups
    by_path = {one["cgroup"]: one["id"] for one in stored["containers"]}

    def live(path: str) -> Optional[Mapping[str, Any]]:
        placement = held.get(by_path[path])
        if placement is None:
            return None
        mems = placement.mems or NodeSet([0, 1])
        return {
            "cpus": str(placement.cpus or TWO.online),
            "mems": str(mems),
            "numa_bytes": {min(mems): 3 << 20, max(mems) + 1: 1 << 20},
        }

    return with_live(stored, live)


def explained(fake: FakeNode, pod: str) -> str:
    (container,) = find(shown(fake), pod)
    return explain(container)


def test_the_table() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=web B1=job E=idle")
    assert table(shown(fake)).splitlines() == [
        "homenode 1.2.3, pid 77: connected to fake 1; shared CPUs 0,3-7, own CPUs 1-2",
        "CONTAINER          QOS         CPUS   MEMS  IN CGROUP  WHY",
        f"default/idle/idle  BestEffort  0,3-7  0-1   verified   a BestEffort {SHARES}",
        f"default/job/job    Burstable   0,3-7  0-1   verified   a Burstable {SHARES}",
        "default/web/web    Guaranteed  1-2    0     verified   node 0 has the most room",
    ]


def test_an_empty_node() -> None:
    assert table(shown(FakeNode(TWO))).splitlines() == [
        "homenode 1.2.3, pid 77: connected to fake 1; shared CPUs 0-7, own CPUs -",
        "CONTAINER  QOS  CPUS  MEMS  IN CGROUP  WHY",
    ]


CGROUPS: dict[str, tuple[dict[str, Placement], str]] = {
    "verified": ({"a": Placement(CpuSet.parse("1-2"), NodeSet([0]))}, "verified"),
    "other CPUs": ({"a": Placement(CpuSet.parse("0-7"), NodeSet([0]))}, "DIFFERS"),
    "other memory": ({"a": Placement(CpuSet.parse("1-2"), NodeSet([1]))}, "DIFFERS"),
    "unread": ({}, "unread"),
}


@pytest.mark.parametrize("row", CGROUPS.values(), ids=CGROUPS)
def test_what_the_cgroup_shows_is_beside_what_was_granted(
    row: tuple[dict[str, Placement], str],
) -> None:
    cgroups, word = row
    fake = FakeNode(TWO)
    fake.run("G2=a")
    assert f" {word} " in table(shown(fake, cgroups))


def test_with_pinning_off_the_containers_are_still_there() -> None:
    fake = FakeNode(TWO, None)
    fake.run("G2=a")
    assert "pinning is off" in table(shown(fake))
    assert "pinning is off: nothing was decided" in explained(fake, "a")


def test_problems_stand_below_the_table() -> None:
    fake = FakeNode(TWO)
    fake.create("G2", "a", annotations={PREFER_SHARED: "perhaps"})
    fake.create("G1", "b", start=False)
    fake.remove("b")
    fake.send(CgroupRead("a", Placement(CpuSet.parse("0-7"), NodeSet([0]))))
    current = shown(fake)
    current["agent"]["problems"] = [Problem("ledger", "/l", "is torn", "nothing").as_dict()]
    lines = table(current).splitlines()[3:]
    assert [line.split(": ")[0] for line in lines] == [
        "! agent",
        "! default/b/b",
        "! default/a/a",
        "! default/a/a",
    ]
    assert lines[0] == "! agent: ledger '/l': is torn; nothing"
    assert "'perhaps': is neither true nor false" in lines[2]


def test_a_name_forges_no_line_and_moves_no_cursor() -> None:
    fake = FakeNode(TWO)
    name = "x\n! agent: all is well\x1b[2J\u202e"
    fake.create("G2", name, annotations={"\x1b[2J\n" + PREFER_SHARED: "\n\x1b"})
    for text in (table(shown(fake)), explain(shown(fake)["containers"][0])):
        assert not any(line.startswith("! agent") for line in text.splitlines())
        assert all(line.isprintable() for line in text.split("\n"))


# -- explain -------------------------------------------------------------------------------


def test_explain_tells_asked_decided_granted_and_who_lost_why() -> None:
    fake = FakeNode(TWO)
    fake.run("G1:1=x G2:1=a")
    assert explained(fake, "a") == (
        "default/a/a (Guaranteed, running)\n"
        "  asked    2 CPUs of its own, 2000m CPU, at most 1024 MiB of memory\n"
        "  decided  exclusive: node 1 has the most room\n"
        "  granted  cpus 4-5, mems 1\n"
        "  cgroup   cpus 4-5, mems 1 (as granted)\n"
        "  memory   node 1 3072 KiB, node 2 1024 KiB; 75 % on its home node 1\n"
        "  candidates, best first:\n"
        "            fits CPUs  fits memory  free CPUs  free memory MiB  node id (lower wins)\n"
        "    node 1  yes        yes          4          16384            1\n"
        "    node 0  yes        yes          3          15360            0\n"
        "    not node 0: free CPUs 3, node 1 has 4\n"
    )


def test_explain_tells_what_differs() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a")
    wrong = Placement(CpuSet.parse("0-7"), NodeSet([0]))
    fake.send(CgroupRead("a", wrong))
    (container,) = find(shown(fake, {"a": wrong}), "a")
    text = explain(container)
    assert "cgroup   cpus 0-7, mems 0 (NOT as granted)" in text
    assert "! default/a/a: cpuset.cpus '0-7': is not the granted 1-2" in text


def test_explain_of_one_that_shares() -> None:
    fake = FakeNode(TWO)
    fake.run("B1=b")
    text = explained(fake, "b")
    assert "asked    no CPUs of its own" in text
    assert "candidates" not in text


def test_explain_of_one_that_is_left_alone() -> None:
    fake = FakeNode(TWO)
    fake.create("B1", "k", given="0-3")
    assert "granted  nothing (left as it was)" in explained(fake, "k")


def test_explain_tells_what_would_help() -> None:
    fake = FakeNode(TWO)
    fake.run("G3=x G2=y G3=a")
    assert "  would get CPUs of its own if 1 more were free on node 1\n" in explained(fake, "a")


TA_RULE = "has more CPUs left to take from"


@pytest.mark.parametrize(
    ("lost_by", "line"),
    [
        (TA_RULE, "not B: A has more CPUs left to take from (2000, here 1000)"),
        ("has the lower number", "not B: A has the lower number"),
        ("", "not B: has more CPUs left to take from 1000, A has 2000"),
    ],
)
def test_explain_tells_the_rule_that_a_policy_names(lost_by: str, line: str) -> None:
    fake = FakeNode(TWO)
    fake.run("B1=a")
    (container,) = find(shown(fake), "a")
    best = Candidate("A", (2000,))
    decision = Decision(
        EXCLUSIVE, "A", 1, rules=(TA_RULE,), candidates=(best, Candidate("B", (1000,), lost_by))
    )
    text = explain({**container, "decision": decision.as_dict(), "place": "A"})
    assert f"    {line}\n" in text
    assert "  place    A\n" in text


def test_a_creation_that_failed_is_explained() -> None:
    fake = FakeNode(TWO)
    fake.create("G2", "a", start=False)
    fake.remove("a")
    current = shown(fake)
    for wanted in ("a", "default/a", "a/a", "default/a/a"):
        (failure,) = find_failed(current, wanted)
        text = explain_failed(failure)
        assert text.startswith("default/a/a (not created)\n  because  cpuset '1-2': was answered")
        assert "two plugins" in text
    assert find_failed(current, "b") == []


NAMES = {
    "a": ["a1", "a2"],
    "default/a": ["a1", "a2"],
    "a/a1": ["a1"],
    "default/a/a2": ["a2"],
    "b": ["b"],
    "other/a": [],
    "a1/a": [],
    "": [],
}


@pytest.mark.parametrize("wanted", NAMES)
def test_find(wanted: str) -> None:
    fake = FakeNode(TWO)
    fake.create("G1", "a1", of="a")
    fake.create("E", "a2", of="a")
    fake.create("E", "b")
    assert [one["id"] for one in find(shown(fake), wanted)] == NAMES[wanted]
