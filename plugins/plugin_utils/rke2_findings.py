# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""What RKE2 and its kubelet make of the options of the role lablabs.rke2, and what goes wrong.

Three things read an argument: YAML, then RKE2 (``rancher``), then the kubelet (``effective`` and
``validation``). Each has its own ways to lose one. Out of scope: options for other components.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Optional

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet import flags
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.configuration import (
    Settings,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DEFAULT_VERSION,
    RANCHER,
    RANCHER_DROPINS,
    RANCHER_FLAGS,
    version_of,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import (
    Effective,
    Layer,
    Sources,
    effective,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.hardware import Hardware
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rancher import (
    KUBELET_ARG,
    kubelet_args,
    merged_args,
    settings,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import (
    HomenodeProblem,
    Problem,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.kubelet_flags import nearest, unknown
from ansible_collections.homenode.numa.plugins.plugin_utils.planned_verdict import judged
from ansible_collections.homenode.numa.plugins.plugin_utils.rke2_options import (
    ARGUMENTS,
    Pair,
    pairs,
)

CONFIG_FILE = "/etc/rancher/rke2/kubelet-config.yaml"
"""Where the role writes rke2_kubelet_config."""
_DISKS = ("imagefs.available", "nodefs.available")
_NEXT_ARGUMENT = re.compile(r"[\s,]+(?:--)?([a-z][a-z0-9]*-[a-z0-9-]+)=")


@dataclass(frozen=True)
class Inventory:
    """The variables of the role that end up at the kubelet.

    *kubelet_args* is rke2_kubelet_arg, *kubelet_config* is rke2_kubelet_config; None where they
    are not defined. *machine* is None where nobody knows it.
    """

    options: object
    kubelet_args: object = None
    kubelet_config: Optional[Settings] = None
    version: str = DEFAULT_VERSION
    machine: Optional[Hardware] = None
    file: list[Pair] = field(default_factory=list)
    arguments: tuple[str, ...] = ()


def findings(inventory: Inventory) -> list[Problem]:
    """All that is wrong or surprises. Raises HomenodeProblem for a version."""
    wrong = mistakes(inventory)
    try:
        return [*wrong, *_surprises(read(inventory))]
    except HomenodeProblem:
        return wrong  # It says why the file could not be read.


def mistakes(inventory: Inventory) -> list[Problem]:
    """What is lost or refused, in the order in which it is read. Raises as *findings* does."""
    version_of(inventory.version)
    try:
        found = read(inventory)
        return [*_file_findings(found), *_argument_findings(found), *_refusals(found)]
    except HomenodeProblem as error:
        return [error.problem]


def read(inventory: Inventory) -> Inventory:
    """The same with the file's keys and the arguments that RKE2 finds in it.

    Raises HomenodeProblem where YAML or RKE2 could not.
    """
    file = pairs(inventory.options, inventory.kubelet_args)
    merged = settings([("config.yaml", [(pair.key, pair.value) for pair in file])])
    return replace(inventory, file=file, arguments=kubelet_args(merged))


def outcome(inventory: Inventory) -> Effective:
    """The kubelet's configuration, from an inventory that was *read*."""
    dropins = version_of(inventory.version) >= RANCHER_DROPINS
    user = [item for item in inventory.arguments if _name(item) != "config"]
    layer = None
    if inventory.kubelet_config is not None and _config_file(inventory) is not None:
        layer = Layer("rke2_kubelet_config", inventory.kubelet_config)
    return effective(
        Sources(
            base=layer,
            flags=merged_args(() if dropins else RANCHER_FLAGS, user),
            distribution="rke2",
            version=inventory.version,
        )
    )


def _file_findings(inventory: Inventory) -> Iterator[Problem]:
    earlier: Optional[Pair] = None
    for pair in inventory.file:
        bare = re.sub(r"[^a-z]", "", pair.key.lower()).rstrip("s")
        if pair.sets_arguments:
            if earlier is not None and earlier.value and not pair.key.endswith("+"):
                yield _lost(earlier, pair)
            earlier = pair
        elif bare in ("kubeletarg", "kubeletextraarg", "kubeletargument"):
            why = "is no option of RKE2, which skips it with a line in its log"
            yield Problem(pair.key, str(pair.value), why, f"write {KUBELET_ARG}", _place(pair))
    if earlier is not None and isinstance(earlier.value, str):
        yield from _one_text(earlier)


def _lost(earlier: Pair, pair: Pair) -> Problem:
    why = f"is lost: {_place(pair)} sets {KUBELET_ARG} again, and RKE2 takes the last one"
    remedy = f"write all arguments in one place: {KUBELET_ARG} in the options, or {ARGUMENTS}"
    value = earlier.value
    shown = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return Problem(KUBELET_ARG, shown, why, remedy, _place(earlier))


def _one_text(pair: Pair) -> Iterator[Problem]:
    value = str(pair.value)
    if value.startswith("["):
        why = "is one text, so the kubelet gets one argument that begins with a bracket"
        yield Problem(KUBELET_ARG, value, why, "take the outer quotes away", _place(pair))


def _argument_findings(inventory: Inventory) -> Iterator[Problem]:
    version = version_of(inventory.version)
    seen: dict[str, str] = {}
    last = len(inventory.arguments) - 1
    for number, item in enumerate(inventory.arguments):
        if item.startswith("["):
            continue
        name, value = flags.name_and_value(item)
        plain = name.rstrip("+-")
        yield from _spelling(item, plain, value, version)
        if "=" not in item and number < last and version >= RANCHER_DROPINS:
            why = (
                f"takes the next item, {inventory.arguments[number + 1]}, as its value; it is lost"
            )
            yield Problem(KUBELET_ARG, item, why, f"write {name}=true", KUBELET_ARG)
        if seen.get(plain, value) != value and _is_single(plain):
            why = f"comes after {plain}={seen[plain]}, and the kubelet takes the last one"
            yield Problem(plain, value, why, "give it once", KUBELET_ARG)
        seen[plain] = value
    yield from _config_findings(inventory)


def _spelling(item: str, name: str, value: str, version: tuple[int, int]) -> Iterator[Problem]:
    following = [
        match[1] for match in _NEXT_ARGUMENT.finditer(value) if not unknown(match[1], version)
    ]
    if item[:1] in ("'", '"') or value[:1] in ("'", '"') or value[-1:] in ("'", '"'):
        why = "has quotes that reach the kubelet, because no shell takes them away"
        yield Problem(KUBELET_ARG, item, why, "remove the inner quotes", KUBELET_ARG)
    elif following:
        why = f"is one argument: {', '.join(following)} would be a part of its value"
        yield Problem(KUBELET_ARG, item, why, "write a list with one item each", KUBELET_ARG)
    elif unknown(name, version):
        meant = nearest(name)
        remedy = f"write {meant}" if meant else "remove it, or use the key of rke2_kubelet_config"
        why = f"failed to parse kubelet flag: unknown flag: --{name}"
        yield Problem(name, value, why, remedy, KUBELET_ARG)


def _config_findings(inventory: Inventory) -> Iterator[Problem]:
    path, content = _config_file(inventory), inventory.kubelet_config
    if path is None:
        if content:
            why = f"is written to {CONFIG_FILE}, and no kubelet reads that"
            remedy = f"add config={CONFIG_FILE} to the arguments"
            yield Problem("rke2_kubelet_config", ", ".join(content), why, remedy)
        return
    if version_of(inventory.version) >= RANCHER_DROPINS:
        return
    given = {_name(item) for item in inventory.arguments}
    for flag in RANCHER_FLAGS:
        name = _name(flag)
        key = flags.FLAGS[name][0]
        if name not in given and (
            content is None or content.get(key, RANCHER[key]) != RANCHER[key]
        ):
            why = f"has no effect before 1.32: RKE2's own argument {flag} wins over the file"
            yield Problem(key, path, why, f"give {name} as an argument", "config")


def _surprises(inventory: Inventory) -> Iterator[Problem]:
    """What the kubelet takes, and what few people mean by it."""
    found = outcome(inventory)
    if found.errors:
        return
    given = {_name(item) for item in inventory.arguments}
    eviction = found.config.get("evictionHard")
    missing = (
        [name for name in _DISKS if name not in eviction] if isinstance(eviction, dict) else []
    )
    if "eviction-hard" in given and missing:
        why = f"replaces RKE2's thresholds, so there is none for {' and '.join(missing)}"
        remedy = "add " + ",".join(f"{name}<5%" for name in missing)
        yield Problem("eviction-hard", _shown(eviction), why, remedy, KUBELET_ARG)
    if not _is_partly_unknown(inventory):
        yield from judged(found, inventory.machine).warnings


def _refusals(inventory: Inventory) -> Iterator[Problem]:
    found = outcome(inventory)
    if found.errors:
        yield from map(_with_remedy, found.errors)
        return
    if _is_partly_unknown(inventory):
        return
    whole = judged(found, inventory.machine)
    yield from (*whole.refusals, *whole.hazards)


def _is_partly_unknown(inventory: Inventory) -> bool:
    """Whether the kubelet reads a file that nobody knows here."""
    return _config_file(inventory) is not None and inventory.kubelet_config is None


def _with_remedy(problem: Problem) -> Problem:
    if problem.field == "reservedMemory" and re.search(r",\d+:", problem.value):
        items = re.split(r",(?=\d+:)", problem.value)
        listed = ", ".join(f"reserved-memory={item}" for item in items)
        return replace(problem, remedy=f"write an item for each NUMA node: {listed}")
    return problem


def _config_file(inventory: Inventory) -> Optional[str]:
    """The path behind config, in one item or two."""
    items = [*inventory.arguments, ""]
    for item, following in zip(items, items[1:]):
        if _name(item) == "config":
            return item.partition("=")[2] or following
    return None


def _is_single(name: str) -> bool:
    """Whether a flag given again replaces what was given first."""
    if name not in flags.FLAGS:
        return False
    try:
        values = flags.parse([f"{name}=1", f"{name}=0"]).values
    except HomenodeProblem:
        return False
    return values.get(flags.FLAGS[name][0]) in ("0", False)


def _name(item: str) -> str:
    return flags.name_and_value(item)[0].rstrip("+-")


def _place(pair: Pair) -> str:
    return ARGUMENTS if pair.first < 0 else f"options[{pair.first}]"


def _shown(thresholds: object) -> str:
    if not isinstance(thresholds, Mapping):
        return ""
    return ",".join(f"{name}<{amount}" for name, amount in sorted(thresholds.items()))


def as_dicts(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """JSON-clean, each once."""
    return [problem.as_dict() for problem in dict.fromkeys(problems)]
