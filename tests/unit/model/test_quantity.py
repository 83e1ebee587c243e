# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quantities: a table made by Kubernetes' own library (k8s.io/apimachinery v0.35.4), and laws."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.problem import HomenodeProblem
from model.quantity import (
    BINARY_SI,
    DECIMAL_EXPONENT,
    DECIMAL_SI,
    FORMATS,
    MAX_INT64,
    NANOS,
    Quantity,
    total,
)

# text, value, canonical form, format, whether Kubernetes holds it as an int64
JUDGED = [
    ("0", "0", "0", DECIMAL_SI, True),
    ("8462Mi", "8873050112", "8462Mi", BINARY_SI, True),
    ("1024Mi", "1073741824", "1Gi", BINARY_SI, True),
    ("1048576Ki", "1073741824", "1Gi", BINARY_SI, True),
    ("00012Ki", "12288", "12Ki", BINARY_SI, True),
    ("3Ti", "3298534883328", "3Ti", BINARY_SI, True),
    ("2Pi", "2251799813685248", "2Pi", BINARY_SI, False),
    ("1Ei", "1152921504606846976", "1Ei", BINARY_SI, False),
    ("8Ei", "9223372036854775807", "9223372036854775807", BINARY_SI, False),
    ("1000000000000Ki", "1024000000000000", "976562500Mi", BINARY_SI, False),
    ("0.5Gi", "536870912", "512Mi", BINARY_SI, False),
    ("0.8Gi", "858993459.2", "858993459200m", BINARY_SI, False),
    (".5Ki", "512", "512", BINARY_SI, False),
    ("0.0005Ki", "0.512", "512m", DECIMAL_SI, False),
    ("-100Mi", "-104857600", "-100Mi", BINARY_SI, True),
    ("1e9", "1000000000", "1e9", DECIMAL_EXPONENT, True),
    ("1E3", "1000", "1e3", DECIMAL_EXPONENT, True),
    ("10e1", "100", "100", DECIMAL_EXPONENT, True),
    ("1e-3", "0.001", "1e-3", DECIMAL_EXPONENT, False),
    ("1.5G", "1500000000", "1500M", DECIMAL_SI, True),
    ("500M", "500000000", "500M", DECIMAL_SI, True),
    ("100k", "100000", "100k", DECIMAL_SI, True),
    ("5T", "5000000000000", "5T", DECIMAL_SI, True),
    ("7P", "7000000000000000", "7P", DECIMAL_SI, True),
    ("1.E", "1000000000000000000", "1E", DECIMAL_SI, True),
    ("12E", "12000000000000000000", "12E", DECIMAL_SI, False),
    ("3435973888", "3435973888", "3435973888", DECIMAL_SI, True),
    ("9007199254740993", "9007199254740993", "9007199254740993", DECIMAL_SI, True),
    ("310m", "0.31", "310m", DECIMAL_SI, False),
    ("1000m", "1", "1", DECIMAL_SI, False),
    ("419430400000m", "419430400", "419430400", DECIMAL_SI, False),
    ("-1.5", "-1.5", "-1500m", DECIMAL_SI, False),
    ("1u", "0.000001", "1u", DECIMAL_SI, False),
    ("2.5u", "0.0000025", "2500n", DECIMAL_SI, False),
    ("0.1n", "0.000000001", "1n", DECIMAL_SI, False),
]

GARBAGE = {
    "empty": "",
    "spaces": " 1Gi ",
    "space inside": "1 Gi",
    "new line": "1Gi\n",
    "two points": "1.2.3",
    "bytes are no unit": "100MB",
    "lower case": "1mi",
    "kilo is a small k": "1K",
    "half a suffix": "1i",
    "no number": "Mi",
    "only a sign": "-",
    "open exponent": "1e",
    "fraction in the exponent": "1e1.5",
    "words": "lots",
    "percent": "5%",
    "hexadecimal": "0x10",
    "comma": "1,000",
    "arabic digits": "٣",
    "exponent out of bounds": "1e65",
    "endless exponent": "1e" + "9" * 40,
    "endless": "9" * 65,
}

SUMS = [
    (["924Mi", "100Mi"], "1Gi"),
    (["500M", "1Gi"], "1573741824"),
    (["0", "1G", "100Mi"], "1104857600"),
    (["1Gi", "3435973888"], "4509715712"),
    (["0.8Gi", "0.8Gi"], "1717986918400m"),
    ([], "0"),
]


@pytest.mark.parametrize(
    ("text", "value", "canonical", "format", "is_int64"), JUDGED, ids=[row[0] for row in JUDGED]
)
def test_kubernetes_reads_and_prints_it_so(
    text: str, value: str, canonical: str, format: str, is_int64: bool
) -> None:
    quantity = Quantity.parse(text)
    assert Fraction(quantity.nanos, NANOS) == Fraction(value)
    assert str(quantity) == canonical
    assert (quantity.format, quantity.is_int64) == (format, is_int64)


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_refused_by_name(text: str) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        Quantity.parse(text, field="kubeReserved.memory")
    assert (caught.value.problem.field, caught.value.problem.value) == ("kubeReserved.memory", text)


@pytest.mark.parametrize(("summands", "printed"), SUMS, ids=["+".join(row[0]) for row in SUMS])
def test_a_sum_prints_like_its_first_summand_that_is_not_zero(
    summands: list[str], printed: str
) -> None:
    assert str(total(map(Quantity.parse, summands))) == printed


quantities = st.builds(
    Quantity, st.integers(-(2**70), 2**70).map(lambda units: units * NANOS), st.just(DECIMAL_SI)
) | st.builds(Quantity, st.integers(-(2**70), 2**70), st.sampled_from(FORMATS))


@given(quantities)
def test_printed_and_read_again_is_the_same(quantity: Quantity) -> None:
    again = Quantity.parse(str(quantity))
    assert again == quantity
    assert str(again) == str(quantity)


@given(st.integers(0, MAX_INT64), st.sampled_from(FORMATS))
def test_a_whole_number_stays_whole(value: int, format: str) -> None:
    assert Quantity.of(value, format).whole() == value
    assert Quantity.parse(str(Quantity.of(value, format))).whole() == value


@given(st.text(alphabet="0123456789.+-eEinumkKMGTP", max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        quantity = Quantity.parse(text)
    except HomenodeProblem as error:
        assert error.problem.value == text
    else:
        assert Quantity.parse(str(quantity)) == quantity


@given(quantities, quantities)
def test_order_and_sum_are_those_of_numbers(one: Quantity, other: Quantity) -> None:
    assert (one < other, one <= other) == (one.nanos < other.nanos, one.nanos <= other.nanos)
    assert (one + other).nanos == one.nanos + other.nanos
    assert len({one, Quantity(one.nanos, BINARY_SI)}) == 1


def test_what_is_not_whole_says_so() -> None:
    assert Quantity.parse("310m").ceiling == 1
    with pytest.raises(HomenodeProblem, match="not a whole number"):
        Quantity.parse("310m").whole()
