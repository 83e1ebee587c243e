# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Where a container's cgroup is: built from what the runtime tells, checked, never just taken.

Out of scope: reading it (``cgroup``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Optional

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@-")
_MAX_PART = 255
_MAX_PARTS = 12
_MOST_KNOWN = 1024
"""The paths of so many containers are kept: each is asked for at every reading."""


@lru_cache(maxsize=_MOST_KNOWN)
def cgroup_path(cgroups_path: str) -> Optional[str]:
    """The path below the cgroup mount, without a leading slash; None where it cannot be ours.

    Two forms exist (OCI runtime-spec, linux.cgroupsPath): a path, written by the cgroupfs driver,
    and ``slice:prefix:name``, written by the systemd driver.
    """
    if cgroups_path.startswith("/"):
        parts = [part for part in cgroups_path.split("/") if part]
    else:
        slice_name, _colon, rest = cgroups_path.partition(":")
        prefix, _colon, name = rest.partition(":")
        if not slice_name or not name:
            return None
        parts = [*expand_slice(slice_name), f"{prefix}-{name}.scope" if prefix else name]
    if not 1 < len(parts) <= _MAX_PARTS or not all(_is_safe(part) for part in parts):
        return None
    return "/".join(parts)


def expand_slice(name: str) -> list[str]:
    """A slice with its parents: ``a-b.slice`` lies in ``a.slice`` (systemd.slice(5))."""
    stem = name[: -len(".slice")] if name.endswith(".slice") else name
    pieces = stem.split("-")
    return ["-".join(pieces[: count + 1]) + ".slice" for count in range(len(pieces))]


def _is_safe(part: str) -> bool:
    return part not in (".", "..") and len(part) <= _MAX_PART and set(part) <= _SAFE
