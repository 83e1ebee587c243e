# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the policy's pools or balloons hold, as Prometheus text: a series for each figure.

A label never tells what changes as containers come and go, so that no series ends because of one.
Out of scope: the containers themselves (``metrics``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from homenode.world.place import Place
from model.quantity import NANOS, Quantity

from .metrics import family

Figure = Callable[[Place], float]

FIGURES: tuple[tuple[str, str, Figure], ...] = (
    ("cpus", "CPUs of the pool or balloon.", lambda place: len(place.cpus)),
    ("shared_cpus", "CPUs that containers share there.", lambda place: len(place.shared)),
    ("reserved_cpus", "Its CPUs for reserved namespaces.", lambda place: len(place.reserved)),
    ("isolated_cpus", "Its kernel-isolated CPUs.", lambda place: len(place.isolated)),
    ("cpu_capacity_cores", "CPU that it could ever have.", lambda p: p.cpu_capacity / 1000),
    (
        "cpu_allocatable_cores",
        "CPU that containers could have if it held none.",
        lambda place: place.cpu_allocatable / 1000,
    ),
    (
        "cpu_available_cores",
        "CPU that a new container could have.",
        lambda place: place.cpu_available / 1000,
    ),
    ("memory_capacity_bytes", "Memory of its NUMA nodes.", lambda place: place.memory_capacity),
    (
        "memory_available_bytes",
        "Memory of its NUMA nodes that nobody inside has asked for; negative is overcommitted.",
        lambda place: place.memory_available,
    ),
    ("containers", "Containers in it.", lambda place: len(place.containers)),
)


def pool_exposition(places: Sequence[Place]) -> str:
    """The families of all pools or balloons; "" where there is none."""
    if not places:
        return ""
    families = [
        family(
            "homenode_place_info",
            "gauge",
            "1 for each pool or balloon: what it is, and inside which it lies.",
            [({**_labels(each), "kind": each.kind, "parent": each.parent}, 1) for each in places],
        )
    ]
    families += [
        family(
            f"homenode_place_{name}",
            "gauge",
            text,
            [(_labels(each), figure(each)) for each in places],
        )
        for name, text, figure in FIGURES
    ]
    excess = [(_labels(each), _cores(each.excess)) for each in places if each.excess]
    if excess:
        text = "CPU of a balloon beyond the requests of its containers."
        families.append(family("homenode_place_cpu_excess_cores", "gauge", text, excess))
    return "".join(families)


def _labels(place: Place) -> dict[str, str]:
    return {"place": place.name}


def _cores(excess: str) -> float:
    return Quantity.parse(excess).nanos / NANOS
