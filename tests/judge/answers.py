# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection answers to the questions that a kubelet answers: its own filters, called."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from judge import topology
from judge.court import Case
from judge.topology import Topology

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ansible_collections.homenode.numa"


@dataclass(frozen=True)
class Answer:
    """The filters' results; *need* is None where there is none to be had, and *why_no_need* says.

    ``need`` as kubelet_reservation gives it, ``verdict`` as kubelet_verdict does.
    """

    effective: dict[str, Any]
    verdict: dict[str, Any]
    need: Optional[dict[str, Any]] = None
    why_no_need: str = ""


def answer(
    case: Case, facts: Mapping[str, Any], version: str, distribution: str = "upstream"
) -> Answer:
    """Ask ``kubelet_effective | kubelet_reservation | kubelet_verdict`` about *case*."""
    effective = filter_named("kubelet_effective")(
        case.whole_base,
        dropins=[settings for _name, settings in sorted(case.dropins.items())],
        flags=list(case.whole_flags),
        distribution=distribution,
        version=version,
    )
    verdict = filter_named("kubelet_verdict")(
        effective, numa=facts, checkpoints=checkpoints(case.state)
    )
    try:
        total = facts["memory_total_bytes"]
        need = filter_named("kubelet_reservation")(effective, mem_total=total)
    except filter_error() as error:
        return Answer(effective, verdict, None, str(error))
    return Answer(effective, verdict, need)


def checkpoints(state: Mapping[str, str]) -> dict[str, object]:
    """State files as kubelet_verdict takes them: parsed, or as text where they are no JSON."""
    found: dict[str, object] = {}
    for name, text in state.items():
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def facts(shape: Topology, folder: Path) -> dict[str, Any]:
    """``ansible_facts.numa`` of *shape*, whose files are written below *folder* first."""
    topology.write(shape, folder)
    return topology.facts(folder)


def filter_named(name: str) -> Callable[..., Any]:
    """A filter of the collection, as Ansible would call it."""
    if COLLECTION not in sys.modules and not _known():
        _stand_in()
    plugin = importlib.import_module(f"{COLLECTION}.plugins.filter.{name}")
    found: Callable[..., Any] = plugin.FilterModule().filters()[name]
    return found


def filter_error() -> type[Exception]:
    """What a filter raises."""
    raised: type[Exception] = importlib.import_module("ansible.errors").AnsibleFilterError
    return raised


def _known() -> bool:
    try:
        return importlib.util.find_spec(COLLECTION) is not None
    except ModuleNotFoundError:
        return False


def _stand_in() -> None:
    """The package ``ansible_collections`` with this checkout in it, as Ansible would make it."""
    parts = COLLECTION.split(".")
    for depth in range(1, len(parts) + 1):
        package = types.ModuleType(".".join(parts[:depth]))
        package.__path__ = [str(ROOT)] if depth == len(parts) else []
        sys.modules[package.__name__] = package
