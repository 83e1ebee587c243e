# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds on every machine, whatever containers come and go, and whenever the agent restarts."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.described import MIB, ask
from homenode.intent.tenant import MEMORY_TYPES, TenantIntent
from homenode.pinning.balloons.policy import BalloonBooks
from homenode.pinning.balloons.share_idle import usable_cpus
from homenode.pinning.policy import Ask
from model.cpuset import NO_CPUS, CpuSet
from model.problem import HomenodeProblem
from model.workload import BEST_EFFORT, BURSTABLE, GUARANTEED

from .stage import Stage

MACHINES = ("n4c16", "n4c16-isolated", "n4c16-l2-of-4", "n6-hbm-cxl", "hybrid", "dies-of-2", "epyc")
LOADS = [
    {"name": "avx", "level": "core", "overloadsLevelInBalloon": True},
    {"name": "bandwidth", "level": "l2cache"},
]
OPTIONS: dict[str, tuple[Any, ...]] = {
    "minCPUs": (1, 2),
    "maxCPUs": (2, 4, 5),
    "minBalloons": (1, 2),
    "maxBalloons": (2, 3),
    "allocatorPriority": ("high", "normal", "low", "none"),
    "preferNewBalloons": (True,),
    "preferSpreadingPods": (True,),
    "preferPerNamespaceBalloon": (True,),
    "shareIdleCPUsInSame": ("system", "package", "numa", "l2cache", "core"),
    "hideHyperthreads": (True,),
    "allocatorTopologyBalancing": (True,),
    "preferSpreadOnPhysicalCores": (True,),
    "preferIsolCpus": (True,),
    "preferCoreType": ("efficient",),
    "memoryTypes": (["DRAM"], ["HBM", "DRAM"]),
    "pinMemory": (False,),
    "groupBy": ("${pod/namespace}",),
    "loads": (["avx"], ["bandwidth"], ["avx", "bandwidth"]),
}
KINDS = ("a", "b", "both", "either")
MANY = settings(max_examples=50, deadline=None)


@st.composite
def balloon_types(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Two types of random options, and two that are made of them."""
    types = []
    for name in ("a", "b"):
        keys = draw(st.sets(st.sampled_from(sorted(OPTIONS)), max_size=5))
        types.append({"name": name, **{k: draw(st.sampled_from(OPTIONS[k])) for k in sorted(keys)}})
    parts = [{"balloonType": "a"}, {"balloonType": "b"}]
    types.append({"name": "both", "components": parts})
    types.append({**types[-1], "name": "either", "componentCreation": "balance-balloons"})
    return types


@st.composite
def asks(draw: st.DrawFn, number: int) -> Ask:
    """Small and large ones, of all classes and types."""
    qos_class = draw(st.sampled_from((GUARANTEED, BURSTABLE, BEST_EFFORT)))
    some = qos_class != BEST_EFFORT
    return ask(
        f"c{number}",
        qos_class,
        cpu=draw(st.sampled_from((100, 900, 1000, 1500, 2000, 3000))) if some else 0,
        memory=draw(st.sampled_from((0, 100, 1500))) * MIB if some else 0,
        namespace=draw(st.sampled_from(("default", "other", "kube-system"))),
        pod=f"pod{number // 3}",
        order=number,
        intent=TenantIntent(
            balloon=draw(st.none() | st.sampled_from(KINDS)),
            hide_hyperthreads=draw(st.sampled_from((None, None, True, False))),
            memory_types=draw(st.none() | st.frozensets(st.sampled_from(MEMORY_TYPES), min_size=1)),
            preserve_cpus=draw(st.integers(0, 9)) == 0,
            preserve_memory=draw(st.integers(0, 9)) == 0,
        ),
    )


@st.composite
def stages(draw: st.DrawFn) -> Stage:
    """A machine after containers came and went; what is refused changes nothing."""
    keys: dict[str, Any] = {"loadClasses": LOADS}
    keys["reservedResources"] = {"cpu": draw(st.sampled_from(("750m", "cpuset:1-2")))}
    machine = draw(st.sampled_from(MACHINES))
    try:
        stage = Stage(*draw(balloon_types()), machine=machine, **keys)
    except HomenodeProblem:  # more than the machine has
        stage = Stage({"name": "a"}, {"name": "b"}, {"name": "both"}, {"name": "either"})
    for number in range(draw(st.integers(1, 12))):
        before = stage.books
        try:
            stage.create(draw(asks(number)))
        except HomenodeProblem:
            assert stage.books is before
        if stage.placed and draw(st.integers(0, 3)) == 0:
            stage.delete(draw(st.sampled_from(sorted(stage.placed))))
    return stage


@MANY
@given(stages())
def test_no_cpu_is_in_two_balloons_and_none_is_lost(stage: Stage) -> None:
    seen = stage.books.holdings.idle
    for balloon in stage.books.holdings.balloons:
        assert not balloon.cpus & seen
        seen = seen | balloon.cpus
        parts = [part.cpus for part in balloon.components]
        assert not parts or balloon.cpus == CpuSet(cpu for cpus in parts for cpu in cpus)
    assert seen == stage.policy._setting.allowed


@MANY
@given(stages())
def test_nobody_has_an_empty_set_or_cpus_of_another_balloon(stage: Stage) -> None:
    holdings = stage.books.holdings
    own = {one.name: one.cpus for one in holdings.balloons}
    for entry in stage.books.entries.values():
        cpus, mems = entry.placed.placement.cpus, entry.placed.placement.mems
        assert cpus
        assert mems is None or mems
        assert cpus <= own[entry.balloon] | holdings.idle


@MANY
@given(stages())
def test_everybody_was_told_of_the_cpus_that_are_usable_now(stage: Stage) -> None:
    setting, holdings = stage.policy._setting, stage.books.holdings
    for balloon in holdings.balloons:
        usable = usable_cpus(setting, holdings, balloon)
        for key in balloon.members:
            told = stage.placed[key].placement.cpus
            assert told in (usable, setting.topology.single_threads(usable))


@MANY
@given(stages())
def test_sizes_are_within_bounds(stage: Stage) -> None:
    for balloon in stage.books.holdings.balloons:
        spec = stage.policy._setting.type_of(balloon).spec
        if not balloon.components:
            most = spec.max_cpus or len(stage.policy.machine.online)
            assert spec.min_cpus <= len(balloon.cpus) <= most
    for name, its in stage.policy._setting.types.by_name.items():
        count = len(stage.books.holdings.of_type(name))
        assert its.spec.min_balloons <= count <= (its.spec.max_balloons or count)


@MANY
@given(stages())
def test_what_was_told_is_what_the_books_say(stage: Stage) -> None:
    ours = {key: one for key, one in stage.placed.items() if one.place}
    assert ours == {key: entry.placed for key, entry in stage.books.entries.items()}
    inside = [key for one in stage.books.holdings.balloons for key in one.members]
    assert sorted(inside) == sorted(ours)


@MANY
@given(stages(), st.data())
def test_who_comes_and_goes_leaves_nothing(stage: Stage, data: st.DataObject) -> None:
    def sizes(books: BalloonBooks) -> dict[str, int]:
        """Of all but composites, whose components are resized in step."""
        simple = (one for one in books.holdings.balloons if not one.components)
        return {one.name: len(one.cpus) for one in simple}

    fits = all(one.free >= 0 for one in stage.books.holdings.balloons)
    try:
        outcome = stage.policy.place(stage.books, data.draw(asks(99)))
    except HomenodeProblem:
        return
    after = stage.policy.release(outcome.books, "c99").books
    if fits:
        assert sizes(after) == sizes(stage.books)
    assert after.entries.keys() == stage.books.entries.keys()
    assert after.memory.requests.keys() == stage.books.memory.requests.keys()


@MANY
@given(stages())
def test_in_the_end_it_is_as_at_the_start(stage: Stage) -> None:
    stage.delete(*sorted(stage.placed))
    start = stage.policy.start()
    sizes = sorted((one.type_name, len(one.cpus)) for one in stage.books.holdings.balloons)
    assert sizes == sorted((one.type_name, len(one.cpus)) for one in start.holdings.balloons)
    assert (stage.books.entries, stage.books.memory) == (start.entries, start.memory)


@MANY
@given(stages())
def test_a_restart_changes_nothing(stage: Stage) -> None:
    found = stage.restarted()
    assert (found.newcomers, found.problems, found.changed) == ((), (), {})
    assert found.placed == stage.placed
    assert found.books == stage.books


@MANY
@given(stages(), st.booleans())
def test_a_restart_without_memory_moves_nobody(stage: Stage, ledger: bool) -> None:
    found = stage.restarted(memory=False, ledger=ledger)
    assert found.changed == {}
    for key, placed in found.placed.items():
        was = stage.placed[key].placement
        assert placed.placement.cpus == was.cpus
        # Whoever is taken for another type's may have its memory nodes left alone: as they are.
        assert placed.placement.mems in (None, was.mems)
    seen: CpuSet = NO_CPUS
    for balloon in found.books.holdings.balloons:
        assert not balloon.cpus & seen
        seen = seen | balloon.cpus
    assert seen | found.books.holdings.idle == stage.policy._setting.allowed
