# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""``rke2_server_options`` and ``rke2_agent_options``, read as the role lablabs.rke2 writes them.

Its template (1.53.0) prints each item that is a text as it is, and each pair of a mapping as
``key: value`` with Python's print of the value. Later it prints ``rke2_kubelet_arg``, where that is
defined, as another block ``kubelet-arg:``, even if it is empty. RKE2 takes the last one.
Out of scope: what the kubelet makes of it (``rke2_findings``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

import yaml

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rancher import KUBELET_ARG
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

ARGUMENTS = "rke2_kubelet_arg"
_ABOVE = "data-dir: a\n"
_BELOW = "cluster-cidr: b\n"
"""Lines that the template prints around the options: an option has to fit between them."""
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_REMEDY = 'write each option as a text "key: value", or as a mapping'


@dataclass(frozen=True)
class Pair:
    """A key of the rendered file: its value, and the options from which it comes.

    *first* is the number of its first option, *last* that of the last one; -1 for the block of
    rke2_kubelet_arg. *lines* are the rendered lines, from and before.
    """

    key: str
    value: object
    first: int
    last: int
    lines: tuple[int, int]

    @property
    def sets_arguments(self) -> bool:
        """Whether it is kubelet-arg, or what is appended to it."""
        return self.key.rstrip("+") == KUBELET_ARG


def pairs(options: object, kubelet_args: object = None) -> list[Pair]:
    """All keys in the order of the file, those that are written twice included.

    Raises HomenodeProblem for options that are no list, or that break the file, by number.
    """
    listed = option_list(options)
    found = list(_pairs(listed))
    if kubelet_args is not None:
        # A text is a sequence for the template, which prints its letters one by one.
        if not isinstance(kubelet_args, (list, tuple)):
            raise HomenodeProblem(ARGUMENTS, kubelet_args, "is not a list", "write it as a list")
        block = [f"  - {argument}" for argument in kubelet_args]
        value = _read("\n".join([f"{KUBELET_ARG}:", *block]), ARGUMENTS).get(KUBELET_ARG)
        found.append(Pair(KUBELET_ARG, value, -1, -1, (0, 0)))
    return found


def option_list(options: object) -> list[object]:
    """*options* as a list of texts and mappings. Raises HomenodeProblem."""
    if options is None:
        return []
    if not isinstance(options, (list, tuple)):
        raise HomenodeProblem("options", options, "is not a list", "write the options as a list")
    for number, option in enumerate(options):
        if not isinstance(option, (str, Mapping)):
            raise HomenodeProblem(f"options[{number}]", option, "is no option", _REMEDY)
    return list(options)


def rendered(options: Sequence[object]) -> list[tuple[int, str]]:
    """The lines that the template prints, each with the number of its option."""
    lines = []
    for number, option in enumerate(options):
        if isinstance(option, Mapping):
            texts = [f"{key}: {value}" for key, value in option.items()]
        else:
            texts = [str(option)]
        lines += [(number, line) for text in texts for line in _BREAK.split(text)]
    return lines


def _pairs(options: Sequence[object]) -> Iterator[Pair]:
    lines = rendered(options)
    text = _ABOVE + "".join(f"{line}\n" for _number, line in lines) + _BELOW
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise ValueError("is no mapping")
        found = [
            (
                str(loader.construct_object(key, deep=True)),
                loader.construct_object(value, deep=True),
                key.start_mark.line - 1,
            )
            for key, value in root.value
        ]
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _broken(options, error) from None
    starts = [start for _key, _value, start in found[1:]]
    for (key, value, start), end in zip(found[1:-1], starts[1:]):
        yield Pair(key, value, lines[start][0], lines[end - 1][0], (start, end))


def _broken(options: Sequence[object], error: Exception) -> HomenodeProblem:
    """The first option without which the file could still be read."""
    culprit = next(
        (count for count in range(len(options) - 1, 0, -1) if _parses(options[:count])), 0
    )
    why = getattr(error, "problem", None) or type(error).__name__
    return HomenodeProblem(
        f"options[{culprit}]", options[culprit], f"RKE2 could not read its file: {why}", _REMEDY
    )


def _parses(options: Sequence[object]) -> bool:
    text = _ABOVE + "".join(f"{line}\n" for _number, line in rendered(options)) + _BELOW
    try:
        return isinstance(yaml.safe_load(text), Mapping)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return False


def _read(text: str, field: str) -> Mapping[str, object]:
    try:
        content: Optional[object] = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = f"RKE2 could not read its file: {getattr(error, 'problem', None) or error}"
        raise HomenodeProblem(field, text, why, "quote the argument twice") from None
    return content if isinstance(content, Mapping) else {}
