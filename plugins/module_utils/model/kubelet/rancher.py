# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""RKE2's and k3s's own configuration, as far as it becomes their kubelet's command line.

Both read ``/etc/rancher/NAME/config.yaml``, then ``config.yaml.d/*.yaml`` and ``*.yml`` by name.
A key of a later file replaces an earlier one; ``key+`` appends to it. Each item of ``kubelet-arg``
is one argument. Sources: k3s ``pkg/configfilearg`` (replaced and appended keys alike from v1.21 to
v1.33), ``pkg/util/args.go`` (v1.22 to v1.33, before that in ``pkg/daemons/config``); RKE2 uses the
same packages. Out of scope: reading files, arguments of the service's own command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Union

from ..problem import HomenodeProblem

KUBELET_ARG = "kubelet-arg"

Document = Union[Mapping[str, object], Sequence[tuple[str, object]]]
"""A parsed file: a map, or its pairs in order, which keep a key that is written twice."""


def settings(documents: Sequence[tuple[str, Document]]) -> dict[str, object]:
    """Merge *documents*, each a file's name and content, in the order in which they are read.

    A key again, in the same file or a later one, replaces the value. ``key+`` makes a list of the
    earlier value and its own; without an earlier value it is the key. Never raises.
    """
    merged: dict[str, object] = {}
    for _name, document in documents:
        pairs = document.items() if isinstance(document, Mapping) else document
        for written, value in pairs:
            key = str(written)
            if key.endswith("+"):
                key = key[:-1]
                if key in merged:
                    value = [*_items(merged[key]), *_items(value)]
            merged[key] = value
    return merged


def kubelet_args(merged: Mapping[str, object]) -> tuple[str, ...]:
    """The arguments for the kubelet in merged *settings*; one that is no list is one argument.

    Raises HomenodeProblem for an item that is a map or a list: Go's print of it is no argument.
    """
    value = merged.get(KUBELET_ARG)
    listed = value if isinstance(value, (list, tuple)) else [value]
    if value is None:
        return ()
    return tuple(_argument(number, item) for number, item in enumerate(listed))


def merged_args(defaults: Iterable[str], user: Iterable[str]) -> tuple[str, ...]:
    """The kubelet's arguments, ``name=value`` without dashes, sorted by name.

    *defaults* are the distribution's, one a name. An argument of *user* replaces the default of
    its name; ``name+=value`` stands after the default and ``name-=value`` before it. A name again
    is kept, in order. An argument without a value is ``true``.
    """
    left = dict(map(_split, defaults))
    found: dict[str, list[str]] = {}
    for argument in user:
        written, value = _split(argument)
        name = written.rstrip("-+")
        before = [left.pop(name)] if name in left else []
        given = found.get(name, [])
        if written.endswith("+"):
            found[name] = [*before, *given, value]
        elif written.endswith("-"):
            found[name] = [value, *before, *given]
        else:
            found[name] = [*given, value]
    found.update((name, [value]) for name, value in left.items())
    return tuple(f"{name}={value}" for name in sorted(found) for value in found[name])


def _split(argument: str) -> tuple[str, str]:
    """Name and value; unlike the kubelet, these programs take away two dashes and no spaces."""
    bare = argument[2:] if argument.startswith("--") else argument
    name, equals, value = bare.partition("=")
    return name, value if equals else "true"


def _items(value: object) -> list[object]:
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, str):
        return [value]
    return [_text(value)] if _text(value) else []


def _argument(number: int, item: object) -> str:
    if isinstance(item, (Mapping, list, tuple)):
        raise HomenodeProblem(
            f"{KUBELET_ARG}[{number}]",
            item,
            "is no text, so the kubelet gets no argument that it knows",
            "write each item as name=value",
        )
    return _text(item)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
