# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""State files that a kubelet with this configuration would refuse, from their content.

``cpu_manager_state`` and ``memory_manager_state`` hold the policy of the last run, the CPUs and the
memory of the machine to the byte, and what pods got of them. Never edit them: they carry a
checksum. ``cpu_state`` and ``memory_state`` have the rules of the static policies.
Out of scope: reading and removing the files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from ..problem import HomenodeProblem, Problem
from .checksums import CPU_STATE, MEMORY_STATE, checksum
from .configuration import text
from .cpu_state import cpu_state_difference
from .defaults import version_of
from .effective import Effective
from .gates import is_open
from .hardware import Hardware
from .memory_state import memory_state_difference

REMEDY = "drain the node, stop the kubelet, and delete this file before the kubelet starts again"
POLICIES = {CPU_STATE: "cpuManagerPolicy", MEMORY_STATE: "memoryManagerPolicy"}
"""State files in the order in which the kubelet reads them, and the policy that each belongs to."""


def stale(
    found: Effective, machine: Hardware, checkpoints: Mapping[str, object]
) -> Iterator[Problem]:
    """The state files that have to go first, with the kubelet's words.

    *checkpoints* has their parsed content by file name, or their text where it is no JSON; a file
    that is missing (None) never hinders.
    """
    for name in POLICIES:
        if checkpoints.get(name) is None or not _is_read(name, found):
            continue
        try:
            yield from _problems(name, checkpoints[name], found, machine)
        except HomenodeProblem:
            continue  # the verdict on the configuration says so


def live(checkpoints: Mapping[str, object], names: Iterable[str]) -> Iterator[Problem]:
    """What it means to delete these files as long as their pods run."""
    for name in names:
        content = checkpoints.get(name)
        entries = content.get("entries") if isinstance(content, Mapping) else None
        if isinstance(entries, Mapping) and entries:
            why = f"has {len(entries)} pods: deleted under live ones, it moves their CPUs away from"
            yield Problem(name, "", f"{why} their memory", "drain the node before")


def _is_read(name: str, found: Effective) -> bool:
    return name != MEMORY_STATE or is_open("MemoryManager", found.config, version_of(found.version))


def _problems(name: str, content: object, found: Effective, machine: Hardware) -> Iterator[Problem]:
    unreadable = _unreadable(name, content)
    if unreadable or not isinstance(content, Mapping):
        why = f"could not restore state from checkpoint: {unreadable}"
        yield Problem(name, str(content)[:40], why, REMEDY)
        return
    before, policy = str(content.get("policyName", "")), text(found.config, POLICIES[name])
    if before != policy:
        kind = "[memorymanager] " if name == MEMORY_STATE else ""
        why = f'{kind}configured policy "{policy}" differs from state checkpoint policy'
        yield Problem(name, before, f'{why} "{before}"', REMEDY)
    elif policy == "static" and name == CPU_STATE:
        why = cpu_state_difference(found, machine, content)
        if why:
            yield Problem(name, str(content.get("defaultCpuSet", "")), why, REMEDY)
    elif policy == "Static" and name == MEMORY_STATE:
        difference = memory_state_difference(found, machine, content)
        if difference is not None:
            yield Problem(name, difference.what, difference.why, REMEDY)


def _unreadable(name: str, content: object) -> str:
    """What the kubelet says of a file that it can not read; "" where it can."""
    if isinstance(content, str):
        return _json_error(content)
    if not isinstance(content, Mapping):
        kind = "array" if isinstance(content, (list, tuple)) else "number"
        return f"json: cannot unmarshal {kind} into Go value of type state"
    given = content.get("checksum", 0)
    if not given and name == CPU_STATE:
        return ""  # a file without one is of an old kubelet, and taken
    try:
        return "" if checksum(name, content) == given else "checkpoint is corrupted"
    except (KeyError, TypeError, ValueError):
        return ""  # no file of a kubelet; what is in it is compared


def _json_error(written: str) -> str:
    """Go's words; of a text that ends too early always the same."""
    try:
        json.loads(written)
    except json.JSONDecodeError as error:
        rest = written[error.pos :].strip()
        if not rest or error.msg.startswith("Unterminated string"):
            return "unexpected end of JSON input"
        return f"invalid character '{rest[0]}'"
    return "json: cannot unmarshal string into Go value of type state"
