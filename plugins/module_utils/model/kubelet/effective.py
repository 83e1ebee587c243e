# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The configuration that a kubelet ends up with, and where each of its values comes from.

From low to high: compiled-in defaults, the file behind ``--config``, the drop-ins in the order of
their paths (JSON merge patches: maps merge key by key, lists are replaced, null deletes), flags
(a map given as a flag replaces the whole map). The defaults of evictionHard apply to the file
behind ``--config`` alone, and only where it has none. Sources: ``cmd/kubelet/app/server.go``.
Out of scope: whether a kubelet starts with it (``validation``), reading files.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Optional

from ..problem import HomenodeProblem, Problem
from . import defaults, flags
from .configuration import Settings, cpu_list, decode_errors, decoded
from .distributions import RANCHERS

DEFAULT_ORIGIN = "compiled-in default"
MEMORY_EVICTION = "evictionHard.memory.available"


@dataclass(frozen=True)
class Layer:
    """One source of settings: the name that origins show (a path), and what it says."""

    name: str
    settings: Settings


@dataclass(frozen=True)
class Sources:
    """All that a kubelet reads. *base* is None where it has no ``--config``.

    *dropins* are in the order in which the kubelet merges them.
    """

    base: Optional[Layer] = None
    dropins: tuple[Layer, ...] = ()
    flags: tuple[str, ...] = ()
    distribution: str = "upstream"
    version: str = defaults.DEFAULT_VERSION


@dataclass(frozen=True)
class Effective:
    """The merged configuration.

    *origins* has a text for every value by its dotted key, and for some that are missing: why.
    *errors* are what a kubelet could not parse, with its words as reason; it starts with none.
    """

    config: Settings
    origins: Mapping[str, str]
    version: str
    distribution: str
    errors: tuple[Problem, ...] = ()
    ignores_eviction: bool = False

    def as_dict(self) -> dict[str, object]:
        """The same, JSON-clean."""
        return {
            "config": dict(self.config),
            "origins": dict(self.origins),
            "version": self.version,
            "distribution": self.distribution,
            "errors": [error.as_dict() for error in self.errors],
            "ignores_eviction": self.ignores_eviction,
        }


def from_dict(values: object) -> Effective:
    """The reverse of ``as_dict``. Raises HomenodeProblem for anything else."""
    config = values.get("config") if isinstance(values, Mapping) else None
    if not isinstance(values, Mapping) or not isinstance(config, Mapping):
        raise HomenodeProblem(
            "effective",
            values,
            "is no effective configuration",
            "give what kubelet_effective gives",
        )
    origins, errors = values.get("origins"), values.get("errors")
    return Effective(
        config=config,
        origins=origins if isinstance(origins, Mapping) else {},
        version=str(values.get("version", defaults.DEFAULT_VERSION)),
        distribution=str(values.get("distribution", "upstream")),
        errors=tuple(map(_problem, errors)) if isinstance(errors, (list, tuple)) else (),
        ignores_eviction=values.get("ignores_eviction") is True,
    )


def _problem(values: object) -> Problem:
    known = ("field", "value", "why", "remedy", "source")
    item = values if isinstance(values, Mapping) else {"why": values}
    return Problem(**{name: str(item.get(name, "")) for name in known})


def effective(sources: Sources) -> Effective:
    """Merge *sources* as a kubelet of their version does.

    Raises HomenodeProblem for an unknown distribution, or a version that is too old or none.
    """
    version = defaults.version_of(sources.version)
    given, sources = sources, _as_started_by(sources, version)
    merge = _Merge()
    for key, value in defaults.COMPILED_IN.items():
        merge.put(key, value, DEFAULT_ORIGIN)
    if sources.base is not None:
        merge.base(sources.base, version)
    if sources.dropins:
        merge.patches(sources.dropins, version)
    command_line = flags.parse(sources.flags, version)
    merge.command_line(command_line)
    if MEMORY_EVICTION not in merge.origins:
        merge.origins[MEMORY_EVICTION] = _why_no_eviction(sources, command_line)
    merge.substitute_reserved_cpus()
    return Effective(
        config=merge.config,
        origins=merge.origins,
        version=given.version,
        distribution=given.distribution,
        errors=(*command_line.errors, *merge.errors),
        ignores_eviction=command_line.ignores_eviction,
    )


class _Merge:
    """A configuration that grows, with origins that grow along."""

    def __init__(self) -> None:
        self.config: dict[str, object] = {}
        self.origins: dict[str, str] = {}
        self.errors: list[Problem] = []

    def put(self, key: str, value: object, origin: str) -> None:
        """Set a whole value, whatever was there before."""
        self._forget(key)
        self.config[key] = copy.deepcopy(value)
        self._note(key, value, origin)

    def base(self, layer: Layer, version: defaults.Version) -> None:
        self.errors += decode_errors(layer.settings, layer.name)
        for key, value in layer.settings.items():
            unset = value is None or (value == "" and key in defaults.COMPILED_IN)
            if not unset and key not in ("apiVersion", "kind"):
                self.put(key, decoded(key, value), layer.name)
        if layer.settings.get("evictionHard") is None:
            origin = f"{DEFAULT_ORIGIN}, because no evictionHard in {layer.name}"
            self.put("evictionHard", defaults.EVICTION_HARD, origin)
        elif version >= defaults.MERGES_EVICTION and self.config.get(
            "mergeDefaultEvictionSettings"
        ):
            merged = self._map("evictionHard")
            for signal in sorted(set(defaults.EVICTION_HARD) - set(merged)):
                merged[signal] = defaults.EVICTION_HARD[signal]
                self.origins[f"evictionHard.{signal}"] = (
                    f"{DEFAULT_ORIGIN}, because of mergeDefaultEvictionSettings in {layer.name}"
                )

    def patches(self, layers: tuple[Layer, ...], version: defaults.Version) -> None:
        """Merge the drop-ins. Old kubelets decode the result over the file's values again."""
        before, before_origins = copy.deepcopy(self.config), dict(self.origins)
        for layer in layers:
            for key, value in layer.settings.items():
                if key not in ("apiVersion", "kind"):
                    self._patch(self.config, "", key, value, layer.name)
        if not self.errors:
            go_names = version < defaults.NULL_DELETES
            self.errors += decode_errors(self.config, "the merged configuration", go_names)
        if version < defaults.NULL_DELETES:
            self._restore(self.config, before, before_origins, "")
            return
        # An empty list of the file is not written out for merging, so it is defaulted again.
        named = any("enforceNodeAllocatable" in layer.settings for layer in layers)
        if not named and self.config.get("enforceNodeAllocatable") == []:
            del self.config["enforceNodeAllocatable"]
        for key, value in defaults.COMPILED_IN.items():
            if self.config.get(key, "") == "":
                self.put(key, value, DEFAULT_ORIGIN)

    def command_line(self, found: flags.CommandLine) -> None:
        for key, value in found.values.items():
            origin = f"flag --{found.names[key]}"
            if key == "featureGates" and isinstance(value, dict):
                self._patch(self.config, "", key, value, origin)
            else:
                self.put(key, value, origin)

    def substitute_reserved_cpus(self) -> None:
        """A list of reserved CPUs takes the place of the CPU amounts, once the kubelet runs."""
        listed = self.config.get("reservedSystemCPUs")
        if not isinstance(listed, str):
            return
        try:
            cpus = cpu_list(listed)
        except HomenodeProblem:
            return  # validation says so
        if not cpus:
            return
        kube = self.config.get("kubeReserved")
        if isinstance(kube, dict) and kube.pop("cpu", None) is not None:
            self._forget("kubeReserved.cpu")
        self._map("systemReserved")["cpu"] = str(len(cpus))
        listed_at = self.origins["reservedSystemCPUs"]
        self.origins["systemReserved.cpu"] = f"the size of reservedSystemCPUs in {listed_at}"

    def _map(self, key: str) -> dict[str, object]:
        """The map under *key*, made where there is none; a value of another kind stays as it is."""
        value = self.config.setdefault(key, {})
        return value if isinstance(value, dict) else {}

    def _patch(
        self, target: dict[str, object], path: str, key: str, value: object, origin: str
    ) -> None:
        """RFC 7386, with origins."""
        dotted = f"{path}{key}"
        if value is None:
            target.pop(key, None)
            self._forget(dotted)
            self.origins[dotted] = f"deleted by {origin}"
        elif isinstance(value, Mapping):
            inner = target.get(key)
            if not isinstance(inner, dict):
                self._forget(dotted)
                inner = target[key] = {}
            self.origins.pop(dotted, None)
            for name, item in value.items():
                self._patch(inner, f"{dotted}.", str(name), item, origin)
        else:
            self._forget(dotted)
            target[key] = copy.deepcopy(value)
            self.origins[dotted] = origin

    def _restore(
        self,
        target: dict[str, object],
        before: Mapping[str, object],
        origins: dict[str, str],
        path: str,
    ) -> None:
        for key, value in before.items():
            dotted = f"{path}{key}"
            inner = target.get(key)
            if key not in target:
                target[key] = copy.deepcopy(value)
                self._forget(dotted)
                kept = {name: text for name, text in origins.items() if _is_at(name, dotted)}
                self.origins.update(kept)
            elif isinstance(value, Mapping) and isinstance(inner, dict):
                self._restore(inner, value, origins, f"{dotted}.")
            elif key == "reservedMemory" and isinstance(value, list) and isinstance(inner, list):
                target[key] = [
                    _decoded_over(value[number], entry) if number < len(value) else entry
                    for number, entry in enumerate(inner)
                ]

    def _forget(self, dotted: str) -> None:
        for name in [name for name in self.origins if _is_at(name, dotted)]:
            del self.origins[name]

    def _note(self, dotted: str, value: object, origin: str) -> None:
        if isinstance(value, Mapping) and value:
            for name, item in value.items():
                self._note(f"{dotted}.{name}", item, origin)
        else:
            self.origins[dotted] = origin


def added_flags(sources: Sources) -> dict[str, str]:
    """The flags that RKE2 and k3s give a kubelet unasked, before their drop-ins, and their names.

    Raises HomenodeProblem for a version that is none, or too old.
    """
    old = defaults.version_of(sources.version) < defaults.RANCHER_DROPINS
    given = {flags.name_and_value(flag)[0] for flag in sources.flags}
    own = defaults.RANCHER_FLAGS if old and sources.distribution in RANCHERS else ()
    named = {flag: flags.name_and_value(flag)[0] for flag in own}
    return {flag: name for flag, name in named.items() if name not in given}


def _as_started_by(sources: Sources, version: defaults.Version) -> Sources:
    """What the kubelet really gets where a distribution adds to what the user gives."""
    name = sources.distribution
    if name not in defaults.DISTRIBUTIONS:
        raise HomenodeProblem(
            "distribution", name, "is not known", "use one of: " + ", ".join(defaults.DISTRIBUTIONS)
        )
    if name not in RANCHERS:
        return sources
    if version >= defaults.RANCHER_DROPINS:
        own = Layer(f"defaults of {name}", defaults.RANCHER)
        user = (sources.base,) if sources.base is not None else ()
        return replace(sources, base=None, dropins=(own, *user, *sources.dropins))
    return replace(sources, flags=(*added_flags(sources), *sources.flags))


def _why_no_eviction(sources: Sources, command_line: flags.CommandLine) -> str:
    if "evictionHard" in command_line.values:
        return "absent, because flag --eviction-hard replaces the whole map"
    if sources.base is not None:
        return f"absent, because evictionHard in {sources.base.name} replaces the defaults"
    return "absent, because a kubelet without --config has no default for it"


def _decoded_over(before: object, entry: object) -> object:
    """An entry of a list as Go decodes it over the entry that was in its place: maps merge."""
    if not isinstance(before, Mapping) or not isinstance(entry, Mapping):
        return entry
    result = {**before, **entry}
    limits, earlier = entry.get("limits"), before.get("limits")
    if isinstance(earlier, Mapping) and isinstance(limits, (Mapping, type(None))):
        result["limits"] = {**earlier, **(limits or {})}
    return result


def _is_at(dotted: str, place: str) -> bool:
    return dotted == place or dotted.startswith(f"{place}.")
