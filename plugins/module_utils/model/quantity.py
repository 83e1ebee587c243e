# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Kubernetes quantities (``8462Mi``, ``310m``, ``1e9``), exact, printed as Kubernetes prints them.

Rules: k8s.io/apimachinery ``pkg/api/resource`` (quantity.go, suffix.go, amount.go), against which
the vectors of the tests were made. Two differences, on purpose: text without a digit is refused
(there ``Mi`` is zero), and a multiple of 1000E keeps its suffix (there ``1000E`` prints as ``1``).
Out of scope: what a quantity measures, and any float.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

from .problem import HomenodeProblem

BINARY_SI, DECIMAL_SI, DECIMAL_EXPONENT = "BinarySI", "DecimalSI", "DecimalExponent"
FORMATS = (BINARY_SI, DECIMAL_SI, DECIMAL_EXPONENT)

MAX_CHARACTERS = 64
"""Longer text is refused: no honest quantity needs it, and a hostile one must not cost time."""
MAX_EXPONENT = 64
"""``e<N>`` beyond this is refused, though Kubernetes would compute with it."""

NANOS = 10**9
MAX_INT64 = 2**63 - 1

FORMAT_WRONG = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
SUFFIX_WRONG = "unable to parse quantity's suffix"
"""Kubernetes' own words for the two ways in which a text is no quantity."""

_SHAPE = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*(?:[+-]?[0-9]*))\Z", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()}
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)\Z", re.ASCII)
_REMEDY = "write a Kubernetes quantity like 8462Mi, 1.5G or 310m"


@dataclass(frozen=True, eq=False)
class Quantity:
    """An exact value in billionths, and the format that it prints in.

    *is_int64* says whether Kubernetes holds it as a plain 64-bit integer: ``0.5Gi`` and
    ``1000m`` are whole numbers, and are not. Comparison is by value alone.
    """

    nanos: int
    format: str = DECIMAL_SI
    is_int64: bool = False

    @classmethod
    def of(cls, value: int, format: str = BINARY_SI) -> Quantity:
        """The whole number *value*, to be printed in *format*."""
        return cls(value * NANOS, format, -MAX_INT64 - 1 <= value <= MAX_INT64)

    @classmethod
    def parse(cls, text: str, *, field: str = "quantity") -> Quantity:
        """Read *text* as Kubernetes does: rounded up to whole nanos, BinarySI capped at 2**63-1.

        Raises HomenodeProblem naming *field* where Kubernetes would refuse it or a bound is passed.
        """
        match = _SHAPE.match(text) if len(text) <= MAX_CHARACTERS else None
        if match is None or not (match[2] or match[3]):
            why = "is not a quantity" if len(text) <= MAX_CHARACTERS else "is too long"
            raise HomenodeProblem(field, text, why, _REMEDY)
        sign, whole, fraction, suffix = match[1], match[2].lstrip("0"), match[3] or "", match[4]
        if not suffix and not whole and match[3] is None:
            return cls(0, DECIMAL_SI, True)
        base, power, format = _read_suffix(suffix, text, field)
        digits = int((whole or "0") + fraction)
        if base == 2:
            size, format, fast = _binary(digits, whole, fraction, power)
        else:
            size, fast = _decimal(digits, whole, fraction, power)
        return cls(-size if sign == "-" else size, format, fast)

    def __str__(self) -> str:
        """The canonical form: the largest suffix that loses nothing."""
        if self.nanos == 0:
            return "0"
        value, rest = divmod(self.nanos, NANOS)
        if self.format == BINARY_SI and rest == 0 and abs(value) >= 1024:
            power = _factors(value, 1024, len(_BINARY))
            return f"{value // 1024**power}{_BINARY_SUFFIX.get(10 * power, '')}"
        power = _factors(self.nanos, 10, None) - 9
        power -= power % 3
        if self.format != DECIMAL_EXPONENT:
            power = min(power, 18)
        number = self.nanos // 10 ** (power + 9)
        if self.format == DECIMAL_EXPONENT:
            return f"{number}e{power}" if power else str(number)
        return f"{number}{_DECIMAL_SUFFIX[power]}"

    def __add__(self, other: Quantity) -> Quantity:
        """The sum; its format is the first summand's, unless that one is zero."""
        format = self.format if self.nanos else other.format
        total = self.nanos + other.nanos
        return Quantity(total, format, self.is_int64 and other.is_int64 and _fits(total))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nanos == other.nanos

    def __lt__(self, other: Quantity) -> bool:
        return self.nanos < other.nanos

    def __le__(self, other: Quantity) -> bool:
        return self.nanos <= other.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)

    def __bool__(self) -> bool:
        return self.nanos != 0

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole number of units."""
        return self.nanos % NANOS == 0

    @property
    def ceiling(self) -> int:
        """The value in whole units, rounded up (Kubernetes' ``Value()``)."""
        return -(-self.nanos // NANOS)

    def whole(self, *, field: str = "quantity") -> int:
        """The value in whole units. Raises HomenodeProblem naming *field* if it has a fraction."""
        if not self.is_whole:
            raise HomenodeProblem(
                field, str(self), "is not a whole number", "write it without a fraction"
            )
        return self.nanos // NANOS


def total(summands: Iterable[Quantity]) -> Quantity:
    """The sum; it prints in the format of the first summand that is not zero."""
    result = Quantity(0, DECIMAL_SI, True)
    for summand in summands:
        result = result + summand
    return result


def amount(value: object, *, field: str) -> int:
    """Whole units from what people and facts give: a number, or a quantity as text; 0 or more.

    Raises HomenodeProblem naming *field*.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INT64:
        return value
    if isinstance(value, str):
        number = Quantity.parse(value, field=field).whole(field=field)
        if 0 <= number <= MAX_INT64:
            return number
    raise HomenodeProblem(
        field, value, "is no amount", "give a whole number, or a quantity such as 4Gi"
    )


def kubernetes_words(text: str) -> str:
    """What Kubernetes says of a *text* that ``Quantity.parse`` refuses."""
    return FORMAT_WRONG if _SHAPE.match(text) is None or not text else SUFFIX_WRONG


def _read_suffix(suffix: str, text: str, field: str) -> tuple[int, int, str]:
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], DECIMAL_SI
    if suffix in _BINARY:
        return 2, _BINARY[suffix], BINARY_SI
    match = _EXPONENT.match(suffix)
    if match is None:
        raise HomenodeProblem(field, text, f"{suffix!r} is no suffix of a quantity", _REMEDY)
    if abs(int(match[1])) > MAX_EXPONENT:
        raise HomenodeProblem(field, text, f"has an exponent beyond {MAX_EXPONENT}", _REMEDY)
    return 10, int(match[1]), DECIMAL_EXPONENT


def _decimal(digits: int, whole: str, fraction: str, power: int) -> tuple[int, bool]:
    """Nanos, and whether Kubernetes keeps them as an int64."""
    scale = power - len(fraction)
    fast = len(whole or "0") + len(fraction) <= 18 and scale >= -9
    shift = scale + 9
    nanos = digits * 10**shift if shift >= 0 else -(-digits // 10**-shift)
    return nanos, fast and scale >= 0 and _fits(nanos)


def _binary(digits: int, whole: str, fraction: str, power: int) -> tuple[int, str, bool]:
    """Nanos, format and whether an int64; a fraction below one prints as decimal."""
    scaled = digits << power
    # The decimal digits that Kubernetes' quick path has room for.
    room = 15 - len(whole or "0") - power * 3 // 10 - 1
    if not fraction and room >= 0 and scaled <= MAX_INT64:
        return scaled * NANOS, BINARY_SI, True
    nanos = min(-(-scaled * NANOS // 10 ** len(fraction)), MAX_INT64 * NANOS)
    return nanos, DECIMAL_SI if 0 < nanos < NANOS else BINARY_SI, False


def _fits(nanos: int) -> bool:
    return -MAX_INT64 - 1 <= nanos // NANOS <= MAX_INT64


def _factors(value: int, base: int, most: Optional[int]) -> int:
    """How often *base* divides *value* (not zero), at most *most* times."""
    count = 0
    while value % base == 0 and (most is None or count < most):
        value //= base
        count += 1
    return count
