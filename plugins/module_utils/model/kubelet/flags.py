# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A kubelet's command line, as far as it decides about NUMA, in the keys of its configuration.

A flag wins over every file, and a map or list given as a flag replaces the whole one of the files;
the same flag given again adds to the first. Sources: ``cmd/kubelet/app/options``,
``component-base/cli/flag``, ``pkg/util/flag``. Out of scope: all other flags; they pass unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..problem import HomenodeProblem, Problem
from ..quantity import Quantity
from .defaults import NEWEST, Version

SPELT_RIGHT: Version = (1, 34)
"""From about here on."""
SLIPS = (
    ("NUMA node ID, expected integer", "NUMA node ID, exptected integer"),
    ("expected type=quantity, got", "expected type=quantatity, got"),
    ("parse the quantity: ", "parse the quantatity, expected quantatity, got "),
    ("to *[]MemoryReservation)", "to *[]MemoryReservation"),
)

IGNORES_EVICTION = "experimental-allocatable-ignore-eviction"
TRUE = ("1", "t", "T", "true", "TRUE", "True")
FALSE = ("0", "f", "F", "false", "FALSE", "False")
"""What Go's strconv.ParseBool takes, and no other text."""
HUGEPAGES = re.compile(r"hugepages-\S+\Z")

_INCORRECT = "the reserved memory has incorrect format, expected "
_INCORRECT += "numaNodeID:type=quantity[,type=quantity...], got "


@dataclass(frozen=True)
class CommandLine:
    """What the flags say: whole values by configuration key, and what a kubelet cannot parse.

    *names* has the flag that each key comes from.
    """

    values: dict[str, object] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    errors: tuple[Problem, ...] = ()
    ignores_eviction: bool = False


class _Malformed(Exception):
    """A flag's value, in the kubelet's words."""


def name_and_value(flag: str) -> tuple[str, str]:
    """``--kube-reserved=cpu=1`` as its name and value; the dashes may be missing.

    A flag without a value is true. Underscores in the name are dashes, as for the kubelet.
    """
    name, equals, value = flag.strip().lstrip("-").partition("=")
    return name.replace("_", "-"), value if equals else "true"


def parse(flags: Iterable[str], version: Version = NEWEST) -> CommandLine:
    """Read *flags*, each one ``name=value``. Never raises: what is wrong is in the errors.

    *version* matters for the words of the errors alone.
    """
    values: dict[str, object] = {}
    names: dict[str, str] = {}
    errors: list[Problem] = []
    ignores_eviction = no_target = False
    for flag in flags:
        name, value = name_and_value(flag)
        if name == IGNORES_EVICTION:
            ignores_eviction = value in TRUE
        if name not in FLAGS:
            continue
        key, read = FLAGS[name]
        if name == "reserved-memory" and not value:
            no_target = True  # it empties nothing: the list that was there stays
            continue
        try:
            if name == "reserved-memory" and no_target:
                raise _Malformed("no target (nil pointer to *[]MemoryReservation)")
            values[key] = read(values.get(key), value)
            names[key] = name
        except _Malformed as error:
            why = f'failed to parse kubelet flag: invalid argument "{value}" for "--{name}" flag'
            why = f"{why}: {_spelt(str(error), version)}"
            errors.append(Problem(key, value, why, "correct the flag", f"--{name}"))
    return CommandLine(values, names, tuple(errors), ignores_eviction)


def _spelt(words: str, version: Version) -> str:
    """The words with the slips that older kubelets make."""
    if version < SPELT_RIGHT:
        for right, slip in SLIPS:
            words = words.replace(right, slip)
    return words


def _text(_earlier: object, value: str) -> object:
    return value


def _boolean(_earlier: object, value: str) -> object:
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise _Malformed(f'strconv.ParseBool: parsing "{value}": invalid syntax')


def _texts(earlier: object, value: str) -> object:
    before = list(earlier) if isinstance(earlier, list) else []
    return before + (value.split(",") if value else [])


def _pairs(separator: str, *, one: bool = False) -> Callable[[object, str], object]:
    def read(earlier: object, value: str) -> object:
        result = dict(earlier) if isinstance(earlier, dict) else {}
        result.update(_read_pairs(value, separator, one=one))
        return result

    return read


def _read_pairs(value: str, separator: str, *, one: bool = False) -> dict[str, str]:
    result = {}
    for pair in [value] if one else filter(None, value.split(",")):
        name, found, item = pair.partition(separator)
        if not found:
            raise _Malformed(f"malformed pair, expect string{separator}string")
        result[name.strip()] = item.strip()
    return result


def _gates(earlier: object, value: str) -> object:
    result = dict(earlier) if isinstance(earlier, dict) else {}
    for name, item in _read_pairs(value, "=").items():
        result[name] = _boolean(None, item)
    return result


def _reserved_memory(earlier: object, value: str) -> object:
    result = list(earlier) if isinstance(earlier, list) else []
    for reservation in value.split(";") if value else ():
        numa_node, *limits = reservation.split(":")
        if len(limits) != 1:
            raise _Malformed(_INCORRECT + reservation)
        if not re.match(r"[+-]?\d{1,9}\Z", numa_node, re.ASCII):
            raise _Malformed(
                f"failed to convert the NUMA node ID, expected integer, got {numa_node}"
            )
        result.append({"numaNode": int(numa_node), "limits": _limits(limits[0])})
    return result


def _limits(value: str) -> dict[str, str]:
    result = {}
    for limit in value.split(","):
        kind, *amounts = limit.split("=")
        if len(amounts) != 1:
            raise _Malformed(
                f"the reserved limit has incorrect value, expected type=quantity, got {limit}"
            )
        if kind != "memory" and not HUGEPAGES.match(kind):
            raise _Malformed(f'memory type conversion error, unknown type: "{kind}"')
        try:
            Quantity.parse(amounts[0])
        except HomenodeProblem as error:
            raise _Malformed(f"failed to parse the quantity: {amounts[0]}") from error
        result[kind] = amounts[0]
    return result


FLAGS: dict[str, tuple[str, Callable[[object, str], object]]] = {
    "cpu-manager-policy": ("cpuManagerPolicy", _text),
    "cpu-manager-policy-options": ("cpuManagerPolicyOptions", _pairs("=", one=True)),
    "enforce-node-allocatable": ("enforceNodeAllocatable", _texts),
    "eviction-hard": ("evictionHard", _pairs("<")),
    "eviction-minimum-reclaim": ("evictionMinimumReclaim", _pairs("=")),
    "eviction-soft": ("evictionSoft", _pairs("<")),
    "fail-swap-on": ("failSwapOn", _boolean),
    "feature-gates": ("featureGates", _gates),
    "cgroups-per-qos": ("cgroupsPerQOS", _boolean),
    "kube-reserved": ("kubeReserved", _pairs("=")),
    "kube-reserved-cgroup": ("kubeReservedCgroup", _text),
    "memory-manager-policy": ("memoryManagerPolicy", _text),
    "reserved-cpus": ("reservedSystemCPUs", _text),
    "reserved-memory": ("reservedMemory", _reserved_memory),
    "system-reserved": ("systemReserved", _pairs("=")),
    "system-reserved-cgroup": ("systemReservedCgroup", _text),
    "topology-manager-policy": ("topologyManagerPolicy", _text),
    "topology-manager-policy-options": ("topologyManagerPolicyOptions", _pairs("=", one=True)),
    "topology-manager-scope": ("topologyManagerScope", _text),
}
"""Flag, the configuration key that it sets, and how a value joins an earlier one."""
