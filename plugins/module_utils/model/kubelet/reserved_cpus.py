# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which CPUs to reserve for the system and the kubelet: a number becomes a set of whole cores.

Given an amount instead of a set, a kubelet takes the lowest cores with their siblings, isolated
CPUs or not, and where NUMA nodes differ, from the one with the fewest CPUs
(``pkg/kubelet/cm/cpumanager/cpu_assignment.go``; seen with 1.35.4). Packed is the lowest cores too,
of the lowest nodes, away from isolated CPUs; spread takes a core of each NUMA node in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from ..cpuset import NO_CPUS, CpuSet
from ..problem import HomenodeProblem

PACKED, SPREAD = "packed", "spread"
PLACEMENTS = (PACKED, SPREAD)

FIELD = "topology"
REMEDY = "give ansible_facts.numa, or maps with id and cpus in a list"


@dataclass(frozen=True)
class Cores:
    """The cores of each NUMA node that has any, nodes and cores ascending.

    *shared* are CPUs that may be taken and whose core has others that may not.
    """

    by_node: tuple[tuple[CpuSet, ...], ...]
    shared: CpuSet = NO_CPUS

    def ordered(self, placement: str) -> Iterator[CpuSet]:
        """All cores in the order in which they are taken."""
        if placement == PACKED:
            yield from chain.from_iterable(self.by_node)
        else:
            yield from (core for turn in zip_longest(*self.by_node) for core in turn if core)


def reserve(
    machine: object, count: int, placement: str = PACKED, *, whole_cores: bool = True
) -> CpuSet:
    """*count* CPUs of *machine*; without *whole_cores* the last core may be divided.

    *machine* is ``ansible_facts.numa``, or a list of NUMA nodes. Raises HomenodeProblem where the
    number does not fit whole cores, and where there are not as many CPUs.
    """
    if placement not in PLACEMENTS:
        remedy = "use one of: " + ", ".join(PLACEMENTS)
        raise HomenodeProblem("placement", placement, "is not a known choice", remedy)
    found = cores(machine)
    if not whole_cores:
        return _divided(found, count, placement)
    taken = NO_CPUS
    for core in found.ordered(placement):
        if len(taken) >= count:
            break
        taken = taken | core
    if len(taken) < count:
        raise _too_many(count, len(taken), "in whole cores")
    if len(taken) > count:
        why = f"divides a core; the next number that does not is {len(taken)}"
        remedy = f"reserve {len(taken)}, or allow it by whole_cores=false"
        raise HomenodeProblem("count", count, why, remedy)
    return taken


def cores(machine: object) -> Cores:
    """The cores that may be taken. Raises HomenodeProblem where *machine* is no topology."""
    whole: Mapping[str, Any] = machine if isinstance(machine, Mapping) else {"nodes": machine}
    nodes = _nodes(whole.get("nodes"))
    told = whole.get("cpus")
    cpus: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    allowed = CpuSet(chain.from_iterable(nodes))
    if cpus.get("online") is not None:
        allowed = allowed & _cpus("cpus.online", cpus["online"])
    allowed = allowed - _cpus("cpus.isolated", cpus.get("isolated") or "")
    siblings = _siblings(cpus.get("siblings"), whole.get("threads_per_core"), nodes)
    by_node = tuple(
        tuple(core for core in siblings if core <= numa_node and core <= allowed)
        for numa_node in nodes
    )
    in_cores = CpuSet(chain.from_iterable(chain.from_iterable(by_node)))
    return Cores(tuple(filter(None, by_node)), allowed - in_cores)


def _divided(found: Cores, count: int, placement: str) -> CpuSet:
    """Exactly *count* CPUs: whole cores as long as they fit, then CPUs of the next one."""
    exact = NO_CPUS
    for core in chain(found.ordered(placement), (CpuSet([cpu]) for cpu in found.shared)):
        exact = exact | core.lowest(count - len(exact))
    if len(exact) < count:
        raise _too_many(count, len(exact), "that are online and not isolated")
    return exact


def _too_many(count: int, most: int, which: str) -> HomenodeProblem:
    why = f"is more than the {most} CPUs {which} that this machine has"
    return HomenodeProblem("count", count, why, f"reserve at most {most}")


def _nodes(given: object) -> list[CpuSet]:
    """The CPUs of each NUMA node, ascending by the node's id."""
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise HomenodeProblem(FIELD, given, "has no list of NUMA nodes", REMEDY)
    found = {}
    for number, item in enumerate(given):
        cpus = item
        key: object = number
        if isinstance(item, Mapping):
            cpus, key = item.get("cpus"), item.get("id", number)
        if isinstance(key, bool) or not isinstance(key, int) or key in found:
            raise HomenodeProblem(f"nodes[{number}].id", key, "is no id of its own", REMEDY)
        found[key] = _cpus(f"nodes[{number}].cpus", cpus)
    return [found[key] for key in sorted(found)]


def _siblings(given: object, threads: object, nodes: list[CpuSet]) -> list[CpuSet]:
    """One set for each core, ascending by its lowest CPU."""
    if given is None and threads not in (None, 1):
        remedy = 'list the hardware threads of each core, such as ["0,4", "1,5"]'
        why = f"are not known, and a core has {threads} threads"
        raise HomenodeProblem("cpus.siblings", given, why, remedy)
    if given is not None and (isinstance(given, str) or not isinstance(given, Sequence)):
        raise HomenodeProblem("cpus.siblings", given, "is no list", 'write ["0,4", "1,5"]')
    found = [_cpus("cpus.siblings", core) for core in given or ()]
    known = CpuSet(chain.from_iterable(found))
    alone = CpuSet(chain.from_iterable(nodes)) - known
    found += [CpuSet([cpu]) for cpu in alone]
    return sorted(filter(None, found), key=lambda core: next(iter(core)))


def _cpus(field: str, value: object) -> CpuSet:
    """A list in the kernel's format, one number, or numbers in a list."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = ",".join(map(str, value))
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise HomenodeProblem(field, value, "is no list of CPUs", "write a list like 0-3,8")
    return CpuSet.parse(str(value), field=field)
