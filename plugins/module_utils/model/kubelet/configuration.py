# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Single fields of a KubeletConfiguration, typed as they are read, with what a kubelet would say.

A kubelet decodes the file strictly by type: ``cpu: 1`` in kubeReserved stops it, as only texts are
allowed there. Out of scope: fields that have nothing to do with NUMA; they pass unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

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
BOOLEANS = (
    "cgroupsPerQOS",
    "failSwapOn",
    "failCgroupV1",
    "mergeDefaultEvictionSettings",
    "singleProcessOOMKill",
)
MAPS: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(TEXT_MAPS, (str, "string")),
    "featureGates": (bool, "bool"),
}
"""The Python and the Go type of what is in each."""
REMEDIES = {
    "string": "put it in quotes",
    "bool": "write true or false, without quotes",
    "int32": "write a whole number, without quotes",
    "[]string": "write a list of texts",
    "[]v1beta1.MemoryReservation": "write a list of maps with numaNode and limits",
}
TEXTS = (
    "cpuManagerPolicy",
    "memoryManagerPolicy",
    "topologyManagerPolicy",
    "topologyManagerScope",
    "reservedSystemCPUs",
    "kubeReservedCgroup",
    "systemReservedCgroup",
)


def decoded(key: str, value: object) -> object:
    """*value* with Go's nothing for every null inside: no text, no memory, false."""
    if key in MAPS and isinstance(value, Mapping):
        nothing = "" if key in TEXT_MAPS else False
        return {name: nothing if item is None else item for name, item in value.items()}
    if key == "reservedMemory" and isinstance(value, (list, tuple)):
        return [_decoded_reservation(entry) for entry in value]
    return value


def _decoded_reservation(entry: object) -> object:
    limits = entry.get("limits") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(limits, Mapping):
        return {} if entry is None else entry
    amounts = {kind: "0" if amount is None else amount for kind, amount in limits.items()}
    return {**entry, "limits": amounts}


def mapping(value: object) -> Mapping[str, Any]:
    """*value*, or an empty map where it is none."""
    return value if isinstance(value, Mapping) else {}


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


def decode_errors(settings: Settings, source: str, go_names: bool = False) -> list[Problem]:
    """What Go's JSON decoder would say of the fields read here; empty when they fit.

    *go_names*: it calls the fields as Go does, with a capital first letter.
    """
    return [
        error
        for key, value in settings.items()
        if value is not None
        for error in _errors_at(key, value, source, go_names)
    ]


def _errors_at(key: str, value: object, source: str, go_names: bool) -> Iterator[Problem]:
    place = f"KubeletConfiguration.{key[:1].upper() + key[1:] if go_names else key}"
    if key in TEXTS and not isinstance(value, str):
        yield _cannot(value, key, place, "string", source)
    elif key in BOOLEANS and not isinstance(value, bool):
        yield _cannot(value, key, place, "bool", source)
    elif key in MAPS:
        kind, wanted = MAPS[key]
        if not isinstance(value, Mapping):
            yield _cannot(value, key, place, f"map[string]{wanted}", source)
        else:
            for name, item in value.items():
                if item is not None and not isinstance(item, kind):
                    yield _cannot(item, f"{key}.{name}", place, wanted, source)
    elif key == "enforceNodeAllocatable":
        if not isinstance(value, (list, tuple)):
            yield _cannot(value, key, place, "[]string", source)
        else:
            for number, item in enumerate(value):
                if not isinstance(item, str):
                    yield _cannot(item, f"{key}[{number}]", place, "string", source)
    elif key == "reservedMemory":
        yield from _reservation_errors(value, place, source, go_names)


def _reservation_errors(
    value: object, place: str, source: str, go_names: bool
) -> Iterator[Problem]:
    package = "config" if go_names else "v1beta1"
    if not isinstance(value, (list, tuple)):
        yield _cannot(value, "reservedMemory", place, f"[]{package}.MemoryReservation", source)
        return
    inner = "MemoryReservation." + place.partition(".")[2]
    node_name, limits_name = ("NumaNode", "Limits") if go_names else ("numaNode", "limits")
    for number, entry in enumerate(value):
        field = f"reservedMemory[{number}]"
        if not isinstance(entry, Mapping):
            if entry is not None:
                yield _cannot(entry, field, place, f"{package}.MemoryReservation", source)
            continue
        numa_node, limits = entry.get("numaNode"), entry.get("limits")
        if numa_node is not None and (isinstance(numa_node, bool) or not _is_int32(numa_node)):
            yield _cannot(numa_node, f"{field}.numaNode", f"{inner}.{node_name}", "int32", source)
        if limits is not None and not isinstance(limits, Mapping):
            yield _cannot(
                limits, f"{field}.limits", f"{inner}.{limits_name}", "v1.ResourceList", source
            )
    yield from _quantity_errors(value, source)


def _is_int32(value: object) -> bool:
    return isinstance(value, int) and -(2**31) <= value < 2**31


def _quantity_errors(reservations: object, source: str) -> list[Problem]:
    """Limits are decoded as quantities at once; unlike in the text maps, numbers may be bare."""
    errors = []
    for number, entry in enumerate(reservations if isinstance(reservations, list) else ()):
        limits = entry.get("limits") if isinstance(entry, Mapping) else None
        for kind, amount in limits.items() if isinstance(limits, Mapping) else ():
            if amount is None:
                continue  # a quantity's null is zero
            written = str(amount).strip()
            try:
                Quantity.parse(written)
            except HomenodeProblem as error:
                field = f"reservedMemory[{number}].limits.{kind}"
                why, remedy = kubernetes_words(written), error.problem.remedy
                errors.append(Problem(field, written, why, remedy, source))
    return errors


def _cannot(value: object, field: str, place: str, wanted: str, source: str) -> Problem:
    kind = _json_kind(value)
    if kind == "number" and wanted == "int32":
        kind = f"number {value}"
    why = f"json: cannot unmarshal {kind} into Go struct field {place}"
    why += f" of type {wanted}"
    remedy = REMEDIES.get(wanted, 'write a map, such as {"memory": "1Gi"}')
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
