# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine and its pools or balloons as a NodeResourceTopology object, for schedulers.

``topology.node.k8s.io/v1alpha2`` as its API package publishes it. Zones are of two sorts: one for
each NUMA node (``numa_zones``), and the places of the policy, under the names and attributes that
nri-plugins gives them. Out of scope: writing the object anywhere, and how often.
"""

from __future__ import annotations

from typing import Any

from homenode.world.place import Place
from homenode.world.world import World
from model.workload import NOT_OURS, Container, cpu_limit_millis, cpu_request_millis

from .numa_zones import numa_zones
from .pod_fingerprint import ALL_PODS, ATTRIBUTE, METHOD_ATTRIBUTE, fingerprint
from .topology_zone import attributes, cpu, memory, topology_zone

API_VERSION, KIND = "topology.node.k8s.io/v1alpha2", "NodeResourceTopology"
BALLOON, CONTAINER = "balloon", "allocation for container"


def nrt(node_name: str, world: World) -> dict[str, Any]:
    """The object, JSON-clean; *node_name* is the Kubernetes node's."""
    places = world.places()
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": node_name},
        "attributes": attributes(
            {
                "TopologyPolicy": world.pinning.policy if world.pinning else "none",
                ATTRIBUTE: fingerprint(_running_pods(world)),
                METHOD_ATTRIBUTE: ALL_PODS,
            }
        ),
        "zones": [
            *numa_zones(world, places),
            *(each for place in places for each in _zones_of(world, place)),
        ],
    }


def _running_pods(world: World) -> list[tuple[str, str]]:
    """The pods that a scheduler calls running: one that has no container yet is still pending."""
    pods = [
        world.pod_of(container)
        for container in world.containers.values()
        if container.state != "stopped"
    ]
    return [(pod.namespace, pod.name) for pod in pods if pod is not None]


def _zones_of(world: World, place: Place) -> list[dict[str, Any]]:
    """The zone of a pool or balloon, and those of its containers where they are to be seen."""
    cpus = cpu(place.cpu_capacity, place.cpu_allocatable, place.cpu_available)
    if place.kind == BALLOON:
        resources, named = [cpus], _of_balloon(place)
    else:
        resources = [memory(place.memory_capacity, place.memory_available), cpus]
        named = _of_pool(place)
    own = topology_zone(place.name, place.kind, resources, parent=place.parent, named=named)
    shown = place.containers if place.show_containers else ()
    containers = [world.containers[each] for each in shown if each in world.containers]
    return [own, *(_container_zone(world, place, each) for each in containers)]


def _of_pool(place: Place) -> dict[str, str]:
    named = {"memory set": str(place.mems), "shared cpuset": str(place.shared)}
    if place.reserved:
        named["reserved cpuset"] = str(place.reserved)
    if place.isolated:
        named["isolated cpuset"] = str(place.isolated)
    return named


def _of_balloon(place: Place) -> dict[str, str]:
    named = {
        "cpuset": str(place.cpus),
        "shared cpuset": str(place.shared),
        "excess cpus": place.excess,
    }
    if place.components:
        named["component cpusets"] = place.components
    return named


def _container_zone(world: World, place: Place, container: Container) -> dict[str, Any]:
    """Its request is allocatable, nothing is available: no scheduler is to use the zone."""
    grant, pod = world.ledger.get(container.id), world.pod_of(container)
    placement = grant.placement if grant else NOT_OURS
    usable = 1000 * len(placement.cpus) if placement.cpus else place.cpu_capacity
    limit = cpu_limit_millis(container.resources) or usable
    request = cpu_request_millis(container.resources, pod.qos_class if pod else "")
    return topology_zone(
        world.full_name(container),
        CONTAINER,
        [cpu(min(limit, usable), request, 0)],
        parent=place.name,
        named={
            "cpuset": str(placement.cpus or ""),
            "memory set": str(placement.mems or ""),
        },
    )
