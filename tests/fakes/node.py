# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node as the loop sees it: events in, and every reply written into a book of cpusets.

Pods are written as ``G2`` (Guaranteed, 2 CPUs), ``B1`` (Burstable), ``E`` (BestEffort), with
``:8`` behind for a memory limit of 8 GiB. A container's name is its id, its pod has the same name
unless one is given. Out of scope: the wire, threads, time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

from fake_runtime import kubelet
from fakes.files import FakeFiles
from fakes.machines import Shape, machine_files
from homenode.intent.config import PinningConfig
from homenode.loop import Effects, begin, step
from homenode.world.adopt import current_placement
from homenode.world.ledger import EMPTY_LEDGER, Ledger
from homenode.world.world import World
from model.cpuset import CpuSet
from model.events import (
    ContainerCreating,
    ContainerRemoved,
    ContainerStarted,
    ContainerStopped,
    ContainerUpdating,
    Event,
    PodRemoved,
    PodStarted,
    Synchronized,
)
from model.machine import Machine
from model.sysfs import read_machine
from model.workload import NOT_OURS, Container, Placement, Pod, Resources

GIB = 1 << 30
PINNING = PinningConfig()
CLASSES = {"G": kubelet.GUARANTEED, "B": kubelet.BURSTABLE, "E": kubelet.BEST_EFFORT}


def machine(shape: Shape) -> Machine:
    """The machine that its files tell of."""
    return read_machine(FakeFiles(machine_files(shape)))


def pod(name: str, kind: str = "G", annotations: Optional[Mapping[str, str]] = None) -> Pod:
    """A pod of the class that *kind* starts with."""
    parent = kubelet.cgroup_parent(CLASSES[kind[0]], f"uid-{name}")
    return Pod(f"pod-{name}", name, "default", f"uid-{name}", parent, annotations or {})


def container(name: str, kind: str, of: Pod, *, given: str = "") -> Container:
    """A container that asks for what *kind* says; *given*: CPUS/MEMS of the kubelet."""
    cpus, _colon, gib = kind[1:].partition(":")
    asked = kubelet.figures(CLASSES[kind[0]], float(cpus or 0), round(float(gib or 0) * GIB))
    limit = asked.memory_limit or None
    given_cpus, _slash, given_mems = given.partition("/")
    resources = Resources(asked.shares, asked.quota, asked.period, limit, given_cpus, given_mems)
    path = kubelet.cgroups_path(of.cgroup_parent, name)
    return Container(name, of.id, name, "created", resources, path)


class FakeNode:
    """See the module; *book* is what the cgroups say, *world* what the agent believes."""

    def __init__(
        self,
        machine: Machine,
        config: Optional[PinningConfig] = PINNING,
        ledger: Ledger = EMPTY_LEDGER,
    ) -> None:
        self.world: World = begin(machine, config, ledger)
        self.book: dict[str, Placement] = {}
        self.moved: list[str] = []
        self.effects = Effects()

    def send(self, event: Event) -> Effects:
        """One event; the reply goes into the book as a runtime would apply it."""
        self.world, self.effects = step(self.world, event, 1.5)
        reply = self.effects.reply
        if reply.adjust is not None:
            assert isinstance(event, ContainerCreating), "only a creation can be adjusted"
            self._apply(event.container.id, reply.adjust)
        names = [update.container_id for update in reply.updates]
        assert len(names) == len(set(names)), f"the runtime refuses a container twice: {names}"
        for update in reply.updates:
            assert not (
                isinstance(event, ContainerCreating) and update.container_id == event.container.id
            ), "the runtime fails a creation that updates what is being created"
            self._apply(update.container_id, update.placement)
        return self.effects

    def _apply(self, name: str, placement: Placement) -> None:
        before = self.book.get(name, NOT_OURS)
        after = Placement(placement.cpus or before.cpus, placement.mems or before.mems)
        if name in self.book and after != before:
            self.moved.append(name)
        if name in self.world.containers:  # others: "success, nothing done"
            self.book[name] = after

    def create(
        self,
        kind: str,
        name: str,
        *,
        given: str = "",
        annotations: Optional[Mapping[str, str]] = None,
        of: str = "",
        start: bool = True,
    ) -> Effects:
        """Create, and start, a container; *of*: the name of its pod where that is another."""
        sandbox = self.world.pods.get(f"pod-{of or name}") or pod(of or name, kind, annotations)
        self.send(PodStarted(sandbox))
        made = container(name, kind, sandbox, given=given)
        self.book[name] = current_placement(replace(self.world, observed={}), made)
        effects = self.send(ContainerCreating(sandbox, made))
        self.moved = [one for one in self.moved if one != name]
        if effects.reply.refusal is not None:
            del self.book[name]
        elif start:
            self.send(ContainerStarted(name))
        return effects

    def stop(self, name: str) -> Effects:
        """Its processes are gone."""
        self.book.pop(name, None)
        return self.send(ContainerStopped(name))

    def remove(self, name: str) -> Effects:
        """The runtime forgets it."""
        self.book.pop(name, None)
        return self.send(ContainerRemoved(name))

    def remove_pod(self, name: str) -> Effects:
        """The sandbox goes, and all its containers."""
        gone = [one.id for one in self.world.containers.values() if one.pod_id == f"pod-{name}"]
        for one in gone:
            self.book.pop(one, None)
        return self.send(PodRemoved(f"pod-{name}"))

    def update(self, name: str, resources: Resources) -> Effects:
        """Somebody asks for other resources; what is asked holds unless we override it."""
        known = self.world.containers[name]
        held = self.book[name]
        self.book[name] = Placement(CpuSet.parse(resources.cpus) or held.cpus, held.mems)
        return self.send(ContainerUpdating(self.world.pods[known.pod_id], known, resources))

    def restart(
        self,
        *,
        ledger: bool = True,
        cgroups: bool = True,
        config: Optional[PinningConfig] = None,
    ) -> Effects:
        """The agent starts anew on what runs; without *ledger* or *cgroups* it has to guess."""
        old, self.moved = self.world, []
        memory = old.policy.remember(old.books) if ledger and old.books is not None else None
        kept = old.ledger if ledger else EMPTY_LEDGER
        self.world = World(old.machine, old.pinning, old.policy, None, memory, ledger=kept)
        if config is not None:
            self.world = begin(old.machine, config, kept, memory)
        running = tuple(self._as_told(one) for one in old.containers.values())
        observed = dict(self.book) if cgroups else {}
        return self.send(Synchronized(tuple(old.pods.values()), running, observed))

    def _as_told(self, one: Container) -> Container:
        """The runtime tells the cpuset that its stored record has."""
        held = self.book.get(one.id, NOT_OURS)
        cpus = "" if held.cpus is None else str(held.cpus)
        mems = "" if held.mems is None else str(held.mems)
        return replace(one, resources=replace(one.resources, cpus=cpus, mems=mems))

    def shown(self) -> str:
        """The book in one line: ``name=CPUS/MEMS``, a part that was never set left out."""
        parts = []
        for name, held in sorted(self.book.items()):
            mems = "" if held.mems is None else f"/{held.mems}"
            parts.append(f"{name}={'' if held.cpus is None else held.cpus}{mems}")
        return " ".join(parts)

    def run(self, script: str) -> str:
        """Words like ``G2=a`` (create), ``-a`` (stop), ``restart``; then what the book shows."""
        for word in script.split():
            kind, _equals, name = word.partition("=")
            if word.startswith("-"):
                self.stop(word[1:])
            elif word == "restart":
                self.restart()
            else:
                self.create(kind, name)
        return self.shown()
