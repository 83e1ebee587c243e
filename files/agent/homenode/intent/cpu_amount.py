# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``availableResources.cpu`` and ``reservedResources.cpu``: CPUs named, excluded or counted.

The grammar and the words of refusal are upstream's (pinning.md §1.7, §14). Out of scope: whether
a machine has those CPUs (``pinning.reservation``).
"""

from __future__ import annotations

from model.cpuset import CpuSet
from model.fields import Fields
from model.problem import HomenodeProblem
from model.quantity import Quantity, kubernetes_words

from .object_tables import Read, Table, read_object, text
from .policy_config import CpuAmount

CPUSET, EXCLUDE = "cpuset:", "exclude-cpuset:"
NANOS_PER_MILLI = 10**6
_REMEDY = "write cpuset:LIST, exclude-cpuset:LIST or a number of CPUs such as 750m"


def cpu_amount(kind: str) -> Read:
    """A reader of the mapping with the ``cpu`` entry; *kind* is "available" or "reserved"."""

    table: Table = {
        "cpu": ("amount", lambda fields, key: _amount(fields, key, kind)),
        "memory": ("", text),
    }

    def read(fields: Fields, key: str) -> CpuAmount:
        section = fields.section(key)
        found = {} if section is None else read_object(section, table)
        amount: CpuAmount = found.get("amount", CpuAmount())
        return amount

    return read


def _amount(fields: Fields, key: str, kind: str) -> CpuAmount:
    said = text(fields, key)
    if said.startswith(CPUSET):
        return CpuAmount(cpus=_cpus(fields, key, said[len(CPUSET) :], kind))
    if said.startswith(EXCLUDE):
        return CpuAmount(excluded=_cpus(fields, key, said[len(EXCLUDE) :], kind))
    try:
        nanos = Quantity.parse(said).nanos
    except HomenodeProblem:
        why = (
            f"failed to parse {kind} CPU quantity '{said}': failed to parse amount '{said}' as"
            f" resource quantity: {kubernetes_words(said)}"
        )
        raise fields.wrong(key, why, _REMEDY) from None
    if nanos < 0:
        raise fields.wrong(key, "is less than nothing", _REMEDY)
    return CpuAmount(millis=-(-nanos // NANOS_PER_MILLI))


def _cpus(fields: Fields, key: str, listed: str, kind: str) -> CpuSet:
    try:
        return CpuSet.parse(listed)
    except HomenodeProblem as error:
        why = f"failed to parse {kind} CPU cpuset '{listed}': {error.problem.why}"
        raise fields.wrong(key, why, error.problem.remedy) from None
