# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What containers ask for, exactly: requests and limits by resource, and the QoS class of a pod.

Sources: Kubernetes' pkg/apis/core/v1/helper/qos (the class), defaults of core/v1 (a limit without
a request sets it). Out of scope: what a runtime makes of them (``workload``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Optional

from .fields import Fields
from .quantity import Quantity
from .workload import BEST_EFFORT, BURSTABLE, GUARANTEED

CPU, MEMORY = "cpu", "memory"
NOTHING = Quantity(0)
MILLI_NANOS = 1_000_000


@dataclass(frozen=True)
class Amount:
    """Request and limit of one resource; zero is none."""

    request: Quantity = NOTHING
    limit: Quantity = NOTHING

    @property
    def is_guaranteed(self) -> bool:
        """Whether all that may be used is asked for."""
        return bool(self.limit) and self.request == self.limit


AskedAmounts = Mapping[str, Amount]
"""By resource name, those that were named at all."""


def asked_amount(asked: AskedAmounts, resource: str) -> Amount:
    """What is asked of *resource*."""
    return asked.get(resource, Amount())


def qos_class(containers: Iterable[AskedAmounts]) -> str:
    """Kubernetes' rule: nobody asks for anything; all limit CPU and memory to what they request."""
    amounts = [asked_amount(asked, resource) for asked in containers for resource in (CPU, MEMORY)]
    if not any(amount.request or amount.limit for amount in amounts):
        return BEST_EFFORT
    return GUARANTEED if all(amount.is_guaranteed for amount in amounts) else BURSTABLE


def read_amounts(fields: Fields) -> AskedAmounts:
    """``requests`` and ``limits``; a limit without a request sets it.

    Raises HomenodeProblem for what is no quantity, a negative one, and more requests than limits.
    """
    requests, limits = (_read_quantities(fields, key) for key in ("requests", "limits"))
    amounts = {}
    for resource in {**limits, **requests}:
        limit = limits.get(resource, NOTHING)
        amounts[resource] = Amount(requests.get(resource, limit), limit)
        if limit and limit < amounts[resource].request:
            why = f"requests more {resource} than the limit {limit}"
            raise fields.wrong("requests", why, "request as much as the limit at most")
    return amounts


def millis(quantity: Quantity) -> int:
    """Thousandths, rounded up as Kubernetes does."""
    return -(-quantity.nanos // MILLI_NANOS)


def _read_quantities(fields: Fields, key: str) -> dict[str, Quantity]:
    listed = fields.section(key)
    if listed is None:
        return {}
    found = {resource: _read_quantity(listed, resource) for resource in listed.names()}
    return {resource: quantity for resource, quantity in found.items() if quantity is not None}


def _read_quantity(listed: Fields, resource: str) -> Optional[Quantity]:
    text = listed.scalar(resource, "")
    if not text:
        return None
    quantity = Quantity.parse(text, field=listed.name(resource))
    if quantity < NOTHING:
        raise listed.wrong(resource, "is negative", "give 0 or more")
    return quantity
