# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which annotation holds for a container: its own, its pod's, or the bare key, in this order.

The rule is the one that nri-plugins documents for its resource policies: ``KEY/container.NAME``,
then ``KEY/pod``, then ``KEY``; the first that exists wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from model.problem import Problem

MAX_VALUE = 1024
"""Longest annotation value that is looked at; the API allows 256 KiB for all of a pod's."""

TRUE = ("true", "True", "TRUE", "1", "t", "T")
FALSE = ("false", "False", "FALSE", "0", "f", "F")


@dataclass(frozen=True)
class Annotation:
    """An effective annotation: the key as the tenant wrote it, and its value."""

    key: str
    value: str


def effective(annotations: Mapping[str, str], key: str, container: str) -> Optional[Annotation]:
    """The annotation that holds for *container*, or None."""
    for name in (f"{key}/container.{container}", f"{key}/pod", key):
        if name in annotations:
            return Annotation(name, annotations[name])
    return None


def boolean(
    annotations: Mapping[str, str], key: str, container: str, problems: list[Problem]
) -> Optional[bool]:
    """The effective annotation as true or false; None where absent or wrong.

    A wrong value is appended to *problems*. Spellings are those of Go's ParseBool, because the
    manifests were written for it.
    """
    found = effective(annotations, key, container)
    if found is None:
        return None
    if len(found.value) <= MAX_VALUE:
        if found.value in TRUE:
            return True
        if found.value in FALSE:
            return False
    problems.append(
        Problem(found.key, found.value, "is neither true nor false", 'write "true" or "false"')
    )
    return None
