# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which annotation holds for a container: its own, its pod's, or the bare key, in this order.

The rule is the one that nri-plugins documents for its resource policies: ``KEY/container.NAME``,
then ``KEY/pod``, then ``KEY``; the first that exists wins. KEY is ``NAME.resource-policy.nri.io``.
The domain of its predecessor, CRI-RM, counts where the newer one says nothing about NAME.
Out of scope: what values mean (``annotation_values`` and the dialects).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Optional

from .tenant import CONTAINER_SCOPE, POD_SCOPE

DOMAIN = "resource-policy.nri.io"
OLD_DOMAIN = "cri-resource-manager.intel.com"

_OWN, _POD, _BARE = 0, 1, 2
_OLDER = 3
"""Added to a rank in the older domain: whatever the newer one says comes first."""


@dataclass(frozen=True)
class Annotation:
    """An annotation that holds: the key as the tenant wrote it, and its value.

    The smaller *rank* is the narrower scope.
    """

    key: str
    value: str
    rank: int = _BARE

    @property
    def scope(self) -> str:
        """CONTAINER_SCOPE or POD_SCOPE."""
        return CONTAINER_SCOPE if self.rank % _OLDER == _OWN else POD_SCOPE

    def is_as_narrow_as(self, other: Annotation) -> bool:
        """Whether it was said about this container at least as precisely as *other*."""
        return self.rank % _OLDER <= other.rank % _OLDER


def ours(annotations: Mapping[str, str]) -> list[str]:
    """The keys that are in a domain of the resource policies."""
    return [key for key in annotations if DOMAIN in key or OLD_DOMAIN in key]


def effective(annotations: Mapping[str, str], key: str, container: str) -> Optional[Annotation]:
    """The annotation that holds for *container* under the whole *key*, or None."""
    for rank, name in enumerate((f"{key}/container.{container}", f"{key}/pod", key)):
        if name in annotations:
            return Annotation(name, annotations[name], rank)
    return None


def all_effective(
    annotations: Mapping[str, str], keys: Collection[str], container: str, known: Collection[str]
) -> tuple[dict[str, Annotation], list[str]]:
    """What holds for *container* by NAME, for the NAMEs in *known*; and the keys that are none.

    A NAME that starts with a slash is a literal key below the domain itself.
    """
    ranks = {f"container.{container}": _OWN, "pod": _POD, "": _BARE}
    found: dict[str, Annotation] = {}
    unknown = []
    for key in keys:
        name, scope, older = split_key(key)
        if name not in known or not (scope in ranks or scope.startswith("container.")):
            unknown.append(key)
        elif scope in ranks:
            rank = ranks[scope] + (_OLDER if older else 0)
            if name not in found or rank < found[name].rank:
                found[name] = Annotation(key, annotations[key], rank)
    return found, unknown


def split_key(key: str) -> tuple[str, str, bool]:
    """NAME and scope ("", "pod", "container.X" or whatever stands there); whether it is older.

    NAME is "" where the domain is not where it has to be.
    """
    head, slash, scope = key.partition("/")
    for domain in (DOMAIN, OLD_DOMAIN):
        if head == domain:
            return slash + scope, "", domain == OLD_DOMAIN
        if head.endswith("." + domain):
            return head[: -len(domain) - 1], slash and (scope or slash), domain == OLD_DOMAIN
    return "", "", False
