# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs balloons take and give: devices, loads, cores, idle ones that are shared."""

from __future__ import annotations

from fakes.described import best_effort, guaranteed
from homenode.pinning.balloons.devices import device_paths
from homenode.pinning.balloons.resize import Wishes, to_give
from homenode.pinning.policy import Hint
from model.cpuset import CpuSet, NodeSet

from .stage import Stage, config, of_type

T = {"intent": of_type("t")}
U = {"intent": of_type("u")}
NODE2 = "/sys/devices/system/node/node2"
NEAR = {NODE2: (CpuSet.parse("8-11"),)}
NEAR_NODE2 = {"name": "t", "preferCloseToDevices": [NODE2], "preferNewBalloons": True}


def test_near_a_device_as_long_as_it_has_enough() -> None:
    stage = Stage(NEAR_NODE2, near=NEAR)
    asks = [guaranteed(name, 3000, **T) for name in "ab"]
    assert stage.create(*asks) == ["t[0] 8-10", "t[1] 13-15"]


def test_a_type_does_not_keep_away_from_its_own_device() -> None:
    stage = Stage(NEAR_NODE2, near=NEAR, allocatorTopologyBalancing=True)
    assert stage.create(guaranteed("a", 6000, **T)) == ["t[0] 8-13"]


def test_others_keep_away_from_it() -> None:
    stage = Stage(NEAR_NODE2, {"name": "u"}, near=NEAR, allocatorTopologyBalancing=True)
    assert stage.create(guaranteed("a", 2000, **U)) == ["u[0] 4-5"]


def test_what_is_near_stays_when_a_balloon_shrinks() -> None:
    stage = Stage({"name": "t", "preferCloseToDevices": [NODE2]}, near=NEAR)
    stage.create(guaranteed("a", 2000, **T), guaranteed("b", 4000, **T))
    assert stage.told("a") == "t[0] 0-3,10-11"
    stage.delete("b")
    assert stage.told("a") == "t[0] 10-11"


def test_cpus_near_more_important_devices_stay_longer() -> None:
    policy = Stage().policy
    near = ((CpuSet([0, 1, 2]),), (CpuSet([2, 3]), CpuSet([3, 4])))
    wishes = Wishes(policy._setting.topology, policy._setting.tree, near=near)
    current = CpuSet.parse("0-5")
    given = [str(to_give(wishes, current, CpuSet(), count)) for count in range(1, 7)]
    assert given == ["5", "4-5", "3-5", "1,3-5", "0-1,3-5", "0-5"]


def test_isolated_cpus_are_for_those_who_want_them() -> None:
    stage = Stage(
        {"name": "t", "preferIsolCpus": True}, {"name": "u"}, machine="n4c16-isolated-first"
    )
    assert stage.balloons()["reserved[0]"] == "2"
    assert stage.create(guaranteed("a", 2000, **T), guaranteed("b", 1000, **U)) == [
        "t[0] 0-1", "u[0] 3",
    ]  # fmt: skip


def test_core_kinds() -> None:
    stage = Stage({"name": "t", "preferCoreType": "efficient"}, {"name": "u"}, machine="hybrid")
    assert stage.create(guaranteed("a", 2000, **T)) == ["t[0] 8-9"]


def test_listed_reserved_cpus_are_left_to_the_reserved_balloon() -> None:
    stage = Stage({"name": "t"}, reservedResources={"cpu": "cpuset:0-1"})
    assert stage.balloons()["reserved[0]"] == ""  # upstream's quirk: no maxCPUs, no minimum
    assert stage.create(guaranteed("a", 14000, **T), best_effort("b", namespace="kube-system")) == [
        "t[0] 2-15",
        "reserved[0] 0",
    ]


def test_cores_are_apart_where_that_is_preferred() -> None:
    stage = Stage({"name": "t", "preferSpreadOnPhysicalCores": True})
    assert stage.create(guaranteed("a", 2000, **T)) == ["t[0] 1,3"]


CORE_LOAD = [{"name": "avx", "level": "core", "overloadsLevelInBalloon": True}]


def test_a_load_keeps_away_from_itself_and_from_others() -> None:
    loaded = {"name": "t", "loads": ["avx"], "preferNewBalloons": True}
    stage = Stage(loaded, {"name": "u"}, loadClasses=CORE_LOAD)
    asks = (guaranteed("a", 2000, **T), guaranteed("b", 1000, **T), guaranteed("c", 1000, **U))
    assert stage.create(*asks) == ["t[0] 1-2", "t[1] 4", "u[0] 3"]


def test_devices_of_the_kubelets_choice_are_near_while_their_container_runs() -> None:
    device = {"name": "t", "preferCloseToDevices": ["podresourceapi:acme.com/*"]}
    stage = Stage(device, {"name": "u"})
    hints = (
        Hint("podresourceapi:acme.com/gpu", nodes=NodeSet([3])),
        Hint("podresourceapi:other", nodes=NodeSet([0])),
    )
    assert stage.create(guaranteed("a", 1000, hints=hints, **T)) == ["t[0] 12"]
    assert stage.create(guaranteed("b", 1000, **T)) == ["t[0] 12-13"]
    balloon = stage.books.holdings.balloons[-1]
    assert (balloon.given_to, balloon.given) != ("", {})
    stage.delete("a")
    balloon = stage.books.holdings.balloons[-1]
    assert (balloon.given_to, balloon.given) == ("", {})


def test_paths_are_to_be_resolved_once() -> None:
    listed = [NODE2, "podresourceapi:x", "/sys/class/net/eth0"]
    types = [{"name": name, "preferCloseToDevices": listed} for name in "tu"]
    assert device_paths(config(*types)) == (NODE2, "/sys/class/net/eth0")


def test_isolated_cpus_are_not_shared() -> None:
    stage = Stage({"name": "t", "shareIdleCPUsInSame": "system"}, machine="n4c16-isolated")
    assert stage.create(guaranteed("a", 1000, **T)) == ["t[0] 0-7,11-15"]


def test_idle_cpus_are_shared_until_somebody_takes_them_and_again_after() -> None:
    share = {"name": "t", "shareIdleCPUsInSame": "numa", "preferNewBalloons": True}
    stage = Stage(share, {"name": "u", "minCPUs": 2}, allocatorTopologyBalancing=True)
    assert stage.create(guaranteed("a", 1000, **T)) == ["t[0] 8-11"]
    shared = {one.name: str(one.shared) for one in stage.policy.places(stage.books)}
    assert shared == {"reserved[0]": "", "t[0]": "8-9,11", "default[0]": ""}
    stage.create(*(guaranteed(f"u{number}", 4000, **U) for number in range(3)))
    assert stage.told("a") == "t[0] 10-11"
    stage.delete("u2")
    assert stage.told("a") == "t[0] 8-11"
