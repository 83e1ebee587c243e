# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Settings as a kubelet reads them: a drop-in file, flags, or RKE2's file of flags.

Equal settings give equal text.

Every text is quoted, because a kubelet reads a bare ``1e9``, ``1`` or ``true`` as something else
and does not start. Out of scope: which settings (``plan``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from ..problem import HomenodeProblem
from ..quantity import Quantity
from .configuration import Settings, records
from .flags import FLAGS
from .split import Shares

API_VERSION = "kubelet.config.k8s.io/v1beta1"
KIND = "KubeletConfiguration"

_BARE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9./-]*\Z", re.ASCII)
_WORDS = ("true", "false", "yes", "no", "on", "off", "y", "n", "null")


def reserved_memory(shares: Shares) -> list[dict[str, object]]:
    """The value of ``reservedMemory`` for bytes by NUMA node."""
    return [
        {"numaNode": numa_node, "limits": {"memory": str(Quantity.of(share))}}
        for numa_node, share in sorted(shares.items())
    ]


def reserved_memory_flags(reservations: Sequence[Settings]) -> list[str]:
    """One ``reserved-memory=0:memory=4226Mi`` for each entry of ``reservedMemory``.

    Raises HomenodeProblem for an entry without node or limits.
    """
    result = []
    for entry in records({"reservedMemory": reservations}, "reservedMemory"):
        limits = entry.get("limits")
        numa_node = entry.get("numaNode")
        if not isinstance(limits, Mapping) or not limits or not isinstance(numa_node, int):
            raise HomenodeProblem(
                "reservedMemory",
                dict(entry),
                "has no numaNode or no limits",
                'write {"numaNode": 0, "limits": {"memory": "1Gi"}}',
            )
        pairs = ",".join(f"{kind}={amount}" for kind, amount in sorted(limits.items()))
        result.append(f"reserved-memory={numa_node}:{pairs}")
    return result


def as_flags(settings: Settings) -> list[str]:
    """Each setting as ``name=value`` without dashes, by name: what ``flags.parse`` reads back.

    A map given as a flag replaces the whole map of a file, so give whole maps. Raises
    HomenodeProblem for a key that has no flag.
    """
    names = {key: name for name, (key, _read) in FLAGS.items()}
    result: list[str] = []
    for key, value in settings.items():
        if key not in names:
            why = "has no flag, and this kubelet's settings are given as flags"
            raise HomenodeProblem(key, value, why, "leave it out, or use Kubernetes 1.32 or newer")
        if key == "reservedMemory":
            entries = value if isinstance(value, (list, tuple)) else ()
            result += reserved_memory_flags(entries)
        else:
            result += [f"{names[key]}={text}" for text in _flag_values(key, value)]
    return sorted(result, key=lambda flag: flag.partition("=")[0])


def _flag_values(key: str, value: object) -> list[str]:
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, (list, tuple)):
        return [",".join(map(str, value))]
    if not isinstance(value, Mapping):
        return [str(value)]
    sign = "<" if key.startswith("eviction") and key != "evictionMinimumReclaim" else "="
    pairs = [
        f"{name}{sign}{str(item).lower() if isinstance(item, bool) else item}"
        for name, item in sorted(value.items())
    ]
    return pairs if key.endswith("PolicyOptions") else [",".join(pairs)]


def as_kubelet_args(flags: Iterable[str], comments: Iterable[str] = ()) -> str:
    """A file for ``/etc/rancher/rke2/config.yaml.d``: *flags* added to those of other files.

    The plus sign at the key is RKE2's and k3s's way of adding; without it the others were lost.
    """
    lines = ["# " + " ".join(comment.split()) for comment in comments]
    lines += ["kubelet-arg+:", *(f"  - {_quoted(flag)}" for flag in flags)]
    return "\n".join(lines) + "\n"


def as_yaml(settings: Settings, comments: Iterable[str] = ()) -> str:
    """A whole KubeletConfiguration file: comments, apiVersion and kind, then keys in order.

    *settings* holds what JSON knows: maps, lists, texts, whole numbers, true, false, null.
    """
    lines = ["# " + " ".join(comment.split()) for comment in comments]
    lines += [f"apiVersion: {API_VERSION}", f"kind: {KIND}"]
    lines += _lines(settings, "")
    return "\n".join(lines) + "\n"


def _lines(settings: Mapping[str, object], indent: str) -> list[str]:
    result = []
    for key in sorted(settings):
        value = settings[key]
        name = indent + _key(key)
        if isinstance(value, Mapping) and value:
            result += [f"{name}:", *_lines(value, indent + "  ")]
        elif isinstance(value, (list, tuple)) and value:
            result.append(f"{name}:")
            for item in value:
                result += _item(item, indent)
        else:
            result.append(f"{name}: {_scalar(value)}")
    return result


def _item(item: object, indent: str) -> list[str]:
    if not isinstance(item, Mapping) or not item:
        return [f"{indent}- {_scalar(item)}"]
    first, *others = _lines(item, indent + "  ")
    return [f"{indent}- {first.lstrip()}", *others]


def _key(key: str) -> str:
    return key if _BARE_KEY.match(key) and key.lower() not in _WORDS else _quoted(key)


def _scalar(value: object) -> str:
    """One line: a scalar, an empty map or list, or a list within a list."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_scalar, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {_scalar(value[key])}" for key in sorted(value)) + "}"
    return json.dumps(value)


def _quoted(text: str) -> str:
    """YAML's double-quoted form, in which printable ASCII stands for itself."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if " " <= character <= "~":
        return "\\" + character if character in '"\\' else character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
