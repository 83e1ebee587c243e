# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a container's devices and mounts are near, as hints; and hints that a test writes itself.

Which of them count is the tenant's word (``HintIntent``; pinning.md §2.7). The annotation
``test.topologyhints`` is YAML ``{name: {Provider, CPUs, NUMAs, Sockets}}``, all values lists of
ids: upstream's own way to test without hardware, which only a simulation obeys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from homenode.intent.annotations import DOMAIN, effective
from homenode.intent.hint_paths import counts
from homenode.intent.hints import DEVICES, MOUNTS, TEST
from homenode.intent.tenant import HintIntent
from homenode.intent.yaml_subset import read_yaml
from homenode.pinning.policy import Hint
from model.cpuset import CpuSet, NodeSet
from model.fields import Fields
from model.machine import Machine
from model.problem import HomenodeProblem

from .devices import cpus_near
from .pods import ScenarioContainer

TEST_HINTS = f"{TEST}.{DOMAIN}"
MAX_CHARACTERS = 4096


def hints_of(
    machine: Machine,
    annotations: Mapping[str, str],
    container: ScenarioContainer,
    intent: HintIntent,
) -> tuple[Hint, ...]:
    """Those that count, the first one of each provider."""
    if intent.sources == frozenset():
        return ()
    found: dict[str, Hint] = {}
    for source, paths in ((MOUNTS, container.mounts), (DEVICES, container.devices)):
        for path in paths if intent.sources is None or source in intent.sources else ():
            cpus = cpus_near(machine, path)
            if cpus:
                found.setdefault(path, Hint(path, cpus))
    for hint in _test_hints(annotations, container.name):
        found.setdefault(hint.provider, hint)
    return tuple(hint for hint in found.values() if counts(intent, hint.provider))


def _test_hints(annotations: Mapping[str, str], container: str) -> Iterator[Hint]:
    """Nothing where the annotation cannot be read, as upstream."""
    found = effective(annotations, TEST_HINTS, container)
    if found is None:
        return
    try:
        named = Fields(
            read_yaml(_first_value(found.value), field=found.key, limit=MAX_CHARACTERS),
            source=found.key,
        )
        hints = [_test_hint(one) for one in map(named.section, named.names()) if one is not None]
    except HomenodeProblem:
        return
    yield from hints


def _first_value(text: str) -> str:
    """A text in braces up to their end: upstream's reader looks no farther, nor do its tests."""
    depth = 0
    for place, char in enumerate(text if text.lstrip().startswith("{") else ""):
        depth += (char == "{") - (char == "}")
        if char == "}" and depth == 0:
            return text[: place + 1]
    return text


def _test_hint(fields: Fields) -> Hint:
    packages = CpuSet.parse(fields.scalar("Sockets", ""))
    return Hint(
        provider=fields.scalar("Provider", ""),
        cpus=CpuSet.parse(fields.scalar("CPUs", "")),
        nodes=NodeSet.parse(fields.scalar("NUMAs", "")),
        packages=tuple(packages),
    )
