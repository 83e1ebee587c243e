# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a kubelet and the filters disagree about a case: in verdict, words, need or values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from judge.answers import Answer
from judge.court import Outcome
from model.kubelet import checksums
from model.kubelet.known_keys import known_keys
from model.quantity import Quantity

COMPARED = (
    "cpuManagerPolicy",
    "cpuManagerPolicyOptions",
    "memoryManagerPolicy",
    "reservedMemory",
    "topologyManagerPolicy",
    "topologyManagerPolicyOptions",
    "topologyManagerScope",
    "kubeReserved",
    "systemReserved",
    "kubeReservedCgroup",
    "systemReservedCgroup",
    "reservedSystemCPUs",
    "enforceNodeAllocatable",
    "cgroupsPerQOS",
    "evictionHard",
    "evictionSoft",
    "evictionMinimumReclaim",
    "failSwapOn",
    "featureGates",
    "memorySwap",
    "mergeDefaultEvictionSettings",
    "singleProcessOOMKill",
    "failCgroupV1",
    "memoryThrottlingFactor",
    "maxPods",
)
"""Every key of the configuration that has to do with NUMA, memory or CPUs."""
NOT_OURS = {"memoryThrottlingFactor", "failCgroupV1", "maxPods", "singleProcessOOMKill"}
"""Of these the filter has no defaults: they are compared where somebody sets them."""
WANT = re.compile(r'of type "memory" is not equal to the value "([^"]+)"')
WORD = 2**64


def disagreements(outcome: Outcome, answer: Answer, version: str) -> Iterator[str]:
    """One sentence for each; none where both say the same."""
    verdict = answer.verdict
    if outcome.starts != verdict["starts"]:
        said = outcome.reason or "nothing"
        yield f"starts: kubelet {outcome.starts} ({said}), filter {verdict}"
        return
    if not outcome.starts:
        if not any(error in outcome.reason for error in verdict["errors"]):
            yield f"words: kubelet {outcome.reason!r}, filter {verdict['errors']}"
        want = WANT.search(outcome.reason)
        need = (answer.need or {}).get("quantity", answer.why_no_need)
        fits = want is None or want[1] == need or f'"{want[1]}": is not a whole number' in need
        if want and not fits:
            yield f"need: kubelet {want[1]}, filter {need}"
        return
    yield from _values(outcome.config, answer.effective["config"], version)
    yield from _kept_back(outcome, answer)
    for name, text in outcome.state.items():
        content = json.loads(text)
        if content["checksum"] not in (0, checksums.checksum(name, content)):
            yield f"checksum of {name}: {text}"


def _values(real: Mapping[str, Any], ours: Mapping[str, Any], version: str) -> Iterator[str]:
    known = known_keys(version)
    listed = ours.get("reservedSystemCPUs")
    for key in COMPARED:
        if key not in known or (key in NOT_OURS and key not in ours):
            continue
        one, other = plain(key, real.get(key)), plain(key, ours.get(key))
        if listed and key in ("kubeReserved", "systemReserved"):
            # Its own list of CPUs takes their place while it runs, not in what it shows.
            one, other = dict(one or {}), dict(other or {})
            one.pop("cpu", None)
            other.pop("cpu", None)
        if one != other:
            yield f"{key}: kubelet {one}, filter {other}"


def plain(key: str, value: Any) -> Any:
    """*value* in one spelling: nothing is None, whatever the kind of nothing."""
    if value in (None, "", False) or value == {} or value == []:
        return None
    if key == "memorySwap" and not any(value.values()):
        return None
    if key == "reservedMemory":
        entries = []
        for entry in value:
            limits = entry.get("limits") or {}
            amounts = {name: Quantity.parse(str(item)).nanos for name, item in limits.items()}
            entries.append((entry.get("numaNode", 0), amounts))
        return entries
    return value


def _kept_back(outcome: Outcome, answer: Answer) -> Iterator[str]:
    """With static memory that runs, the state file has the need, node by node."""
    state = json.loads(outcome.state.get("memory_manager_state", '{"policyName": null}'))
    if state["policyName"] != "Static":
        return
    tables = [table["memoryMap"]["memory"] for table in state["machineState"].values()]
    kept = sum(table["systemReserved"] for table in tables) % WORD
    need = (answer.need or {}).get("bytes")
    if kept != need:
        yield f"need: kubelet {kept}, filter {need} {answer.why_no_need}"
