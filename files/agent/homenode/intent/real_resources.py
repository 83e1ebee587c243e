# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real resources of a pod's containers, where a webhook wrote them into an annotation.

nri-plugins' resource-annotator stores ``{"containers": {NAME: {"requests": .., "limits": ..}}}``
in ``noderesource.dev/resources``, because a runtime tells only what the kubelet made of them.
Out of scope: estimating what nobody wrote (``loop.ask``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple, Optional

from model.fields import Fields
from model.problem import HomenodeProblem, Problem
from model.quantity import Quantity

KEY = "noderesource.dev/resources"
MAX_BYTES = 65536
MILLI_NANOS = 1_000_000


class RealResources(NamedTuple):
    """CPU in thousandths, memory in bytes; 0 where nothing is asked or allowed."""

    cpu_request: int
    cpu_limit: int
    memory_request: int
    memory_limit: int


def real_resources(
    annotations: Mapping[str, str], container: str, problems: list[Problem]
) -> Optional[RealResources]:
    """What the annotation says of *container*; None where it does not.

    A value that cannot be read is appended to *problems*, and counts as not there.
    """
    text = annotations.get(KEY)
    if text is None:
        return None
    try:
        if len(text) > MAX_BYTES:
            raise HomenodeProblem(KEY, text, f"is longer than {MAX_BYTES} bytes", "shorten it")
        return _of(Fields(json.loads(text), source="annotation", path=KEY), container)
    except HomenodeProblem as error:
        problems.append(error.problem)
    except (ValueError, RecursionError) as error:
        problems.append(Problem(KEY, text, f"is not JSON: {error}", "let the webhook write it"))
    return None


def _of(pod: Fields, container: str) -> Optional[RealResources]:
    for kind in ("containers", "initContainers"):
        listed = pod.section(kind)
        resources = None if listed is None else listed.section(container)
        if resources is not None:
            requests, limits = resources.section("requests"), resources.section("limits")
            return RealResources(
                _amount(requests, "cpu", MILLI_NANOS),
                _amount(limits, "cpu", MILLI_NANOS),
                _amount(requests, "memory", 1000 * MILLI_NANOS),
                _amount(limits, "memory", 1000 * MILLI_NANOS),
            )
    return None


def _amount(listed: Optional[Fields], key: str, unit_nanos: int) -> int:
    """In units of *unit_nanos* billionths, rounded up; never negative."""
    if listed is None:
        return 0
    quantity = Quantity.parse(listed.text(key, "0"), field=listed.name(key))
    return max(-(-quantity.nanos // unit_nanos), 0)
