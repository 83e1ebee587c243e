# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs are of which class, and which interrupts containers claim or keep away.

nri-plugins' rule (pinning.md §2.1, §2.12): everything is of the shared class but the reserved CPUs
and the exclusive ones of containers that have a class. Out of scope: what a class means for a CPU.
"""

from __future__ import annotations

from homenode.pinning.interrupt_affinity import InterruptWish
from homenode.pinning.policy import Hardware
from model.cpuset import NO_CPUS, CpuSet

from .books import Books


def hardware(books: Books) -> Hardware:
    """What is wished of the hardware as things are now."""
    setting = books.setting
    wishes = tuple(
        InterruptWish(grant.exclusive, irq.claim, irq.mask, irq.mode)
        for grant in books.grants.values()
        if (irq := grant.ask.intent.irq) is not None and grant.exclusive
    )
    return Hardware(_classes(books), wishes, setting.allowed)


def _classes(books: Books) -> dict[str, CpuSet]:
    setting, config = books.setting, books.setting.config
    if not config.cpu_classes:
        return {}
    owners: dict[str, CpuSet] = {}
    rest = setting.allowed - setting.reserved
    for grant in books.grants.values():
        if grant.cpu_class and grant.exclusive:
            owners[grant.cpu_class] = owners.get(grant.cpu_class, NO_CPUS) | grant.exclusive
            rest = rest - grant.exclusive
    for name, cpus in (
        (config.shared_cpu_class, rest),
        (config.reserved_cpu_class, setting.reserved),
    ):
        if name:
            owners[name] = owners.get(name, NO_CPUS) | cpus
    return owners
