# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One kubelet's NUMA settings, planned as a whole: settings in, drop-in and reasons out.

The plan merges the wanted settings at the place where the drop-in will stand, computes the need of
the result, divides it over the machine's NUMA nodes, merges once more, and judges that. What wins
over the drop-in (flags, later drop-ins) is a problem by name, not a surprise after the restart.
Out of scope: writing, restarting, draining.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Optional

from ..problem import HomenodeProblem, Problem
from ..quantity import Quantity
from . import rendering
from .arithmetic import Need, need
from .checkpoints import stale
from .configuration import Settings
from .defaults import NEWEST, version_of
from .effective import Effective, Layer, Sources, effective
from .hardware import Hardware
from .split import PROPORTIONAL, Shares, split
from .validation import Verdict, verdict


@dataclass(frozen=True)
class Request:
    """What is wanted. *sources* may hold an earlier version of the drop-in; it is left out.

    *strategy* divides the memory, see ``split``; *settings* are keys of a KubeletConfiguration;
    *checkpoints* are state files of the last run, parsed, by name.
    """

    sources: Sources
    dropin: str
    settings: Settings
    strategy: object = PROPORTIONAL
    checkpoints: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The drop-in's settings, the configuration that results, and what is to be said of it.

    *problems* forbid writing it, *stale* files forbid starting with it. *need* is None where the
    Memory Manager reserves nothing.
    """

    settings: Settings
    effective: Effective
    verdict: Verdict
    need: Optional[Need]
    shares: Shares
    problems: tuple[Problem, ...]
    stale: tuple[Problem, ...]

    @property
    def reserved_memory(self) -> list[dict[str, object]]:
        """The value of reservedMemory."""
        return rendering.reserved_memory(self.shares)

    def explanation(self) -> list[str]:
        """The equation and its split, a line each."""
        if self.need is None:
            return [f"memoryManagerPolicy {self.effective.config['memoryManagerPolicy']}: no split"]
        shares = [f"node {name}: {Quantity.of(share)}" for name, share in self.shares.items()]
        return [self.need.equation(), ", ".join(shares) or "nothing to reserve"]

    def text(self, *notes: str) -> str:
        """The drop-in as a file, with *notes* as its first comments."""
        comments = list(notes)
        if self.need is not None:
            comments += [f"reservedMemory: {line}" for line in self.explanation()]
        return rendering.as_yaml(self.settings, comments)


def plan(request: Request, machine: Hardware) -> Plan:
    """Plan the drop-in. Raises HomenodeProblem where there is nothing to judge.

    That is an unknown version or distribution, a need that no kubelet could compute, or a split
    that does not fit the machine.
    """
    _refuse_newer(request.sources.version)
    settings = {
        key: value for key, value in request.settings.items() if value not in (None, "", {})
    }
    before = effective(_with(request, settings))
    if before.errors:
        return Plan(settings, before, verdict(before, machine), None, {}, before.errors, ())
    amount: Optional[Need] = None
    shares: Shares = {}
    if before.config.get("memoryManagerPolicy") == "Static":
        amount = need(before, machine.memory_total)
        total = amount.total.whole(field="the sum of all memory reservations")
        shares = split(total, machine.rooms, request.strategy)
        settings["reservedMemory"] = rendering.reserved_memory(shares)
    after = effective(_with(request, settings))
    judged = verdict(after, machine)
    problems = (*_overridden(settings, after, request.dropin), *judged.refusals, *judged.hazards)
    hindrances = tuple(stale(after, machine, request.checkpoints))
    return Plan(settings, after, judged, amount, shares, problems, hindrances)


def _with(request: Request, settings: Settings) -> Sources:
    """The sources, the drop-in among the others in the order in which a kubelet walks them."""
    others = [layer for layer in request.sources.dropins if layer.name != request.dropin]
    layers = sorted([*others, Layer(request.dropin, settings)], key=lambda at: at.name.split("/"))
    return replace(request.sources, dropins=tuple(layers))


def _overridden(settings: Settings, found: Effective, dropin: str) -> Iterator[Problem]:
    """Settings of the drop-in that something else wins over with another value."""
    for key, value in settings.items():
        wanted = value if isinstance(value, Mapping) else {"": value}
        current = found.config.get(key)
        for name, item in wanted.items():
            dotted = f"{key}.{name}" if name else key
            origin = found.origins.get(dotted) or found.origins.get(key, "")
            now = current.get(name) if name and isinstance(current, Mapping) else current
            if now != item and origin != dropin and not _substituted(dotted, settings):
                why = f"has no effect: {now!r} wins, from {origin or 'elsewhere'}"
                yield Problem(dotted, str(item), why, "remove it there, or ask for the same here")


def _substituted(dotted: str, settings: Settings) -> bool:
    """Amounts of CPU give way to a list of CPUs: that is what both mean together."""
    return dotted in ("kubeReserved.cpu", "systemReserved.cpu") and (
        "reservedSystemCPUs" in settings
    )


def _refuse_newer(version: str) -> None:
    if version_of(version) > NEWEST:
        newest = ".".join(map(str, NEWEST))
        raise HomenodeProblem(
            "version",
            version,
            f"is newer than {newest}, the last whose rules are known here",
            f"read its release notes, and name version {newest} to go by those rules",
        )
