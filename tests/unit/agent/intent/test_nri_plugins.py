# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every annotation of the resource policies comes to, right and wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from homenode.intent.annotation_values import FALSE, MAX_STRUCTURE, TRUE, seconds
from homenode.intent.annotations import DOMAIN, OLD_DOMAIN
from homenode.intent.nri_plugins import KNOWN, MAX_SHOWN, SUFFIX, tenant_intent
from homenode.intent.tenant import (
    CONTAINER_SCOPE,
    DRAM,
    HBM,
    MEMORY_TYPES,
    NO_INTENT,
    PMEM,
    HintIntent,
    IrqAffinity,
    PathRule,
    TenantIntent,
)


def read(name: str, value: str, scope: str = "") -> TenantIntent:
    return tenant_intent({name + SUFFIX + scope: value}, "c")


UNDERSTOOD: dict[str, tuple[str, str, str, Any]] = {
    "shared": ("prefer-shared-cpus", "true", "prefer_shared", True),
    "not shared": ("prefer-shared-cpus", "0", "prefer_shared", False),
    "reserved": ("prefer-reserved-cpus", "T", "prefer_reserved", True),
    "isolated": ("prefer-isolated-cpus", "true", "isolated", True),
    "a priority": ("prefer-cpu-priority", "low", "cpu_priority", "low"),
    "the default priority": ("prefer-cpu-priority", "default", "cpu_priority", None),
    "hidden hyperthreads": ("hide-hyperthreads", "true", "hide_hyperthreads", True),
    "memory types": ("memory-type", "dram, PMEM", "memory_types", frozenset({DRAM, PMEM})),
    "one memory type": ("memory-type", "hbm", "memory_types", frozenset({HBM})),
    "mixed memory": ("memory-type", "mixed", "memory_types", frozenset(MEMORY_TYPES)),
    "no memory type": ("memory-type", "", "memory_types", None),
    "a cold start": ("cold-start", "duration: 1m30s", "cold_start_seconds", 90.0),
    "a cold start in braces": ("cold-start", "{duration: 60s}", "cold_start_seconds", 60.0),
    "no cold start": ("cold-start", "", "cold_start_seconds", 0.0),
    "CPUs left alone": ("cpu.preserve", "true", "preserve_cpus", True),
    "memory left alone": ("memory.preserve", "true", "preserve_memory", True),
    "a level": ("unlimited-burstable", "numa", "unlimited_burstable", "numa"),
    "a level below the pools": ("unlimited-burstable", "core", "unlimited_burstable", "l3cache"),
    "a scheduling class": ("scheduling-class", "rt", "scheduling_class", "rt"),
    "a CPU class": ("cpu-class", "turbo", "cpu_class", "turbo"),
    "no CPU class": ("cpu-class", "", "cpu_class", ""),
    "an RDT class": ("rdtclass", "gold", "rdt_class", "gold"),
    "a block I/O class": ("blockioclass", "slow", "blockio_class", "slow"),
    "a balloon": ("balloon.balloons", "db", "balloon", "db"),
    "interrupts": (
        "irq-affinity",
        "claim: ['nvme*', 24]\nmask: [eth0]\nmode: claim-first",
        "irq",
        IrqAffinity(("nvme*", "24"), ("eth0",), "claim-first"),
    ),
    "interrupts by default": ("irq-affinity", "claim: [x]", "irq", IrqAffinity(("x",))),
    "no hints": ("topologyhints", "false", "hints", HintIntent(frozenset())),
    "all hints": ("topologyhints", "true", "hints", HintIntent()),
    "none": ("topologyhints", "devices,none", "hints", HintIntent(frozenset())),
    "all": ("topologyhints", "all", "hints", HintIntent()),
    "some": (
        "topologyhints",
        "devices, mounts",
        "hints",
        HintIntent(frozenset({"devices", "mounts"})),
    ),
    "allowed": (
        "allow.topologyhints",
        "{type: glob, paths: ['/sys/*']}",
        "hints",
        HintIntent(allow=(PathRule("glob", ("/sys/*",)),)),
    ),
    "denied": (
        "deny.topologyhints",
        "paths:\n- /dev",
        "hints",
        HintIntent(deny=(PathRule("prefix", ("/dev",)),)),
    ),
    "strict": ("strict.topologyhints", "true", "hints", HintIntent(strict=True)),
    "picked": ("pick-resources-by-hints", "true", "hints", HintIntent(pick=True)),
}


@pytest.mark.parametrize("row", UNDERSTOOD.values(), ids=UNDERSTOOD)
@pytest.mark.parametrize("scope", ["", "/pod", "/container.c"])
def test_understood(row: tuple[str, str, str, Any], scope: str) -> None:
    name, value, field, meant = row
    intent = read(name, value, scope)
    assert getattr(intent, field) == meant
    assert intent.problems == ()
    older = tenant_intent({f"{name}.{OLD_DOMAIN}{scope}": value}, "c")
    assert older == intent


def test_every_key_has_a_row() -> None:
    names = {row[0] for row in UNDERSTOOD.values()}
    elsewhere = {"require-isolated-cpus", "toptierlimit", "test.topologyhints"}
    assert set(KNOWN) - names - elsewhere == {"/affinity", "/anti-affinity"}


WRONG: dict[str, tuple[str, str, str]] = {
    "a boolean": ("prefer-shared-cpus", "yes", "is neither true nor false"),
    "an odd boolean": ("hide-hyperthreads", "tRue", "is neither true nor false"),
    "an endless boolean": ("hide-hyperthreads", "t" * 262144, "is neither true nor false"),
    "a priority": ("prefer-cpu-priority", "highest", "is not a known choice"),
    "memory types": ("memory-type", "dram,ram", "'ram' is no type of memory"),
    "memory types without end": ("memory-type", "dram," * 9999, "is longer than"),
    "another word for yes": ("cpu.preserve", "1", "is not the word that counts"),
    "a level": ("unlimited-burstable", "socket", "is not a known choice"),
    "a class that can have no name": ("scheduling-class", "a\0b", "can be nothing's name"),
    "a cold start of a day": ("cold-start", "duration: 24h", "is out of range"),
    "a cold start backwards": ("cold-start", "duration: -1s", "is out of range"),
    "a cold start of 60": ("cold-start", "duration: 60", "is not a text"),
    "a cold start without unit": ("cold-start", "duration: '60'", "is no duration"),
    "another key of a cold start": ("cold-start", "seconds: 60", "is not a known key"),
    "a cold start that is no mapping": ("cold-start", "60s", "is not a mapping"),
    "YAML that is none": ("cold-start", "{", "line 1 "),
    "anchors": ("cold-start", "&a {duration: *a}", "line 1 "),
    "endless YAML": ("deny.topologyhints", " " * (MAX_STRUCTURE + 1), "is longer than"),
    "a mode of interrupts": (
        "irq-affinity", "mode: x", 'invalid IRQ affinity mode "x" (valid modes: [mask-first'
    ),
    "interrupts": ("irq-affinity", "claim: x", 'invalid IRQ affinity "claim: x"'),
    "a source of hints": ("topologyhints", "devices,usb", "'usb' is no source of hints"),
    "a kind of path": ("allow.topologyhints", "type: regex", "is not a known choice"),
    "a pattern": ("allow.topologyhints", "{type: glob, paths: ['[']}", "'[' is no pattern"),
    "a tier limit": ("toptierlimit", "1G", "is used by no policy"),
    "a tier limit that is none": ("toptierlimit", "much", "is not a quantity"),
    "a key that is none": ("memory-typ", "dram", "is not understood"),
}  # fmt: skip


@pytest.mark.parametrize("row", WRONG.values(), ids=WRONG)
def test_one_warning_and_the_default(row: tuple[str, str, str]) -> None:
    name, value, why = row
    intent = read(name, value)
    (problem,) = intent.problems
    assert problem.field.startswith(name + SUFFIX)
    assert why in problem.why
    assert len(str(problem)) < 600
    assert intent.demand is None
    if name != "topologyhints":
        assert intent == TenantIntent(problems=intent.problems)


DEMANDS: dict[str, tuple[str, str]] = {
    "isolation": ("require-isolated-cpus", "maybe"),
    "strict hints": ("strict.topologyhints", "very"),
    "a balloon": ("balloon.balloons", "b" * 254),
    "interrupts of one container": ("irq-affinity", "mode: x"),
}


@pytest.mark.parametrize("row", DEMANDS.values(), ids=DEMANDS)
def test_a_demand_that_cannot_be_read_is_kept(row: tuple[str, str]) -> None:
    intent = read(*row, scope="/container.c")
    assert intent.demand in intent.problems
    assert len(intent.problems) == 1


def test_the_class_of_a_container_is_told_from_its_pods() -> None:
    assert read("cpu-class", "x", "/container.c").cpu_class_scope == CONTAINER_SCOPE
    assert read("cpu-class", "x", "/pod").cpu_class_scope != CONTAINER_SCOPE


def test_the_interrupts_of_a_container_are_told_from_its_pods() -> None:
    assert read("irq-affinity", "claim: [x]", "/container.c").irq_scope == CONTAINER_SCOPE
    assert read("irq-affinity", "claim: [x]", "/pod").irq_scope != CONTAINER_SCOPE


ISOLATED: dict[str, tuple[dict[str, str], Any]] = {
    "demanded": ({"require": "true"}, (True, True)),
    "wished": ({"prefer": "true"}, (True, False)),
    "both: the demand": ({"require": "true", "prefer": "true"}, (True, True)),
    "the narrower wish": ({"require/pod": "true", "prefer/container.c": "false"}, (False, False)),
    "the narrower demand": ({"require/pod": "true", "prefer": "false"}, (True, True)),
    "not demanded": ({"require/pod": "false", "prefer": "true"}, (False, False)),
    "an older demand in the same scope": ({"prefer": "false", "require-old": "true"}, (True, True)),
}


@pytest.mark.parametrize("row", ISOLATED.values(), ids=ISOLATED)
def test_isolation_by_scope(row: tuple[dict[str, str], Any]) -> None:
    said, meant = row
    annotations = {}
    for key, value in said.items():
        word, _slash, scope = key.partition("/")
        domain = OLD_DOMAIN if word.endswith("-old") else DOMAIN
        name = f"{word.replace('-old', '')}-isolated-cpus.{domain}"
        annotations[name + ("/" + scope if scope else "")] = value
    intent = tenant_intent(annotations, "c")
    assert (intent.isolated, intent.require_isolated) == meant
    assert intent.problems == ()


CONTRADICTORY = {
    "isolated and preserved": {"require-isolated-cpus": "true", "cpu.preserve": "true"},
    "isolated and shared": {"prefer-isolated-cpus": "true", "prefer-shared-cpus": "true"},
    "reserved and shared": {"prefer-reserved-cpus": "true", "prefer-shared-cpus": "true"},
    "memory kept and chosen": {"memory.preserve": "true", "memory-type": "hbm"},
    "strict without hints": {"strict.topologyhints": "true", "topologyhints": "none"},
}


@pytest.mark.parametrize("said", CONTRADICTORY.values(), ids=CONTRADICTORY)
def test_what_contradicts_itself_is_told_once(said: dict[str, str]) -> None:
    intent = tenant_intent({name + SUFFIX: value for name, value in said.items()}, "c")
    (problem,) = intent.problems
    assert problem.why.startswith("has no effect: ")
    assert intent.demand is None


def test_an_exception_is_no_contradiction() -> None:
    said = {
        "prefer-isolated-cpus" + SUFFIX: "true",
        "cpu.preserve" + SUFFIX + "/container.c": "true",
    }
    assert tenant_intent(said, "c").problems == ()
    no = {"prefer-isolated-cpus" + SUFFIX: "false", "prefer-shared-cpus" + SUFFIX: "true"}
    assert tenant_intent(no, "c").problems == ()


REMEDIES = {
    "memory-types.resource-policy.nri.io/pod": "did you mean memory-type.resource-policy.nri.io?",
    "resource-policy.nri.io/afinity": "did you mean resource-policy.nri.io/affinity?",
    "baloon.balloons.cri-resource-manager.intel.com": "balloon.balloons.resource-policy.nri.io?",
    "resource-policy.nri.io/memory-type": "write memory-type.resource-policy.nri.io/container.NAME",
    "memory-type.resource-policy.nri.io/containers.c": "end it in /container.NAME or /pod",
    "zzz.resource-policy.nri.io": "see docs/annotations.md",
}


@pytest.mark.parametrize(("key", "remedy"), REMEDIES.items())
def test_the_remedy_of_an_unknown_key(key: str, remedy: str) -> None:
    (problem,) = tenant_intent({key: "x"}, "c").problems
    assert problem.field == key
    assert remedy in problem.remedy


def test_without_annotations_of_the_dialect_there_is_no_intent() -> None:
    assert tenant_intent({"kubernetes.io/config.source": "api"}, "c") is NO_INTENT


def test_what_is_told_is_bounded() -> None:
    annotations = {f"x{number}{SUFFIX}": "1" for number in range(1000)}
    assert len(tenant_intent(annotations, "c").problems) == MAX_SHOWN


DURATIONS = {
    "60s": 60.0, "1m30s": 90.0, "0.5h": 1800.0, "+1h": 3600.0, "-2s": -2.0, "0": 0.0, ".5s": 0.5,
    "1.s": 1.0, "100ms": 0.1, "5µs": 5e-6, "": None, "60": None, "s": None, "1d": None, "1 s": None,
    "1s ": None, "--1s": None, "1e3s": None, "9" * 999 + "s": None, ".s": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "meant"), DURATIONS.items())
def test_durations_of_go(text: str, meant: Any) -> None:
    assert seconds(text) == (None if meant is None else pytest.approx(meant))


NAMES = st.sampled_from([*KNOWN, "x", ""])
SCOPES = st.sampled_from(["", "/pod", "/container.c", "/container.", "/x", "//"])
DOMAINS = st.sampled_from(["." + DOMAIN, "." + OLD_DOMAIN, DOMAIN, "", "." + DOMAIN * 2])
HOSTILE = st.text(max_size=60) | st.sampled_from(
    [*TRUE, *FALSE, "{" * 9999, "c: [" * 99, "- " * 4096, "\0", "1e309", "c: [c]", "x" * 262144,
     "c:\n- match: {key: name, operator: In, values: [a]}\n  weight: 99999999999999999999"]
)  # fmt: skip


@given(st.dictionaries(st.tuples(NAMES, DOMAINS, SCOPES).map("".join), HOSTILE, max_size=12))
def test_nothing_that_a_tenant_writes_raises(annotations: dict[str, str]) -> None:
    intent = tenant_intent(annotations, "c")
    assert len(intent.problems) <= len(annotations) * 2
    assert all(len(problem.value) <= 1024 for problem in intent.problems)
    assert intent.demand is None or intent.demand in intent.problems


PAGE = (Path(__file__).parents[4] / "docs" / "annotations.md").read_text(encoding="utf-8")


def test_the_page_has_a_row_for_every_key() -> None:
    listed = re.findall(
        r"^\| `(?:resource-policy\.nri\.io)?([^`]+)` \| (?:ta|b|-)", PAGE, re.MULTILINE
    )
    assert sorted(listed) == sorted(KNOWN)


def test_the_example_of_the_page_is_understood() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    annotations = yaml.safe_load(example)["metadata"]["annotations"]
    for container, weight in (("cache", 1), ("web", -20)):
        intent = tenant_intent(annotations, container)
        assert intent.problems == ()
        assert weight in [affinity.weight for affinity in intent.affinities or ()]
