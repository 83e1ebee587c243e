# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""Network interfaces of EC2 instance types, from the table that lies beside this file.

The table stays on the controller: a node knows its own limits, and the agent needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

TABLE = Path(__file__).with_name("ec2_eni_limits.txt")

NEAR_NAMES = 3
"""How many known types an unknown one is answered with."""


@dataclass(frozen=True)
class EniLimits:
    """What an instance type's default network card takes."""

    enis: int
    ipv4_per_eni: int


def parse(text: str) -> dict[str, EniLimits]:
    """Limits by instance type. Lines are ``family ENIs addresses: size size``; # is a comment."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            key, _colon, sizes = line.partition(":")
            family, enis, addresses = key.split()
            limits = EniLimits(int(enis), int(addresses))
            found.update({f"{family}.{size}": limits for size in sizes.split()})
    return found


def limits_of(instance_type: object) -> EniLimits:
    """The limits of *instance_type*. Raises HomenodeProblem with what is like it."""
    known = _table()
    if isinstance(instance_type, str) and instance_type in known:
        return known[instance_type]
    near = get_close_matches(str(instance_type).strip().lower(), known, NEAR_NAMES, 0.7)
    raise HomenodeProblem(
        "instance type",
        instance_type,
        f"is not in the table of {len(known)} EC2 instance types",
        (f"did you mean {', '.join(near)}? If it is newer than the table, " if near else "")
        + "take its limits from `aws ec2 describe-instance-types`, or use 110 as nodeadm does",
    )


@cache
def _table() -> Mapping[str, EniLimits]:
    return parse(TABLE.read_text(encoding="utf-8"))
