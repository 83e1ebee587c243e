# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who gets which interrupt: the tables of both policies, and never an empty set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.pinning.interrupt_affinity import (
    CLAIM_FIRST,
    ISOLATE,
    MASK_FIRST,
    SINK,
    InterruptWish,
    denied,
    wanted_cpus,
)
from model.cpuset import CpuSet
from model.interrupts import Interrupt, parse_interrupts

TTY, RTC = Interrupt(4, "IO-APIC 4-edge ttyS0"), Interrupt(8, "IO-APIC 8-edge rtc0")
ALL = CpuSet.parse("0-15")
BOTH = ((TTY, ALL), (RTC, ALL))
FIRST, SECOND = CpuSet.parse("4-5"), CpuSet.parse("6-7")

LISTING = """           CPU0       CPU1
  4:        171          0   IO-APIC   4-edge      ttyS0
  8:          1          0   IO-APIC   8-edge      rtc0
 25:          0   PCI-MSI 32768-edge      virtio0-config, virtio0-input
NMI:          0          0   Non-maskable interrupts
ERR:          0
"""


def test_the_listing_is_read() -> None:
    assert parse_interrupts(LISTING) == (
        TTY,
        RTC,
        Interrupt(25, "PCI-MSI 32768-edge virtio0-config, virtio0-input"),
    )


@pytest.mark.parametrize(
    ("pattern", "there"),
    [("4", True), ("04", True), ("5", False), ("*ttyS0*", True), ("ttyS0", True), ("ttyS", False)],
)
def test_how_people_name_one(pattern: str, there: bool) -> None:
    assert TTY.matches(pattern) is there


@pytest.mark.parametrize(
    ("wishes", "wanted"),
    [
        ((), {}),
        (
            (InterruptWish(FIRST, ("*ttyS0*",)), InterruptWish(SECOND, ("*rtc0*",))),
            {4: "4-5", 8: "6-7"},
        ),
        ((InterruptWish(FIRST, (), ("*ttyS0*",)),), {4: "0-3,6-15"}),
        (
            (InterruptWish(FIRST, ("*ttyS0*",), ("*",)), InterruptWish(SECOND, (), ("*rtc0*",))),
            {4: "4-5", 8: "0-3,8-15"},
        ),
        (
            (
                InterruptWish(FIRST, ("*ttyS0*",)),
                InterruptWish(CpuSet([4]), (), ("*",), MASK_FIRST),
            ),
            {4: "4-5", 8: "0-3,5-15"},
        ),
        (
            (InterruptWish(FIRST, ("*tty*",)), InterruptWish(CpuSet([4]), (), ("*",), CLAIM_FIRST)),
            {4: "5", 8: "0-3,5-15"},
        ),
    ],
)
def test_containers(wishes: tuple[InterruptWish, ...], wanted: dict[int, str]) -> None:
    found = wanted_cpus(BOTH, ALL, ("*",), wishes)
    assert {number: str(cpus) for number, cpus in found.items()} == wanted


def test_what_is_not_controllable_is_not_touched() -> None:
    wishes = (InterruptWish(FIRST, ("*",)),)
    assert wanted_cpus(BOTH, ALL, ("*rtc0*",), wishes) == {8: FIRST}


def test_a_pattern_that_names_it_is_denied() -> None:
    found = denied(("*rtc0*", "*tty*"), (TTY, RTC), ("*rtc0*",))
    assert found == ("*tty*", 'denied interrupt: 4 denied but matched by user pattern "*tty*"')
    assert denied(("*rtc0*", "*nobody*"), (TTY, RTC), ("*rtc0*",)) is None


def test_what_goes_elsewhere_stays_there_unless_it_is_claimed() -> None:
    there = ((TTY, CpuSet([20])), (RTC, CpuSet([3])))
    isolate = InterruptWish(FIRST, mode=ISOLATE)
    assert {4, 8} - set(wanted_cpus(there, ALL, ("*",), (isolate,))) == {4}
    claim = InterruptWish(SECOND, ("4",), mode="")
    assert wanted_cpus(there, ALL, ("*",), (isolate, claim))[4] == SECOND


@pytest.mark.parametrize(
    ("wishes", "wanted"),
    [
        ((InterruptWish(FIRST, ("ttyS0",), mode=""),), {4: "4-5"}),
        ((InterruptWish(FIRST, mode=SINK),), {4: "4-5", 8: "4-5"}),
        (
            (InterruptWish(FIRST, mode=SINK), InterruptWish(SECOND, ("8",), mode="")),
            {4: "4-5", 8: "6-7"},
        ),
        ((InterruptWish(FIRST, mode=ISOLATE),), {4: "0-3,6-15", 8: "0-3,6-15"}),
        ((InterruptWish(CpuSet(), ("*",), mode=SINK),), {}),
    ],
)
def test_balloons(wishes: tuple[InterruptWish, ...], wanted: dict[int, str]) -> None:
    found = wanted_cpus(BOTH, ALL, ("*",), wishes)
    assert {number: str(cpus) for number, cpus in found.items()} == wanted


CPUS = st.sets(st.integers(0, 15), max_size=16).map(CpuSet)
NAMES = st.lists(st.sampled_from(["*", "4", "*rtc0*", "nobody"]), max_size=2).map(tuple)
WISHES = st.lists(
    st.builds(
        InterruptWish,
        CPUS,
        NAMES,
        NAMES,
        st.sampled_from([MASK_FIRST, CLAIM_FIRST, SINK, ISOLATE]),
    ),
    max_size=5,
)


@given(WISHES)
def test_nobody_ever_gets_an_empty_set(wishes: list[InterruptWish]) -> None:
    assert all(wanted_cpus(BOTH, ALL, ("*",), wishes).values())
    assert all(wanted_cpus(((TTY, ALL), (RTC, FIRST)), ALL, ("*",), wishes).values())
