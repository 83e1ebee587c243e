# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which annotation holds for a container, by scope and by domain."""

from __future__ import annotations

import pytest

from homenode.intent.annotations import (
    DOMAIN,
    OLD_DOMAIN,
    Annotation,
    all_effective,
    effective,
    ours,
)
from homenode.intent.tenant import CONTAINER_SCOPE, POD_SCOPE

BARE, POD, OURS, OTHER = "k", "k/pod", "k/container.c", "k/container.d"
PRECEDENCE: dict[str, tuple[dict[str, str], str]] = {
    "its own before its pod's before the bare key": ({BARE: "1", POD: "2", OURS: "3"}, OURS),
    "its own before the bare key": ({BARE: "1", OURS: "3"}, OURS),
    "its pod's before the bare key": ({BARE: "1", POD: "2"}, POD),
    "the bare key": ({BARE: "1"}, BARE),
    "another container's is none": ({OTHER: "4"}, ""),
    "an empty one is one": ({POD: "2", OURS: ""}, OURS),
    "none": ({"kk": "1", "k/pods": "2", "k/container": "3"}, ""),
}


@pytest.mark.parametrize("row", PRECEDENCE.values(), ids=PRECEDENCE)
def test_precedence(row: tuple[dict[str, str], str]) -> None:
    annotations, key = row
    found = effective(annotations, "k", "c")
    assert (found.key if found else "") == key
    assert found is None or found.value == annotations[key]


NAME = "memory-type"
NEW, OLD = f"{NAME}.{DOMAIN}", f"{NAME}.{OLD_DOMAIN}"
HOLDS: dict[str, tuple[list[str], str]] = {
    "its own before its pod's before the bare key": (
        [NEW, NEW + "/pod", NEW + "/container.c"],
        NEW + "/container.c",
    ),
    "the older domain where the newer says nothing": ([OLD, OLD + "/pod"], OLD + "/pod"),
    "the newer domain first, whatever its scope": ([OLD + "/container.c", NEW], NEW),
    "another container's is none": ([NEW + "/container.d"], ""),
    "a container's name may have dots": ([NEW + "/container.c.d"], ""),
}


@pytest.mark.parametrize("row", HOLDS.values(), ids=HOLDS)
def test_what_holds_by_name(row: tuple[list[str], str]) -> None:
    keys, holds = row
    found, unknown = all_effective(dict.fromkeys(keys, "v"), keys, "c", (NAME,))
    assert (found[NAME].key if found else "") == holds
    assert unknown == []


@pytest.mark.parametrize(
    "key",
    [
        f"memory-typo.{DOMAIN}",
        f"{DOMAIN}/{NAME}",
        NEW + "/pods",
        NEW + "/container",
        NEW + "/",
        DOMAIN,
        f"x{DOMAIN}",
        f"{NAME}.{DOMAIN}.org",
        f"a/{NAME}.{DOMAIN}",
    ],
)
def test_keys_that_are_none_of_ours(key: str) -> None:
    assert ours({key: "v"}) == [key]
    assert all_effective({key: "v"}, [key], "c", (NAME,)) == ({}, [key])


def test_literal_keys_are_names_too() -> None:
    for domain in (DOMAIN, OLD_DOMAIN):
        key = domain + "/affinity"
        found, unknown = all_effective({key: "v"}, [key], "c", ("/affinity",))
        assert (found["/affinity"].key, unknown) == (key, [])


def test_scopes() -> None:
    own, pod, bare, old = (Annotation("k", "v", rank) for rank in (0, 1, 2, 3))
    assert (own.scope, pod.scope, bare.scope, old.scope) == (
        CONTAINER_SCOPE,
        POD_SCOPE,
        POD_SCOPE,
        CONTAINER_SCOPE,
    )
    assert own.is_as_narrow_as(old)
    assert old.is_as_narrow_as(own)
    assert not bare.is_as_narrow_as(pod)
