# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Single fields of a KubeletConfiguration, typed as they are read, with what a kubelet would say.

A kubelet decodes the file strictly by type: ``cpu: 1`` in kubeReserved stops it, as only texts are
allowed there. Out of scope: fields that have nothing to do with NUMA; they pass unread.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..problem import HomenodeProblem

Settings = Mapping[str, object]
"""Keys of a KubeletConfiguration, as JSON knows them."""

TEXT_MAPS = (
    "kubeReserved",
    "systemReserved",
    "evictionHard",
    "evictionSoft",
    "evictionMinimumReclaim",
    "cpuManagerPolicyOptions",
    "topologyManagerPolicyOptions",
)
TEXTS = (
    "cpuManagerPolicy",
    "memoryManagerPolicy",
    "topologyManagerPolicy",
    "topologyManagerScope",
    "reservedSystemCPUs",
    "kubeReservedCgroup",
    "systemReservedCgroup",
)


def text(settings: Settings, key: str, default: str = "") -> str:
    """The text under *key*; *default* where there is none. Raises HomenodeProblem if no text."""
    value = settings.get(key)
    if value is None:
        return default
    if not isinstance(value, str):
        raise _not_a_text(key, value)
    return value


def text_map(settings: Settings, key: str) -> dict[str, str]:
    """The map of texts under *key*; empty where there is none. Raises HomenodeProblem."""
    value = settings.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise HomenodeProblem(key, value, "is not a map", 'write a map, such as {"memory": "1Gi"}')
    for name, item in value.items():
        if not isinstance(item, str):
            raise _not_a_text(f"{key}.{name}", item)
    return {str(name): str(item) for name, item in value.items()}


def records(settings: Settings, key: str) -> list[Settings]:
    """The list of maps under *key*; empty where there is none. Raises HomenodeProblem."""
    value = settings.get(key)
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise HomenodeProblem(key, value, "is not a list", f"write {key} as a list of maps")
    for number, item in enumerate(value):
        if not isinstance(item, Mapping):
            raise HomenodeProblem(f"{key}[{number}]", item, "is not a map", f"write {key} as maps")
    return list(value)


def decode_errors(settings: Settings) -> list[str]:
    """What Go's JSON decoder would say of the fields read here; empty when they fit."""
    errors = []
    for key in TEXTS:
        if not isinstance(settings.get(key, ""), (str, type(None))):
            errors.append(_cannot(settings[key], key, "string"))
    for key in TEXT_MAPS:
        value = settings.get(key)
        if isinstance(value, Mapping):
            wrong = [item for item in value.values() if not isinstance(item, (str, type(None)))]
            errors += [_cannot(item, key, "string") for item in wrong]
        elif value is not None:
            errors.append(_cannot(value, key, "map[string]string"))
    return errors


def _cannot(value: object, key: str, wanted: str) -> str:
    field = f"Go struct field KubeletConfiguration.{key} of type {wanted}"
    return f"json: cannot unmarshal {_json_kind(value)} into {field}"


def _json_kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def _not_a_text(field: str, value: object) -> HomenodeProblem:
    return HomenodeProblem(
        field, value, "is not a text, and a kubelet does not start with it", "put it in quotes"
    )
