# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an annotation key that nobody understands was probably meant to be."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Optional

from model.problem import Problem

from .annotations import DOMAIN, split_key

MAX_KEY = 317
"""Longest key that Kubernetes takes: a prefix of 253, a slash, a name of 63."""

_ALIKE = 0.5


def unknown_key(key: str, value: str, known: Collection[str]) -> Problem:
    """The problem of a key in one of the domains whose NAME or scope is not understood."""
    name, _scope, _older = split_key(key[:MAX_KEY])
    plain = name.lstrip("/")
    if name in known:
        why, remedy = "has a scope that is not understood", "end it in /container.NAME or /pod"
    elif plain in known:
        why = "is the older form with a map of containers, which is not understood"
        remedy = f"write {plain}.{DOMAIN}/container.NAME"
    else:
        why = "is not understood"
        meant = nearest(name, tuple(known))
        remedy = f"did you mean {full_key(meant)}?" if meant else "see docs/annotations.md"
    return Problem(key[:MAX_KEY], value[:MAX_KEY], why, remedy)


def full_key(name: str) -> str:
    """NAME in the newer domain, without a scope."""
    return DOMAIN + name if name.startswith("/") else f"{name}.{DOMAIN}"


def nearest(name: str, known: tuple[str, ...]) -> Optional[str]:
    """The most similar of the *known* names, if it is similar at all."""
    pairs = _pairs(name.lower())
    likeness = {
        other: 2 * len(pairs & _pairs(other)) / (len(pairs) + len(_pairs(other))) for other in known
    }
    best = max(known, key=lambda other: likeness[other])
    return best if likeness[best] >= _ALIKE else None


@lru_cache(maxsize=256)
def _pairs(name: str) -> frozenset[str]:
    """Neighbouring letters: cheap to compare, and blind to where a name was misspelt."""
    return frozenset(map("".join, zip(" " + name, name + " ")))
