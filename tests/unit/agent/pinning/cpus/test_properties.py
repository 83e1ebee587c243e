# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for whatever is taken from whichever free CPUs of the recorded machines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fakes.hand_made import MACHINES
from homenode.pinning.cpus.allocator import allocate, keep
from homenode.pinning.cpus.priority import NONE, PRIORITIES
from homenode.pinning.cpus.topology import CpuTopology
from host_files import open_host
from model.cpuset import CpuSet
from model.sysfs import read_machine

NAMES = ("8n", "arm64", "hybrid", "lab-ht", "offline", "sparse-ids")
TOPOLOGIES = {
    name: CpuTopology.of(read_machine(open_host(str(MACHINES / f"{name}.machine"))))
    for name in NAMES
}


@st.composite
def asks(draw: st.DrawFn) -> tuple[CpuTopology, CpuSet, int, str]:
    """A machine, free CPUs on it, how many of them, and a priority."""
    topology = TOPOLOGIES[draw(st.sampled_from(NAMES))]
    source = CpuSet(draw(st.sets(st.sampled_from(list(topology.online)), min_size=1)))
    count = draw(st.integers(0, len(source)))
    return topology, source, count, draw(st.sampled_from((*PRIORITIES, NONE)))


@given(asks())
def test_as_many_as_asked_and_none_but_free_ones(ask: tuple[CpuTopology, CpuSet, int, str]) -> None:
    topology, source, count, priority = ask
    chosen = allocate(topology, source, count, priority)
    assert len(chosen) == count
    assert chosen <= source


@given(asks())
def test_the_same_again_whatever_was_asked_before(
    ask: tuple[CpuTopology, CpuSet, int, str],
) -> None:
    topology, source, count, priority = ask
    chosen = allocate(topology, source, count, priority)
    assert allocate(CpuTopology.of(topology.machine), source, count, priority) == chosen


@given(asks(), st.integers(0, 64))
def test_what_is_kept_was_taken_and_keeping_all_changes_nothing(
    ask: tuple[CpuTopology, CpuSet, int, str], fewer: int
) -> None:
    topology, source, count, priority = ask
    chosen = allocate(topology, source, count, priority)
    kept = keep(topology, chosen, min(fewer, count), priority)
    assert (kept <= chosen, len(kept)) == (True, min(fewer, count))
    assert keep(topology, chosen, count, priority) == chosen


@given(asks())
def test_no_core_is_opened_while_another_holds_all_that_is_asked(
    ask: tuple[CpuTopology, CpuSet, int, str],
) -> None:
    """Exactly a core's worth, one core free, no cache or kind to mind: it is a whole core."""
    topology, source, _count, _priority = ask
    whole = [core for core in topology.cores if core <= source]
    if whole and not topology.cache_groups and not topology.has_core_kinds:
        assert allocate(topology, source, len(whole[0])) in topology.cores
