# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Affinity and anti-affinity annotations: YAML with an entry per container of the pod.

The full form has conditions and weights; the simple form lists other containers of the same pod
and holds both ways. A container's entry is strict, an unknown key refuses it; a wrong entry of
another container is that one's affair. Out of scope: what weights add up to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model.fields import Fields

from .annotation_values import mapping_of
from .annotations import Annotation
from .expressions import EQUALS, IN, read_expression
from .tenant import Affinity, Expression

MAX_WEIGHT = 1000
"""Weights beyond it, either way, are clamped to it."""
DEFAULT_WEIGHT = 1
MAX_AFFINITIES = 64
MAX_INT32 = (1 << 31) - 1


def affinities(annotation: Annotation, container: str, *, anti: bool) -> tuple[Affinity, ...]:
    """Those of *container*; *anti* turns every weight round.

    Raises HomenodeProblem for what is not understood in the container's own entry.
    """
    entries = mapping_of(annotation)
    sign = -1 if anti else 1
    if all(_is_simple(entry) for entry in entries.values()):
        return _simple(entries, container, sign * DEFAULT_WEIGHT)
    fields = Fields(entries, source="", path=annotation.key)
    return tuple(_full(entry, sign) for entry in fields.sections(container, most=MAX_AFFINITIES))


def named_containers(annotation: Annotation) -> tuple[str, ...]:
    """The containers that have an entry. Raises HomenodeProblem where the value is no mapping."""
    return tuple(mapping_of(annotation))


def _is_simple(entry: Any) -> bool:
    return entry is None or (
        isinstance(entry, list)
        and all(isinstance(name, (str, int)) and not isinstance(name, bool) for name in entry)
    )


def _simple(entries: Mapping[str, Any], container: str, weight: int) -> tuple[Affinity, ...]:
    lists = {name: [str(other) for other in entry or ()] for name, entry in entries.items()}
    others = dict.fromkeys(lists.get(container, ()))
    others.update(dict.fromkeys(name for name, listed in lists.items() if container in listed))
    if not others:
        return ()
    operator = EQUALS if len(others) == 1 else IN
    return (Affinity(None, Expression("name", operator, tuple(others)), weight),)


def _full(fields: Fields, sign: int) -> Affinity:
    scope, match = fields.section("scope"), fields.section("match")
    weight = fields.integer("weight", 0, minimum=-MAX_INT32 - 1, maximum=MAX_INT32)
    fields.refuse_unknown()
    if match is None:
        raise fields.wrong("match", "is missing", "say whom: {key: .., operator: .., values: [..]}")
    return Affinity(
        None if scope is None else read_expression(scope),
        read_expression(match),
        sign * max(-MAX_WEIGHT, min(MAX_WEIGHT, weight or DEFAULT_WEIGHT)),
    )
