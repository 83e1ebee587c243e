# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What happens on a node, and what is answered: the words between the runtime and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Optional, Union

from .problem import Problem
from .settings import NO_SETTINGS, Settings
from .workload import Container, Placement, Pod, Resources


@dataclass(frozen=True)
class Synchronized:
    """The runtime's whole state after (re)connecting.

    *observed* holds what each container's cgroup says, by container id; it is filled in by the
    daemon, and a container whose cgroup could not be read is missing from it.
    """

    pods: tuple[Pod, ...]
    containers: tuple[Container, ...]
    observed: Mapping[str, Placement] = field(default_factory=dict)


@dataclass(frozen=True)
class PodStarted:
    """A sandbox runs."""

    pod: Pod


@dataclass(frozen=True)
class PodRemoved:
    """A sandbox is gone, and with it whatever it had."""

    pod_id: str


@dataclass(frozen=True)
class ContainerCreating:
    """A container is about to be created: the one event whose answer can adjust it."""

    pod: Pod
    container: Container


@dataclass(frozen=True)
class ContainerStarted:
    """A container's first process runs."""

    container_id: str


@dataclass(frozen=True)
class ContainerUpdating:
    """Somebody (the kubelet) asks the runtime to change a container's resources."""

    pod: Pod
    container: Container
    resources: Resources


@dataclass(frozen=True)
class ContainerStopped:
    """A container's processes are gone."""

    container_id: str


@dataclass(frozen=True)
class ContainerRemoved:
    """A container is forgotten by the runtime."""

    container_id: str


@dataclass(frozen=True)
class CgroupRead:
    """What a container's cgroup says now: the read-back after a change.

    *granted* is the very value that was granted before it was read: by identity, because a grant
    may change and change back while nobody looks. None where that is not known.
    """

    container_id: str
    placement: Placement
    granted: Optional[Placement] = field(default=None, compare=False)


Event = Union[
    Synchronized,
    PodStarted,
    PodRemoved,
    ContainerCreating,
    ContainerStarted,
    ContainerUpdating,
    ContainerStopped,
    ContainerRemoved,
    CgroupRead,
]


class ContainerUpdate(NamedTuple):
    """A new placement for a container that exists. A tuple: one answer may hold hundreds."""

    container_id: str
    placement: Placement
    settings: Settings = NO_SETTINGS


@dataclass(frozen=True)
class Reply:
    """What the runtime is told: *adjust* and *settings* for the container being created, *updates*
    for others.

    In the answer to ContainerUpdating an update may name the container itself: it then overrides
    the asked resources. *refusal* is why a container must not be created; nothing else is told
    then.
    """

    adjust: Optional[Placement] = None
    updates: tuple[ContainerUpdate, ...] = ()
    settings: Settings = NO_SETTINGS
    refusal: Optional[Problem] = None


NO_CHANGE = Reply()
