# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters for CPU and node lists: expand, collapse, union, intersect, difference.

Each is documented in the YAML file of its name beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.module_utils.model.cpuset import MAX_ID, CpuSet
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

REMEDY = "give a list like 0-3,8, a number, or a sequence of these"


def cpuset_expand(cpus: object) -> list[int]:
    """The members, ascending."""
    return list(_cpuset(cpus))


def cpuset_collapse(cpus: object) -> str:
    """The shortest list."""
    return str(_cpuset(cpus))


def cpuset_union(cpus: object, *others: object) -> str:
    """What is in any of them."""
    return str(_cpuset([cpus, *others]))


def cpuset_intersect(cpus: object, *others: object) -> str:
    """What is in all of them."""
    found = _cpuset(cpus)
    for other in others:
        found = found & _cpuset(other)
    return str(found)


def cpuset_difference(cpus: object, *others: object) -> str:
    """What is in the first and in none of the others."""
    return str(_cpuset(cpus) - _cpuset(others))


def _cpuset(cpus: object) -> CpuSet:
    """From a list as text, a number, or any sequence of these: the union of all that is in it."""
    if isinstance(cpus, str):
        return CpuSet.parse(cpus, field="CPU list")
    if isinstance(cpus, int) and not isinstance(cpus, bool):
        if not 0 <= cpus <= MAX_ID:
            raise HomenodeProblem("CPU list", cpus, f"is not within 0 to {MAX_ID}", REMEDY)
        return CpuSet([cpus])
    if isinstance(cpus, Iterable) and not isinstance(cpus, (bytes, dict)):
        found = CpuSet()
        for part in cpus:
            found = found | _cpuset(part)
        return found
    raise HomenodeProblem("CPU list", cpus, f"is of type {type(cpus).__name__}", REMEDY)


def _filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """The door: a problem becomes Ansible's own error, with the filter's name before it."""

    @wraps(function)
    def filter_(*arguments: object) -> Any:
        try:
            return function(*arguments)
        except HomenodeProblem as error:
            name = f"homenode.numa.{function.__name__}"
            raise AnsibleFilterError(f"{name}: {error}") from None

    return filter_


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Each filter by its name."""
        functions = (
            cpuset_expand,
            cpuset_collapse,
            cpuset_union,
            cpuset_intersect,
            cpuset_difference,
        )
        return {function.__name__: _filter(function) for function in functions}
