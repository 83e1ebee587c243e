# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""The door of the quantity and kubelet filters: plain data in, one Ansible error out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem


def filters(*functions: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Each function by its name; its arguments become plain data, its problem Ansible's error."""
    return {function.__name__: _at_the_door(function) for function in functions}


def plain(value: object) -> object:
    """The same data in Python's own types: Ansible hands in texts and maps of its own."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _at_the_door(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def filter_(*arguments: object, **named: object) -> Any:
        try:
            return function(
                *map(plain, arguments), **{name: plain(value) for name, value in named.items()}
            )
        except HomenodeProblem as error:
            name = f"homenode.numa.{function.__name__}"
            raise AnsibleFilterError(f"{name}: {error}") from None

    return filter_
