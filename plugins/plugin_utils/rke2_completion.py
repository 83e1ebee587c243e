# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""Options of the role lablabs.rke2 with the reserved memory that a machine needs.

What is right stays as it is written. Out of scope: any other mistake; it is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.arithmetic import need
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.flags import (
    name_and_value,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.hardware import Hardware
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rancher import (
    KUBELET_ARG,
    kubelet_args,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rendering import (
    reserved_memory,
    reserved_memory_flags,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.split import split
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import (
    HomenodeProblem,
    Problem,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.rke2_findings import (
    Inventory,
    mistakes,
    outcome,
    read,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.rke2_options import (
    Pair,
    option_list,
    rendered,
)

_MEMORY = "reserved-memory"


def completed(options: object, machine: Hardware, strategy: object, version: str) -> list[object]:
    """*options*, where needed with one item for each NUMA node that has a share.

    Raises HomenodeProblem for the first mistake that has nothing to do with reserved memory, for a
    split that does not fit the machine, and for a percentage without its whole.
    """
    listed = option_list(options)
    inventory = Inventory(listed, version=version, machine=machine)
    wrong = mistakes(inventory)
    _refuse([problem for problem in wrong if not _is_about_memory(problem)])
    if not wrong:
        return listed
    found = read(inventory)
    bare = tuple(item for item in found.arguments if not _is_memory(item))
    result = outcome(replace(found, arguments=bare))
    if result.config.get("memoryManagerPolicy") != "Static":
        _refuse(wrong)
    total = need(result, machine.memory_total).total
    shares = split(total.whole(field="the sum of all reservations"), machine.rooms, strategy)
    result_options = _with(listed, found.file, reserved_memory_flags(reserved_memory(shares)))
    _refuse(mistakes(replace(inventory, options=result_options)))
    return result_options


def _with(options: list[object], file: Sequence[Pair], memory: list[str]) -> list[object]:
    """*options* with *memory* in the place of the items that reserved memory, or at the end."""
    places = [pair for pair in file if pair.sets_arguments]
    items = [list(kubelet_args({KUBELET_ARG: pair.value})) for pair in places]
    target = next(
        (at for at, some in enumerate(items) if any(map(_is_memory, some))), len(items) - 1
    )
    result = options
    for at in range(len(places) - 1, -1, -1):
        kept = [item for item in items[at] if not _is_memory(item)]
        if at == target:
            first = next((n for n, item in enumerate(items[at]) if _is_memory(item)), len(kept))
            kept[first:first] = memory
        if kept != items[at]:
            result = _replaced(result, places[at], kept)
    return result


def _replaced(options: list[object], pair: Pair, items: list[str]) -> list[object]:
    option = options[pair.first]
    if isinstance(option, Mapping):
        changed: object = {**option, pair.key: items}
        return [*options[: pair.first], changed, *options[pair.first + 1 :]]
    lines = rendered(options)
    start, end = pair.lines
    while end > start + 1 and lines[end - 1][1].strip()[:1] in ("", "#"):
        end -= 1
    quoted = ", ".join("'" + item.replace("'", "''") + "'" for item in items)
    lines[start:end] = [(pair.first, f"{pair.key}: [{quoted}]")]
    result = []
    for number, before in enumerate(options):
        texts = [line for at, line in lines if at == number]
        if not pair.first <= number <= pair.last:
            result.append(before)
        elif texts:
            result.append("\n".join(texts))
    return result


def _is_memory(item: str) -> bool:
    return name_and_value(item)[0].rstrip("+-") == _MEMORY


def _is_about_memory(problem: Problem) -> bool:
    return problem.field.startswith("reservedMemory")


def _refuse(problems: Sequence[Problem]) -> None:
    for problem in problems:
        raise HomenodeProblem(
            problem.field, problem.value, problem.why, problem.remedy, source=problem.source
        )
