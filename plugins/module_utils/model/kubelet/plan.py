# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One kubelet's NUMA settings, planned as a whole: settings in, drop-in and reasons out.

The plan merges the wanted settings at the place where the drop-in will stand, computes the need of
the result, divides it over the machine's NUMA nodes, merges once more, and judges that. What wins
over the drop-in (flags, later drop-ins) is a problem by name, not a surprise after the restart.
So is a key that somebody else's drop-in sets to another value: two owners would take turns.
Where a kubelet takes flags only (RKE2 and k3s before 1.32), the same is planned as flags.
Out of scope: writing, restarting, draining.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Optional

from ..problem import HomenodeProblem, Problem
from ..quantity import Quantity
from . import flags, rendering
from .arithmetic import Need, need
from .checkpoints import stale
from .configuration import Settings, text
from .defaults import NEWEST, version_of
from .effective import Effective, Layer, Sources, effective
from .hardware import Hardware
from .split import PROPORTIONAL, Shares, kept, split
from .validation import ENFORCEMENTS, Verdict, verdict

DROPIN, KUBELET_ARGS = "dropin", "kubelet_args"
FORMS = (DROPIN, KUBELET_ARGS)
"""A KubeletConfiguration file in ``--config-dir``, or RKE2's and k3s's file of flags."""

_DISTRIBUTIONS_OWN = ("00-rke2-defaults.conf", "00-k3s-defaults.conf", "00-nodeadm.conf")
"""Drop-ins with which a distribution sets defaults; a user's later one is meant to win."""


@dataclass(frozen=True)
class Request:
    """What is wanted. *sources* may hold an earlier version of the drop-in; it is left out.

    *dropin* is where the settings will stand, *form* one of FORMS; flags of an earlier version are
    to be left out of *sources*. *strategy* divides the memory, see ``split``; *settings* are keys
    of a KubeletConfiguration; *checkpoints* are state files of the last run, parsed, by name.
    *earlier* is our own last split, which stays where a proportional one would hardly differ.
    """

    sources: Sources
    dropin: str
    settings: Settings
    strategy: object = PROPORTIONAL
    checkpoints: Mapping[str, object] = field(default_factory=dict)
    form: str = DROPIN
    earlier: Shares = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The drop-in's settings, the configuration that results, and what is to be said of it.

    *problems* forbid writing it, *stale* files forbid starting with it. *need* is None where the
    Memory Manager reserves nothing. *notes* say what was added to the wanted settings.
    """

    settings: Settings
    effective: Effective
    verdict: Verdict
    need: Optional[Need]
    shares: Shares
    problems: tuple[Problem, ...]
    stale: tuple[Problem, ...]
    form: str = DROPIN
    notes: tuple[str, ...] = ()

    @property
    def reserved_memory(self) -> list[dict[str, object]]:
        """The value of reservedMemory."""
        return rendering.reserved_memory(self.shares)

    def explanation(self) -> list[str]:
        """The equation, its split, and what was added, a line each."""
        if self.need is None:
            policy = self.effective.config["memoryManagerPolicy"]
            return [f"memoryManagerPolicy {policy}: no split", *self.notes]
        shares = [f"node {name}: {Quantity.of(share)}" for name, share in self.shares.items()]
        return [self.need.equation(), ", ".join(shares) or "nothing to reserve", *self.notes]

    def as_dict(self) -> dict[str, object]:
        """What a module returns of it. Raises HomenodeProblem for a need in fractions."""
        return {
            "need": None if self.need is None else self.need.as_dict(),
            "reserved_memory": self.reserved_memory,
            "explanation": self.explanation(),
            "stale": [problem.as_dict() for problem in self.stale],
            "settings": dict(self.settings),
            "effective_after": self.effective.as_dict(),
        }

    def flags(self) -> list[str]:
        """The settings as flags. Raises HomenodeProblem for one that has none."""
        return rendering.as_flags(self.settings)

    def text(self, *notes: str) -> str:
        """The drop-in as a file, with *notes* as its first comments."""
        comments = list(notes)
        if self.need is not None:
            comments += [f"reservedMemory: {line}" for line in self.explanation()]
        if self.form == KUBELET_ARGS:
            return rendering.as_kubelet_args(self.flags(), comments)
        return rendering.as_yaml(self.settings, comments)


def plan(request: Request, machine: Hardware) -> Plan:
    """Plan the drop-in. Raises HomenodeProblem where there is nothing to judge.

    That is an unknown version or distribution, a need that no kubelet could compute, a split that
    does not fit the machine, or a setting that has no flag where flags are all there is.
    """
    _refuse_newer(request.sources.version)
    others = effective(_others(request))
    settings, notes = _completed(request, others)
    before = effective(_with(request, settings))
    if before.errors:
        return Plan(
            settings, before, verdict(before, machine), None, {}, before.errors, (), request.form
        )
    amount: Optional[Need] = None
    shares: Shares = {}
    if before.config.get("memoryManagerPolicy") == "Static":
        amount = need(before, machine.memory_total)
        total = amount.total.whole(field="the sum of all memory reservations")
        shares = split(total, machine.rooms, request.strategy)
        if request.strategy == PROPORTIONAL:
            shares = kept(request.earlier, shares, machine.rooms)
        settings["reservedMemory"] = rendering.reserved_memory(shares)
    after = effective(_with(request, settings))
    judged = verdict(after, machine)
    overridden = tuple(_overridden(settings, after, request))
    known = {problem.field for problem in overridden}
    shared = [each for each in _shared(settings, others, request) if each.field not in known]
    return Plan(
        settings=settings,
        effective=after,
        verdict=judged,
        need=amount,
        shares=shares,
        problems=(*overridden, *shared, *judged.refusals, *judged.hazards),
        stale=tuple(stale(after, machine, request.checkpoints)),
        form=request.form,
        notes=notes,
    )


def stale_without(request: Request, machine: Hardware) -> tuple[Problem, ...]:
    """State files that a kubelet refuses once our settings are gone. Raises HomenodeProblem."""
    return tuple(stale(effective(_others(request)), machine, request.checkpoints))


def _completed(request: Request, others: Effective) -> tuple[dict[str, object], tuple[str, ...]]:
    """The wanted settings less those left open, and what has to be said with them.

    Reserved CPUs and a cgroup for reservations exclude each other, so the cgroups are emptied, if
    nothing enforces them; EKS nodes have them from the start. Flags replace whole maps, so they
    take along what the other sources say.
    """
    settings = {
        key: value for key, value in request.settings.items() if value not in (None, "", {}, [])
    }
    notes = []
    enforced = others.config.get("enforceNodeAllocatable")
    for enforcement, key in ENFORCEMENTS.items():
        cgroup = text(others.config, key)
        free = not any(
            str(name).startswith(enforcement)
            for name in (enforced if isinstance(enforced, (list, tuple)) else ())
        )
        if "reservedSystemCPUs" in settings and cgroup and key not in settings and free:
            settings[key] = ""
            notes.append(f"{key} {cgroup} is emptied: reservedSystemCPUs excludes it")
    if request.form == KUBELET_ARGS:
        for key, value in settings.items():
            below = others.config.get(key)
            if isinstance(value, Mapping) and isinstance(below, Mapping):
                settings[key] = {**below, **value}
    return settings, tuple(notes)


def _others(request: Request) -> Sources:
    """All that the kubelet reads but our settings."""
    layers = [layer for layer in request.sources.dropins if layer.name != request.dropin]
    return replace(request.sources, dropins=tuple(layers))


def _with(request: Request, settings: Settings) -> Sources:
    """The sources with ours at their place: in the order in which a kubelet walks drop-ins."""
    others = _others(request)
    if request.form == KUBELET_ARGS:
        return replace(others, flags=(*others.flags, *rendering.as_flags(settings)))
    layers = [*others.dropins, Layer(request.dropin, settings)]
    ordered = sorted(layers, key=lambda at: at.name.split("/"))
    return replace(others, dropins=tuple(ordered))


def _overridden(settings: Settings, found: Effective, request: Request) -> Iterator[Problem]:
    """Settings of ours that something else wins over with another value."""
    for dotted, item in _items(settings):
        now, origin = _found_at(found, dotted)
        if now != item and origin != request.dropin and not _substituted(dotted, settings):
            why = f"has no effect: {now!r} wins, from {origin or 'elsewhere'}"
            yield Problem(dotted, str(item), why, "remove it there, or ask for the same here")


def _shared(settings: Settings, others: Effective, request: Request) -> Iterator[Problem]:
    """Settings of ours that somebody else's drop-in or flag sets to another value."""
    named = {flags.name_and_value(flag)[0] for flag in request.sources.flags}
    for dotted, item in _items(settings):
        before, origin = _found_at(others, dotted)
        by_flag = request.form == KUBELET_ARGS and origin.partition("--")[2] in named
        by_file = origin in [layer.name for layer in request.sources.dropins]
        if by_file and origin.rpartition("/")[2] in _DISTRIBUTIONS_OWN:
            continue
        if (by_flag or by_file) and before != item and not _substituted(dotted, settings):
            why = f"is also set by {origin}, to {before!r}: only one can own it"
            yield Problem(dotted, str(item), why, "remove it there, or ask for the same here")


def _items(settings: Settings) -> Iterator[tuple[str, object]]:
    """Each value by its dotted key: those of maps one by one."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{name}", item) for name, item in value.items())
        else:
            yield key, value


def _found_at(found: Effective, dotted: str) -> tuple[object, str]:
    """The value at a dotted key, and where it comes from."""
    key, _dot, name = dotted.partition(".")
    value = found.config.get(key)
    if name:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value, found.origins.get(dotted) or found.origins.get(key, "")


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
