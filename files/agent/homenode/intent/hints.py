# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the annotations say about topology hints: which count, and how strictly.

Out of scope: where hints come from (devices, mounts, the kubelet), and scoring pools by them.
"""

from __future__ import annotations

from typing import Optional

from model.problem import HomenodeProblem

from .annotation_values import FALSE, TRUE, Values, fields_of
from .globs import is_glob
from .tenant import NO_HINT_INTENT, HintIntent, PathRule

SOURCES_KEY = "topologyhints"
ALLOW, DENY = "allow.topologyhints", "deny.topologyhints"
STRICT, PICK = "strict.topologyhints", "pick-resources-by-hints"
TEST = "test.topologyhints"
"""Hints that a test writes itself: simulations obey them, a real node does not."""
HINT_KEYS = (SOURCES_KEY, ALLOW, DENY, STRICT, PICK)

MOUNTS, DEVICES, POD_RESOURCES = "mounts", "devices", "pod-resources"
ALL, NONE = "all", "none"
PREFIX, GLOB = "prefix", "glob"
MAX_PATHS = 64


def hint_intent(values: Values) -> HintIntent:
    """The hints part of an intent; what is wrong is noted in *values*."""
    if not any(key in values.found for key in HINT_KEYS):
        return NO_HINT_INTENT
    return HintIntent(
        sources=_sources(values),
        allow=_paths(values, ALLOW),
        deny=_paths(values, DENY),
        strict=bool(values.boolean(STRICT, demanded=True)),
        pick=bool(values.boolean(PICK)),
    )


def _sources(values: Values) -> Optional[frozenset[str]]:
    """A boolean, or a list of sources in which "all" and "none" may stand too."""
    words = values.words(SOURCES_KEY)
    if words is None or (len(words) == 1 and words[0] in TRUE):
        return None
    if len(words) == 1 and words[0] in FALSE:
        return frozenset()
    known = {MOUNTS, DEVICES, POD_RESOURCES, ALL, NONE}
    wrong = [word for word in words if word not in known]
    if wrong:
        remedy = "use true, false, or some of: " + ", ".join(sorted(known))
        values.wrong(values.found[SOURCES_KEY], f"{wrong[0]!r} is no source of hints", remedy)
    if NONE in words:
        return frozenset()
    return None if ALL in words else frozenset(words) & known


def _paths(values: Values, key: str) -> tuple[PathRule, ...]:
    annotation = values.found.get(key)
    if annotation is None:
        return ()
    try:
        fields = fields_of(annotation)
        kind = fields.text("type", PREFIX, choices=(PREFIX, GLOB))
        paths = fields.texts("paths", most=MAX_PATHS)
        fields.refuse_unknown()
        malformed = [path for path in paths if kind == GLOB and not is_glob(path)]
        if malformed:
            raise fields.wrong("paths", f"{malformed[0]!r} is no pattern", "check its brackets")
    except HomenodeProblem as error:
        values.note(error.problem)
        return ()
    return (PathRule(kind, paths),)
