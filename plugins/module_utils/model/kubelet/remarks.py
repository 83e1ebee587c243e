# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What surprises in a kubelet's sources although a kubelet starts with them; each one text.

Out of scope: what a kubelet refuses (``validation``), what a planned change would do (``plan``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Optional

from ..problem import HomenodeProblem, Problem
from . import flags
from .arithmetic import need
from .destination import KUBELET_ARGS, Destination
from .effective import Effective, Sources, added_flags, effective


def of_flags(sources: Sources) -> list[str]:
    """Flags that win over a file, and flags whose quotes reach the kubelet.

    Raises HomenodeProblem as ``effective`` does.
    """
    quotes = [_quoted(flag) for flag in sources.flags]
    return [str(problem) for problem in (*_winning(sources), *quotes) if problem is not None]


def _winning(sources: Sources) -> Iterator[Problem]:
    below = effective(replace(sources, flags=(), distribution="upstream"))
    files = [layer.name for layer in (sources.base, *sources.dropins) if layer is not None]
    added = added_flags(sources)
    line = flags.parse((*added, *sources.flags))
    for key, value in line.values.items():
        before = below.config.get(key)
        if key == "featureGates" and isinstance(value, dict) and isinstance(before, dict):
            before = {name: gate for name, gate in before.items() if name in value}
            value = {name: gate for name, gate in value.items() if name in before}
        origins = [
            origin
            for dotted, origin in below.origins.items()
            if dotted.partition(".")[0] == key and origin in files
        ]
        if origins and before != value:
            name = line.names[key]
            whole = " whole" if isinstance(before, (dict, list)) else ""
            by = f", a default of {sources.distribution}" if name in added.values() else ""
            why = f"is replaced{whole} by flag --{name}{by}: {value!r} wins"
            remedy = "remove one of the two"
            yield Problem(key, str(before), why, remedy, ", ".join(dict.fromkeys(origins)))


def _quoted(flag: str) -> Optional[Problem]:
    name, value = flags.name_and_value(flag)
    if name not in flags.FLAGS or not set("\"'").intersection(value):
        return None
    why = "has quotes, and they reach the kubelet"
    return Problem(f"--{name}", value, why, "write the flag without them")


def need_or_why(
    merged: Effective, memory_total: Optional[int]
) -> tuple[Optional[dict[str, object]], list[str]]:
    """The need as ``kubelet_reservation`` gives it; None, and why, where there is none."""
    if merged.errors:
        return None, [f"the need cannot be computed: {merged.errors[0]}"]
    try:
        return need(merged, memory_total).as_dict(), []
    except HomenodeProblem as error:
        return None, [f"the need cannot be computed: {error}"]


def of_destination(
    found: Mapping[str, object], own: Sequence[str], destination: Destination
) -> list[str]:
    """What would keep our files from having an effect.

    *found* is what was fetched from the node, *own* are our flags in a file of RKE2's or k3s's.
    """
    service = f"{destination.unit}.service"
    said = []
    files = found.get("rancher")
    given = files.get("arguments") if isinstance(files, Mapping) else None
    if given and (own or destination.form == KUBELET_ARGS):
        why = "replaces the kubelet-arg of every file, ours too"
        remedy = "move it from the service's command line to config.yaml"
        said.append(Problem("kubelet-arg", str(given), why, remedy, service))
    path = found.get("wins_over_ours")
    if path:
        why = "says what is started, and is read after our drop-in"
        remedy = f"add --config-dir={destination.config_dir} to the kubelet there"
        said.append(Problem("ExecStart", service, why, remedy, str(path)))
    return [str(problem) for problem in said]
