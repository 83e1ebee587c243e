# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios: cases as data, each with what a kubelet has been seen to do with it.

A file in ``scenarios/`` has ``defaults`` (base, topology …) and a list of ``scenarios``. README.md
explains the keys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional

import yaml

from judge.court import Case, Judge, Outcome
from judge.topology import Topology, topology
from model.kubelet import checksums

FOLDER = Path(__file__).resolve().parent / "scenarios"
TOPOLOGIES = "topologies.yaml"
CASE_KEYS = {"base", "without", "dropins", "flags", "topology"}
EXPECTED_KEYS = {"starts", "message", "need", "effective", "reset", "warns", "also", "any_of"}
KEYS = {"name", "distribution", "before", "edit", "versions", "differs", *CASE_KEYS, *EXPECTED_KEYS}

RANCHER_EVICTION = {"imagefs.available": "5%", "nodefs.available": "5%"}
RANCHER_RECLAIM = {"imagefs.available": "10%", "nodefs.available": "10%"}
"""What RKE2 and k3s give their kubelet, said here once more than in the model: k3s ``pkg/daemons``.
"""


@dataclass(frozen=True)
class Expected:
    """What was seen: it *starts*, or ends with *message* in its reason.

    *need* is a quantity as the kubelet prints it, *effective* values by dotted key, *reset* the
    state files that have to go, *warns* parts of our warnings, *also* how many more errors there
    are than the kubelet says. *any_of*: it says one of several, by chance.
    """

    starts: bool
    message: str = ""
    need: str = ""
    effective: Mapping[str, Any] = field(default_factory=dict)
    reset: tuple[str, ...] = ()
    warns: tuple[str, ...] = ()
    also: int = 0
    any_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One case and what is expected of it, for one version.

    *before* is a case that ran first and left its state files; *edits* are what was done to them.
    """

    name: str
    version: str
    distribution: str
    case: Case
    expected: Expected
    before: Optional[Case] = None
    edits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def edited(self, state: Mapping[str, str]) -> dict[str, str]:
        """*state* after the scenario's edits."""
        result = dict(state)
        for name, edit in self.edits.items():
            changed = edit_state(name, result.get(name, "{}"), edit)
            result.pop(name, None)
            if changed is not None:
                result[name] = changed
        return result


def edit_state(name: str, text: str, edit: Mapping[str, Any]) -> Optional[str]:
    """A state file after an edit: ``gone``, ``text``, ``cut`` (characters), ``set`` (and sums)."""
    if edit.get("gone"):
        return None
    if "text" in edit:
        return str(edit["text"])
    if "cut" in edit:
        return text[: edit["cut"]]
    content = json.loads(text)
    content.update(edit["set"])
    if "checksum" not in edit["set"]:
        content["checksum"] = checksums.checksum(name, content)
    return json.dumps(content, separators=(",", ":"))


def load(version: str, folder: Path = FOLDER) -> list[Scenario]:
    """All scenarios for *version*. Raises ValueError for keys or names that make no sense."""
    known = shapes(folder)
    found: list[Scenario] = []
    for path in sorted(folder.glob("*.yaml")):
        if path.name != TOPOLOGIES:
            content = _read(path)
            for item in content["scenarios"]:
                if version in item.get("versions", [version]):
                    found.append(_scenario(item, content.get("defaults", {}), version, known))
    names = [scenario.name for scenario in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two scenarios are named {', '.join(twice)}")
    return found


def shapes(folder: Path = FOLDER) -> dict[str, Topology]:
    """The machines by name."""
    return {name: topology(data) for name, data in _read(folder / TOPOLOGIES).items()}


def prepared(scenario: Scenario, judge: Judge, left: dict[str, Outcome]) -> Case:
    """The scenario's case with the state files that it starts with.

    *left* has what earlier runs left, by case: many scenarios begin with the same one.
    """
    state: Mapping[str, str] = {}
    if scenario.before is not None:
        key = f"{scenario.version} {scenario.distribution} {scenario.before}"
        if key not in left:
            left[key] = judge.run(as_started(scenario, scenario.before))
        assert left[key].starts, f"{scenario.name}, before: {left[key].reason}"
        state = left[key].state
    return replace(scenario.case, state=scenario.edited(state))


def _read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text()))


def _scenario(
    item: Mapping[str, Any],
    defaults: Mapping[str, Any],
    version: str,
    known: Mapping[str, Topology],
) -> Scenario:
    unknown = set(item) - KEYS
    if unknown:
        raise ValueError(f"{item.get('name')}: unknown {', '.join(sorted(unknown))}")
    item = {**item, **item.get("differs", {}).get(version, {})}
    distribution = item.get("distribution", defaults.get("distribution", "upstream"))
    case = _case(item, defaults, version, distribution, known)
    before = item.get("before")
    told = {key: item[key] for key in EXPECTED_KEYS if key in item}
    for key in ("reset", "warns", "any_of"):
        told[key] = tuple(told.get(key, ()))
    told.setdefault("starts", not (told.get("message") or told["any_of"]))
    return Scenario(
        name=item["name"],
        version=version,
        distribution=distribution,
        case=case,
        expected=Expected(**told),
        before=None
        if before is None
        else _case({**item, **before}, defaults, version, distribution, known),
        edits=item.get("edit", {}),
    )


def _case(
    item: Mapping[str, Any],
    defaults: Mapping[str, Any],
    version: str,
    distribution: str,
    known: Mapping[str, Topology],
) -> Case:
    base: Optional[dict[str, Any]] = None
    rancher = distribution in ("rke2", "k3s")
    if item.get("base", {}) is not None and not (rancher and "base" not in item):
        base = {**({} if rancher else defaults.get("base", {})), **item.get("base", {})}
        base = {key: value for key, value in base.items() if key not in item.get("without", ())}
    return Case(
        topology=known[item.get("topology", defaults.get("topology", "2n"))],
        base=base,
        dropins=item.get("dropins", {}),
        flags=tuple(item.get("flags", ())),
    )


def as_started(scenario: Scenario, case: Case) -> Case:
    """*case* as the scenario's distribution starts its kubelet.

    RKE2 and k3s have defaults of their own: drop-ins from 1.32 on, flags before, of which a
    user's flag of the same name takes the place.
    """
    if scenario.distribution not in ("rke2", "k3s"):
        return case
    if scenario.version >= "v1.32":
        name = scenario.distribution
        own = {
            "evictionHard": RANCHER_EVICTION,
            "evictionMinimumReclaim": RANCHER_RECLAIM,
            "failSwapOn": False,
        }
        dropins = {f"00-{name}-defaults.conf": own, **case.dropins}
        if case.base is not None:
            dropins["10-cli-config.conf"] = case.base
        return Case(case.topology, None, dropins, case.flags, case.state, case.pods)
    given = {flag.lstrip("-").partition("=")[0] for flag in case.flags}
    own_flags = [
        f"{name}={','.join(f'{signal}{sign}{share}' for signal, share in shares.items())}"
        for name, sign, shares in (
            ("eviction-hard", "<", RANCHER_EVICTION),
            ("eviction-minimum-reclaim", "=", RANCHER_RECLAIM),
        )
        if name not in given
    ]
    flags = (*own_flags, *case.flags)
    return Case(case.topology, case.base, case.dropins, flags, case.state, case.pods)
