# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The need, to the byte: figures that real kubelets have printed."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.kubelet.arithmetic import need, percentage, reserved_cpus
from model.kubelet.effective import Effective, Layer, Sources, effective
from model.problem import HomenodeProblem

GUEST = 4118515712
"""MemTotal of the machine on which the percentages were measured."""


def found(**keys: Any) -> Effective:
    return effective(Sources(Layer("config.yaml", keys)))


def reserves(kube: str = "", system: str = "", evict: Optional[str] = "") -> Effective:
    keys: dict[str, Any] = {}
    if kube:
        keys["kubeReserved"] = {"memory": kube}
    if system:
        keys["systemReserved"] = {"memory": system}
    if evict != "":
        keys["evictionHard"] = {} if evict is None else {"memory.available": evict}
    return found(**keys)


PRINTED: dict[str, tuple[Effective, str, int]] = {
    "kubeadm": (reserves(), "100Mi", 104857600),
    "kubespray": (reserves("256Mi", "512Mi"), "868Mi", 910163968),
    "an EKS node of 737 pods": (reserves("8362Mi"), "8462Mi", 8873050112),
    "OpenShift's example": (reserves("512Mi", "512Mi"), "1124Mi", 1178599424),
    "r decimal first": (reserves("1Gi", "500M", None), "1573741824", 1573741824),
    "decimal first, and the default": (reserves("1Gi", "500M"), "1678599424", 1678599424),
    "kube decimal": (reserves("1G"), "1104857600", 1104857600),
    "r one more unit": (reserves("924Mi"), "1Gi", 1073741824),
    "an exponent": (reserves("1e9", evict=None), "1e9", 1000000000),
    "e 5%": (reserves(evict="5%"), "205925788", 205925788),
    "e 2.5%": (reserves(evict="2.5%"), "102962894", 102962894),
    "e2 0% counts as nothing": (reserves("300Mi", evict="0%"), "300Mi", 314572800),
    "e2 100% counts as nothing": (reserves("300Mi", evict="100%"), "300Mi", 314572800),
    "two halves of a byte": (reserves("500m", "500m", None), "1", 1),
    "nothing": (reserves(evict=None), "0", 0),
}

FLOAT32 = {
    "5% of 64Gi": ("5%", 64 << 30, 3435973888),
    "10% of 65842132Ki": ("10%", 65842132 << 10, 6742234417),
    "all but a little": ("99.99999%", GUEST, 4118515466),
    "nearly nothing": ("0.0000001%", GUEST, 4),
}

_POSITIVE = "eviction threshold memory.available must be positive: "
_QUANTITY = "quantities must match the regular expression "
_QUANTITY += "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
REFUSED = {
    "e2 zero": (reserves(evict="0"), f"{_POSITIVE}0"),
    "e2 101%": (
        reserves(evict="101%"),
        "eviction percentage threshold memory.available must be <= 100%: 101%",
    ),
    "a negative share": (
        reserves(evict="-5%"),
        "eviction percentage threshold memory.available must be >= 0%: -5%",
    ),
    "x a negative threshold": (reserves(evict="-100Mi"), f"{_POSITIVE}-100Mi"),
    "x no threshold": (reserves(evict="100MB"), _QUANTITY),
    "no share": (reserves(evict="x%"), 'strconv.ParseFloat: parsing "x": invalid syntax'),
    "x no reservation": (
        reserves("200MB"),
        "--kube-reserved value failed to parse: failed to parse quantity"
        f' "200MB" for "memory" resource: {_QUANTITY}',
    ),
    "a suffix that is none": (
        reserves(system="1mi"),
        "--system-reserved value failed to parse: failed to parse quantity"
        ' "1mi" for "memory" resource: unable to parse quantity\'s suffix',
    ),
    "x a negative reservation": (
        reserves("-200Mi"),
        '--kube-reserved value failed to parse: resource quantity for "memory"'
        " cannot be negative: -200Mi",
    ),
}


@pytest.mark.parametrize(("config", "printed", "size"), PRINTED.values(), ids=PRINTED.keys())
def test_a_kubelet_prints_the_need_so(config: Effective, printed: str, size: int) -> None:
    amount = need(config, GUEST)
    assert (str(amount.total), amount.total.whole()) == (printed, size)


@pytest.mark.parametrize(("share", "whole", "part"), FLOAT32.values(), ids=FLOAT32.keys())
def test_a_percentage_is_a_float32(share: str, whole: int, part: int) -> None:
    assert need(reserves(evict=share), whole).eviction.whole() == part


@pytest.mark.parametrize(("config", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_kubelet_refuses_it_in_these_words(config: Effective, words: str) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        need(config, GUEST)
    assert caught.value.problem.why == words


def test_a_percentage_needs_the_machine() -> None:
    with pytest.raises(HomenodeProblem, match="give MemTotal"):
        need(reserves(evict="5%"))


def test_the_equation_tells_where_the_hidden_term_comes_from() -> None:
    assert need(reserves("256Mi", "512Mi")).equation() == (
        "kube 256Mi + system 512Mi + eviction 100Mi"
        " (compiled-in default, because no evictionHard in config.yaml) = 868Mi"
    )


def test_as_data_for_a_filter() -> None:
    assert need(reserves("256Mi", "512Mi")).as_dict() == {
        "bytes": 910163968,
        "quantity": "868Mi",
        "terms": {"kube": 268435456, "system": 536870912, "eviction": 104857600},
        "equation": need(reserves("256Mi", "512Mi")).equation(),
    }


def test_fractions_of_a_byte_are_refused_by_name() -> None:
    with pytest.raises(HomenodeProblem, match=r'the sum .* "322122547200m"'):
        need(reserves("0.3Gi", evict=None)).as_dict()


@pytest.mark.parametrize(
    ("kube", "system", "count"),
    [("100m", "500m", 1), ("1", "1", 2), ("1001m", "1", 3), ("0", "0", 0), ("4", "500m", 5)],
)
def test_cpus_are_rounded_up_together(kube: str, system: str, count: int) -> None:
    config = found(kubeReserved={"cpu": kube}, systemReserved={"cpu": system})
    assert reserved_cpus(config) == count


@given(st.decimals(min_value=0, max_value=100, places=4))
def test_a_share_is_within_half_a_step_of_the_number(number: object) -> None:
    share = percentage("memory.available", f"{number}%")
    assert abs(share - Fraction(str(number)) / 100) <= Fraction(1, 2**23)
    assert share.denominator & (share.denominator - 1) == 0
