# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Annotation values, typed and bounded; a wrong one becomes a Problem and counts as not said.

A strict demand that cannot be read is more than a problem: nobody knows what was demanded, so
the container must not start. Out of scope: which key asks for what (``nri_plugins``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Optional

from model.fields import Fields
from model.problem import HomenodeProblem, Problem

from .annotations import Annotation
from .yaml_subset import read_yaml

MAX_VALUE = 1024
"""Longest plain value that is looked at; the API allows 256 KiB for all of a pod's."""

MAX_STRUCTURE = 8192
"""Longest YAML value that is looked at."""

MAX_NAME = 253
"""Longest name of a class or balloon type: that of a Kubernetes object."""

TRUE = ("true", "True", "TRUE", "1", "t", "T")
FALSE = ("false", "False", "FALSE", "0", "f", "F")
"""The spellings of Go's ParseBool, for which the manifests were written."""

_NAME = re.compile(r"[^\x00-\x1f\x7f]*\Z")
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h)")
_UNITS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}


class Values:
    """What holds for one container by name, and everything that turns out to be wrong with it."""

    def __init__(self, found: Mapping[str, Annotation]) -> None:
        self.found = found
        self.problems: list[Problem] = []
        self.demand: Optional[Problem] = None

    def wrong(
        self, annotation: Annotation, why: str, remedy: str, *, demanded: bool = False
    ) -> None:
        """Note that a value is wrong; *demanded* where the container cannot start without it."""
        self.note(Problem(annotation.key, annotation.value, why, remedy), demanded=demanded)

    def note(self, problem: Problem, *, demanded: bool = False) -> None:
        """The same, for a problem that is made already; a long value is cut."""
        if len(problem.value) > MAX_VALUE:
            problem = replace(problem, value=problem.value[:MAX_VALUE])
        self.problems.append(problem)
        if demanded and self.demand is None:
            self.demand = problem

    def boolean(self, name: str, *, demanded: bool = False) -> Optional[bool]:
        """True or false."""
        annotation = self.found.get(name)
        if annotation is None:
            return None
        if annotation.value in TRUE or annotation.value in FALSE:
            return annotation.value in TRUE
        why = "is neither true nor false"
        self.wrong(annotation, why, 'write "true" or "false"', demanded=demanded)
        return None

    def choice(self, name: str, choices: Collection[str]) -> Optional[str]:
        """One of *choices*."""
        annotation = self.found.get(name)
        if annotation is None or annotation.value in choices:
            return annotation.value if annotation else None
        self.wrong(annotation, "is not a known choice", "use one of: " + ", ".join(choices))
        return None

    def name(self, name: str, *, demanded: bool = False) -> Optional[str]:
        """The name of something that the operator configures; "" is one too."""
        annotation = self.found.get(name)
        if annotation is None:
            return None
        if len(annotation.value) <= MAX_NAME and _NAME.match(annotation.value):
            return annotation.value
        remedy = f"give a name of at most {MAX_NAME} characters"
        self.wrong(annotation, "can be nothing's name", remedy, demanded=demanded)
        return None

    def words(self, name: str) -> Optional[tuple[str, ...]]:
        """What stands between commas, without the spaces around it."""
        annotation = self.found.get(name)
        if annotation is None:
            return None
        if len(annotation.value) > MAX_VALUE:
            self.wrong(annotation, f"is longer than {MAX_VALUE} characters", "shorten it")
            return None
        return tuple(word.strip() for word in annotation.value.split(","))


def mapping_of(annotation: Annotation) -> Mapping[str, Any]:
    """The mapping that a YAML value holds. Raises HomenodeProblem under the annotation's key."""
    value = read_yaml(annotation.value, field=annotation.key, limit=MAX_STRUCTURE)
    if value is None or isinstance(value, dict):
        return value or {}
    raise HomenodeProblem(
        annotation.key, annotation.value, "is not a mapping", "write YAML like key: value"
    )


def fields_of(annotation: Annotation) -> Fields:
    """The same, to be read field by field."""
    return Fields(mapping_of(annotation), source="", path=annotation.key)


def seconds(text: str) -> Optional[float]:
    """A duration as Go writes it (``1m30s``, ``0.5h``), in seconds; None where it is none."""
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text[text[:1] == "+" :])
    if rest == "0":
        return 0.0
    parts = _DURATION.findall(rest) if len(rest) <= 64 else []
    if not parts or "".join(parts) != rest:
        return None
    return sign * sum(
        float(part.rstrip("nuµμmsh")) * _UNITS[part.lstrip("0123456789.")] for part in parts
    )
