# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How much memory and how many CPUs a kubelet keeps back, exact to the byte, term by term.

Rules: ``GetNodeAllocatableReservation`` and ``hardEvictionReservation`` of ``pkg/kubelet/cm``,
``parseThresholdStatement`` of ``pkg/kubelet/eviction``. A percentage is computed in float32 as the
kubelet computes it: 5% of 64Gi is 3435973888, not 3435973836. Soft eviction does not count, nor
does the machine's size. Out of scope: huge pages, which cannot be reserved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Optional

from ..problem import HomenodeProblem
from ..quantity import BINARY_SI, Quantity, kubernetes_words, total
from .configuration import text_map
from .effective import MEMORY_EVICTION, Effective

_PERCENT = re.compile(r"([+-]?)(\d*\.?\d*)(?:[eE]([+-]?\d{1,2}))?%+\Z", re.ASCII)


@dataclass(frozen=True)
class Need:
    """What has to be reserved over all NUMA nodes, in bytes, as three terms and their sum.

    The kubelet adds in the order system, kube, eviction, and prints in the format of the first of
    them that is not zero. *eviction_origin* says where that term comes from, or why it is zero.
    """

    kube: Quantity
    system: Quantity
    eviction: Quantity
    eviction_origin: str

    @property
    def total(self) -> Quantity:
        """The sum."""
        return total([self.system, self.kube, self.eviction])

    def equation(self) -> str:
        """The sum in words, with the origin of the one term that nobody writes down."""
        parts = f"kube {self.kube} + system {self.system} + eviction {self.eviction}"
        return f"{parts} ({self.eviction_origin}) = {self.total}"

    def as_dict(self) -> dict[str, object]:
        """Bytes as whole numbers. Raises HomenodeProblem where the kubelet keeps back fractions."""
        terms = {"kube": self.kube, "system": self.system, "eviction": self.eviction}
        fields = {"kube": "kubeReserved.memory", "system": "systemReserved.memory"}
        return {
            "bytes": self.total.whole(field="the sum of all reservations"),
            "quantity": str(self.total),
            "terms": {
                name: term.whole(field=fields.get(name, MEMORY_EVICTION))
                for name, term in terms.items()
            },
            "equation": self.equation(),
        }


def need(effective: Effective, memory_total: Optional[int] = None) -> Need:
    """The memory that reservedMemory must add up to.

    *memory_total* is MemTotal of ``/proc/meminfo`` in bytes; only a percentage needs it. Raises
    HomenodeProblem naming the key, with the kubelet's words where it would not start.
    """
    return Need(
        kube=reserved(effective, "kubeReserved", "memory"),
        system=reserved(effective, "systemReserved", "memory"),
        eviction=eviction(effective, memory_total),
        eviction_origin=_origin(effective),
    )


def reserved(effective: Effective, key: str, resource: str) -> Quantity:
    """One amount of kubeReserved or systemReserved; zero where there is none.

    Raises HomenodeProblem with the kubelet's words.
    """
    amount = text_map(effective.config, key).get(resource)
    return Quantity(0, is_int64=True) if amount is None else reservation(key, resource, amount)


def reservation(key: str, resource: str, amount: str) -> Quantity:
    """One entry of kubeReserved or systemReserved. Raises HomenodeProblem as a kubelet would."""
    flag = {"kubeReserved": "--kube-reserved", "systemReserved": "--system-reserved"}[key]
    field = f"{key}.{resource}"
    if resource not in ("cpu", "memory", "ephemeral-storage", "pid"):
        why = f'{flag} value failed to parse: cannot reserve "{resource}" resource'
        raise HomenodeProblem(
            field, amount, why, "remove it: only cpu, memory, ephemeral-storage and pid"
        )
    try:
        quantity = Quantity.parse(amount, field=field)
    except HomenodeProblem as error:
        why = f'{flag} value failed to parse: failed to parse quantity "{amount}" for "{resource}"'
        why += f" resource: {kubernetes_words(amount)}"
        raise HomenodeProblem(field, amount, why, error.problem.remedy) from error
    if quantity.nanos < 0:
        why = f'{flag} value failed to parse: resource quantity for "{resource}" cannot be negative'
        raise HomenodeProblem(field, amount, f"{why}: {amount}", "write a positive quantity")
    return quantity


def eviction(effective: Effective, memory_total: Optional[int]) -> Quantity:
    """The hard eviction threshold of memory.available. Raises HomenodeProblem."""
    amount = text_map(effective.config, "evictionHard").get("memory.available")
    if amount is None or effective.ignores_eviction:
        return Quantity(0, is_int64=True)
    return threshold("memory.available", amount, memory_total)


def threshold(signal: str, amount: str, capacity: Optional[int]) -> Quantity:
    """One entry of evictionHard, of which *capacity* is the whole.

    Raises HomenodeProblem, as a kubelet would, and for a percentage of an unknown capacity.
    """
    field = f"evictionHard.{signal}"
    if amount in ("0%", "100%"):
        return Quantity(0, is_int64=True)
    if amount.endswith("%"):
        return _share(signal, amount, capacity)
    try:
        quantity = Quantity.parse(amount, field=field)
    except HomenodeProblem as error:
        why, remedy = kubernetes_words(amount), error.problem.remedy
        raise HomenodeProblem(field, amount, why, remedy) from error
    if quantity.nanos <= 0:
        why = f"eviction threshold {signal} must be positive: {quantity}"
        raise HomenodeProblem(field, amount, why, "write more than 0, or remove the key")
    return quantity


def reserved_cpus(effective: Effective) -> int:
    """The number of CPUs that the static CPU manager keeps back: the sum, rounded up."""
    amounts = [reserved(effective, key, "cpu") for key in ("systemReserved", "kubeReserved")]
    return total(amounts).ceiling


def percentage(signal: str, amount: str) -> Fraction:
    """``5%`` as the float32 that a kubelet makes of it. Raises HomenodeProblem as it would."""
    field = f"evictionHard.{signal}"
    match = _PERCENT.match(amount)
    if match is None or not match[2].strip("."):
        why = f'strconv.ParseFloat: parsing "{amount.rstrip("%")}": invalid syntax'
        raise HomenodeProblem(field, amount, why, "write it like 5%")
    number = Fraction(match[2].rstrip(".")) * Fraction(10) ** int(match[3] or 0)
    share = _float32(_float32(-number if match[1] == "-" else number) / 100)
    if not 0 <= share <= 1:
        bound = ">= 0%" if share < 0 else "<= 100%"
        why = f"eviction percentage threshold {signal} must be {bound}: {amount}"
        raise HomenodeProblem(field, amount, why, "write it like 5%")
    return share


def _share(signal: str, amount: str, capacity: Optional[int]) -> Quantity:
    share = percentage(signal, amount)
    if capacity is None:
        raise HomenodeProblem(
            f"evictionHard.{signal}",
            amount,
            "is a share of the machine's memory, which was not given",
            "give MemTotal of /proc/meminfo in bytes as mem_total",
        )
    # Both factors become float64, their product is rounded to one, and then cut to an integer.
    return Quantity.of(int(float(capacity) * float(share)), BINARY_SI)


def _float32(number: Fraction) -> Fraction:
    """The nearest float32 (ties to even); numbers too large for one stay as they are."""
    if number == 0:
        return number
    size = abs(number)
    power = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** power:
        power -= 1
    step = Fraction(2) ** (max(power, -126) - 23)
    return round(number / step) * step


def _origin(effective: Effective) -> str:
    if effective.ignores_eviction:
        return "flag --experimental-allocatable-ignore-eviction"
    amount = effective.config.get("evictionHard")
    given = amount.get("memory.available") if isinstance(amount, dict) else None
    origin = effective.origins.get(MEMORY_EVICTION, "unknown")
    share = f"{given} of MemTotal, " if isinstance(given, str) and given.endswith("%") else ""
    return share + origin
