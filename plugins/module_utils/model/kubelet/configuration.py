# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Single fields of a KubeletConfiguration, typed as they are read, with what a kubelet would say.

A kubelet decodes the file strictly by type: ``cpu: 1`` in kubeReserved stops it, as only texts are
allowed there. Out of scope: fields that have nothing to do with NUMA; they pass unread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..cpuset import CpuSet
from ..problem import HomenodeProblem, Problem
from ..quantity import Quantity, kubernetes_words

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


def cpu_list(listed: str) -> CpuSet:
    """``0-1,4`` as the kubelet reads it: no spaces, no strides.

    Raises HomenodeProblem with its words, and for a number that no CPU can have.
    """
    found = CpuSet()
    for part in listed.split(",") if listed else ():
        numbers = [_go_integer(number, listed) for number in part.split("-", 1)]
        first, last = numbers[0], numbers[-1]
        if first > last:
            why = f'invalid range "{part}" ({first} > {last})'
            raise HomenodeProblem("reservedSystemCPUs", listed, why, "write a list like 0-3,8")
        found = found | CpuSet.parse(f"{first}-{last}", field="reservedSystemCPUs")
    return found


def _go_integer(number: str, listed: str) -> int:
    if not re.match(r"[+-]?\d{1,9}\Z", number, re.ASCII):
        why = f'strconv.Atoi: parsing "{number}": invalid syntax'
        raise HomenodeProblem("reservedSystemCPUs", listed, why, "write a list like 0-3,8")
    return int(number)


def decode_errors(settings: Settings, source: str) -> list[Problem]:
    """What Go's JSON decoder would say of the fields read here; empty when they fit."""
    errors = []
    for key in TEXTS:
        if not isinstance(settings.get(key, ""), (str, type(None))):
            errors.append(_cannot(settings[key], key, key, "string", source))
    for key in TEXT_MAPS:
        value = settings.get(key)
        if isinstance(value, Mapping):
            for name, item in value.items():
                if not isinstance(item, (str, type(None))):
                    errors.append(_cannot(item, f"{key}.{name}", key, "string", source))
        elif value is not None:
            errors.append(_cannot(value, key, key, "map[string]string", source))
    return errors + _quantity_errors(settings.get("reservedMemory"), source)


def _quantity_errors(reservations: object, source: str) -> list[Problem]:
    """Limits are decoded as quantities at once; unlike in the text maps, numbers may be bare."""
    errors = []
    for number, entry in enumerate(reservations if isinstance(reservations, list) else ()):
        limits = entry.get("limits") if isinstance(entry, Mapping) else None
        for kind, amount in limits.items() if isinstance(limits, Mapping) else ():
            written = str(amount).strip()
            try:
                Quantity.parse(written)
            except HomenodeProblem as error:
                field = f"reservedMemory[{number}].limits.{kind}"
                why, remedy = kubernetes_words(written), error.problem.remedy
                errors.append(Problem(field, written, why, remedy, source))
    return errors


def _cannot(value: object, field: str, key: str, wanted: str, source: str) -> Problem:
    why = f"json: cannot unmarshal {_json_kind(value)} into Go struct field"
    why += f" KubeletConfiguration.{key} of type {wanted}"
    remedy = "put it in quotes" if wanted == "string" else 'write a map, such as {"memory": "1Gi"}'
    return Problem(field, str(value), why, remedy, source)


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
