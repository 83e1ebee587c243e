# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operator's configuration of the agent: sections, defaults, bounds, and their merging.

A section that is null is off unless another file gives it; an absent one has its defaults. Each
role owns one drop-in, so no two files may set the same key to different values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from model.cpuset import CpuSet
from model.fields import Fields
from model.problem import HomenodeProblem, Problem

from .exports import NO_EXPORTS, ExportsConfig, exports_config
from .policy_config import CommonConfig
from .policy_objects import BALLOONS_KIND, TOPOLOGY_AWARE_KIND, parse_spec
from .tenant import MEMORY_TYPES

HOME_NODE = "home-node"
TOPOLOGY_AWARE, BALLOONS = "topology-aware", "balloons"
KINDS = {TOPOLOGY_AWARE: TOPOLOGY_AWARE_KIND, BALLOONS: BALLOONS_KIND}
"""The policies that are configured by the spec of an upstream object, and its kind."""

POLICIES = (HOME_NODE, *KINDS)

MAX_NUMA_NODE = 1023

REPAIR, RESPECT = "repair", "respect"
DRIFT = (REPAIR, RESPECT)
"""What to do where somebody else has written a cpuset of ours."""

FOLLOW, NARROW, REFUSE = "follow", "narrow", "refuse"
GIVEN = (FOLLOW, NARROW, REFUSE)
"""What to do with CPUs that the kubelet's static CPU manager has chosen: leave them; stay within
them where they are shared; fail the creation of who was given CPUs of its own."""


@dataclass(frozen=True)
class NriConfig:
    """How the agent registers with the runtime; *answer_budget_ms* bounds every answer."""

    plugin_name: str = "homenode"
    plugin_index: str = "90"
    answer_budget_ms: int = 500


NRI, BYPASS = "nri", "bypass"


@dataclass(frozen=True)
class RuntimeConfig:
    """The way to the runtime: its plugin, or BYPASS of it; *cri_socket* "" is the usual places."""

    mode: str = NRI
    cri_socket: str = ""


@dataclass(frozen=True)
class PinningConfig:
    """The pinning policy; None for the CPU sets means "not given" (see docs/configuration.md).

    *spec* is that of an upstream policy object, for the policies that have one. *memory_types* by
    NUMA node are the operator's word where the rule of thumb is wrong.
    """

    policy: str = HOME_NODE
    pin_cpu: bool = True
    pin_memory: bool = True
    reserved_cpus: Optional[CpuSet] = None
    available_cpus: Optional[CpuSet] = None
    spec: Optional[CommonConfig] = None
    drift: str = REPAIR
    kubelet_cpus: str = FOLLOW
    memory_types: Mapping[int, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What *spec* says and nobody obeys."""
        return self.spec.notes if self.spec else ()


@dataclass(frozen=True)
class MetricsConfig:
    """Where figures can be fetched; all off by default. *listen* is unix:PATH or ADDRESS:PORT."""

    listen: str = ""
    textfile: str = ""
    textfile_interval_seconds: int = 15


@dataclass(frozen=True)
class JournalConfig:
    """The journal file is rotated once at *max_bytes*."""

    max_bytes: int = 1048576


@dataclass(frozen=True)
class Config:
    """Everything the operator can say; *pinning* is None where pinning is off."""

    nri: NriConfig = NriConfig()
    runtime: RuntimeConfig = RuntimeConfig()
    pinning: Optional[PinningConfig] = None
    metrics: MetricsConfig = MetricsConfig()
    journal: JournalConfig = JournalConfig()
    exports: ExportsConfig = NO_EXPORTS


def merge_drop_ins(files: list[tuple[str, Any]]) -> dict[str, Any]:
    """One mapping out of the main file and its drop-ins, given as (name, content) in order.

    Sections merge key by key. Raises HomenodeProblem where two files disagree about a key.
    """
    merged: dict[str, Any] = {}
    owner: dict[tuple[str, str], str] = {}
    for source, content in files:
        Fields(content, source=source)
        for section, values in content.items():
            if values is None:
                merged.setdefault(section, None)
                continue
            Fields(values, source=source, path=str(section))
            kept = merged[section] = merged.get(section) or {}
            for key, value in values.items():
                before = owner.setdefault((section, key), source)
                if kept.setdefault(key, value) != value:
                    raise HomenodeProblem(
                        f"{section}.{key}",
                        value,
                        f"differs from the value in {before}",
                        "keep the key in one of the two files",
                        source=source,
                    )
    return merged


def parse_config(values: Mapping[str, Any], *, source: str) -> Config:
    """The typed configuration. Raises HomenodeProblem naming the first wrong key."""
    top = Fields(values, source=source)
    pinning = top.section("pinning")
    config = Config(
        nri=_nri(top.section("nri")),
        runtime=_runtime(top.section("runtime")),
        pinning=_pinning(pinning) if pinning or "pinning" not in values else None,
        metrics=_metrics(top.section("metrics")),
        journal=_journal(top.section("journal")),
        exports=exports_config(top.section("exports")),
    )
    top.refuse_unknown()
    return config


def _runtime(fields: Optional[Fields]) -> RuntimeConfig:
    if fields is None:
        return RuntimeConfig()
    config = RuntimeConfig(
        mode=fields.text("mode", NRI, choices=(NRI, BYPASS)),
        cri_socket=fields.text("cri_socket", ""),
    )
    fields.refuse_unknown()
    return config


def _nri(fields: Optional[Fields]) -> NriConfig:
    if fields is None:
        return NriConfig()
    config = NriConfig(
        plugin_name=fields.text("plugin_name", "homenode"),
        plugin_index=fields.text("plugin_index", "90"),
        answer_budget_ms=fields.integer("answer_budget_ms", 500, minimum=10, maximum=1900),
    )
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")
    if not config.plugin_name or not set(config.plugin_name) <= allowed:
        raise fields.wrong("plugin_name", "is refused by runtimes", "use letters, digits, _ . + -")
    if len(config.plugin_index) != 2 or not _is_number(config.plugin_index):
        raise fields.wrong("plugin_index", "is not two digits", 'write for example "90"')
    fields.refuse_unknown()
    return config


def _pinning(fields: Optional[Fields]) -> PinningConfig:
    if fields is None:
        return PinningConfig()
    config = PinningConfig(
        policy=fields.text("policy", HOME_NODE, choices=POLICIES),
        drift=fields.text("drift", REPAIR, choices=DRIFT),
        kubelet_cpus=fields.text("kubelet_cpus", FOLLOW, choices=GIVEN),
    )
    kind = KINDS.get(config.policy)
    if kind is None:
        config = replace(
            config,
            pin_cpu=fields.boolean("pin_cpu", True),
            pin_memory=fields.boolean("pin_memory", True),
            reserved_cpus=_cpus(fields, "reserved_cpus"),
            available_cpus=_cpus(fields, "available_cpus"),
        )
    else:
        spec = parse_spec(
            kind, fields.mapping("spec"), source=fields.source, path=fields.name("spec")
        )
        types = _memory_types(fields.section("memory_types"))
        config = replace(
            config, pin_cpu=spec.pin_cpu, pin_memory=spec.pin_memory, spec=spec, memory_types=types
        )
    fields.refuse_unknown()
    return config


def _memory_types(fields: Optional[Fields]) -> dict[int, str]:
    if fields is None:
        return {}
    types = {}
    for name in fields.names():
        if not _is_number(name) or int(name) > MAX_NUMA_NODE:
            raise fields.wrong(name, "is no NUMA node", "write its number in quotes")
        types[int(name)] = fields.text(name, "", choices=MEMORY_TYPES)
    return types


def _cpus(fields: Fields, key: str) -> Optional[CpuSet]:
    text = fields.text(key, "")
    if not text:
        return None
    try:
        return CpuSet.parse(text)
    except HomenodeProblem as error:
        raise fields.wrong(key, error.problem.why, error.problem.remedy) from error


def _metrics(fields: Optional[Fields]) -> MetricsConfig:
    if fields is None:
        return MetricsConfig()
    config = MetricsConfig(
        listen=fields.text("listen", ""),
        textfile=fields.text("textfile", ""),
        textfile_interval_seconds=fields.integer(
            "textfile_interval_seconds", 15, minimum=1, maximum=3600
        ),
    )
    if config.listen and not _is_local(config.listen):
        raise fields.wrong(
            "listen", "is reachable from elsewhere", "use unix:/PATH or 127.0.0.1:PORT"
        )
    for key, path in (("textfile", config.textfile),):
        if path and not path.startswith("/"):
            raise fields.wrong(key, "is not an absolute path", "write the whole path")
    fields.refuse_unknown()
    return config


def _is_local(listen: str) -> bool:
    if listen.startswith("unix:/"):
        return True
    address, _colon, port = listen.rpartition(":")
    local = address in ("127.0.0.1", "localhost", "[::1]")
    return local and _is_number(port) and 0 < int(port) < 65536


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _journal(fields: Optional[Fields]) -> JournalConfig:
    if fields is None:
        return JournalConfig()
    config = JournalConfig(fields.integer("max_bytes", 1048576, minimum=4096, maximum=1 << 30))
    fields.refuse_unknown()
    return config
