# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditions on a container: read, bounded, and applied; and templates that name its properties.

The language is that of nri-plugins' resource policies (affinities, ``matchExpressions``,
``groupBy``). One difference, on purpose: ``pod/qosclass`` has a value here, as documented there;
there, a slip of types leaves it without one. Out of scope: what follows from a match.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Optional

from model.fields import Fields
from model.problem import HomenodeProblem
from model.workload import Pod

from .globs import glob_matches
from .tenant import Expression

EQUALS, NOT_EQUAL, IN, NOT_IN = "Equals", "NotEqual", "In", "NotIn"
EXISTS, NOT_EXIST, ALWAYS_TRUE = "Exists", "NotExist", "AlwaysTrue"
MATCHES, MATCHES_NOT = "Matches", "MatchesNot"
MATCHES_ANY, MATCHES_NONE = "MatchesAny", "MatchesNone"

_ONE_VALUE = (EQUALS, NOT_EQUAL, MATCHES, MATCHES_NOT)
_NO_VALUE = (EXISTS, NOT_EXIST, ALWAYS_TRUE)
_ANY_VALUES = (IN, NOT_IN, MATCHES_ANY, MATCHES_NONE)
OPERATORS = (*_ONE_VALUE, *_NO_VALUE, *_ANY_VALUES)
_SPELLINGS = {"NotExists": NOT_EXIST}
"""Seen in documents; the objects themselves say NotExist."""

_NEGATED = {NOT_EQUAL, NOT_IN, MATCHES_NOT, MATCHES_NONE, NOT_EXIST}
_PLAIN_KEYS = ("id", "uid", "name", "namespace", "qosclass")
_MAP_KEYS = ("labels", "tags")

MAX_VALUES = 256
MAX_KEY = 1024
"""Room for three label names of the longest kind in a joint key."""


@dataclass(frozen=True)
class Subject:
    """What can be asked about a container; *labels* and *tags* are its own, not its pod's."""

    name: str = ""
    namespace: str = ""
    qos_class: str = ""
    id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    pod_name: str = ""
    pod_uid: str = ""
    pod_id: str = ""
    pod_labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, pod: Pod, container: str, qos_class: str, *, container_id: str = "") -> Subject:
        """A container of *pod*. Its own labels are the four that the kubelet gives to each."""
        labels = {
            "io.kubernetes.container.name": container,
            "io.kubernetes.pod.name": pod.name,
            "io.kubernetes.pod.namespace": pod.namespace,
            "io.kubernetes.pod.uid": pod.uid,
        }
        return cls(
            name=container,
            namespace=pod.namespace,
            qos_class=qos_class,
            id=container_id,
            labels=labels,
            pod_name=pod.name,
            pod_uid=pod.uid,
            pod_id=pod.id,
            pod_labels=pod.labels,
        )

    def value(self, key: str) -> Optional[str]:
        """The value of *key*, joint or not; None where it has none.

        A joint key has a value as soon as one of its parts has; the others count as "".
        """
        paths, separator = _paths(key)
        values = [self._at(path) for path in paths]
        if all(value is None for value in values):
            return None
        return separator.join(value or "" for value in values)

    def _at(self, path: tuple[str, ...]) -> Optional[str]:
        """The value at one path, which is ("labels", NAME), ("pod", "name") and the like."""
        where, what = path[0], path[1] if len(path) > 1 else None
        if where == "pod":
            if what == "labels":
                return self.pod_labels.get(path[2]) if len(path) > 2 else None
            return self._of_pod().get(what or "") if len(path) == 2 else None
        if where == "labels":
            return self.labels.get(what or "")
        if where == "tags":
            return self.tags.get(what or "")
        return self._own().get(where) if what is None else None

    def _own(self) -> Mapping[str, str]:
        return {
            "name": self.name,
            "namespace": self.namespace,
            "qosclass": self.qos_class,
            "id": self.id,
        }

    def _of_pod(self) -> Mapping[str, str]:
        return {
            "name": self.pod_name,
            "namespace": self.namespace,
            "qosclass": self.qos_class,
            "id": self.pod_id,
            "uid": self.pod_uid,
        }


def matches(expression: Expression, subject: Subject) -> bool:
    """Whether the condition holds. A key without a value fulfils only the negated operators."""
    operator = expression.operator
    if operator == ALWAYS_TRUE:
        return True
    value = subject.value(expression.key)
    held = value is not None and _holds(operator, value, expression.values)
    return held != (operator in _NEGATED)


def _holds(operator: str, value: str, values: tuple[str, ...]) -> bool:
    """The operator without its negation; "*" stands for any value, except with NotEqual."""
    if operator in (EXISTS, NOT_EXIST):
        return True
    if operator in (EQUALS, IN, NOT_IN):
        return value in values or "*" in values
    if operator == NOT_EQUAL:
        return value in values
    return any(glob_matches(pattern, value) for pattern in values)


def resolve(template: str, subject: Subject, *, strict: bool = False) -> str:
    """*template* with ``${KEY}`` and ``$KEY`` replaced by values, ``$$`` by a dollar.

    A plain ``$KEY`` ends at the next dollar or at the end. Raises HomenodeProblem for a template
    that makes no sense, and with *strict* for a key that has no value (else it counts as "").
    """
    texts = []
    for kind, text in _parts(template):
        value = subject.value(text) if kind == _KEY else text
        if value is None and strict:
            raise _template_problem(template, f"unresolvable key {text!r}")
        texts.append(value or "")
    return "".join(texts)


def check_template(template: str) -> None:
    """Raise HomenodeProblem for a template that makes no sense, whoever the subject is."""
    _parts(template)


_TEXT, _KEY = "text", "key"


@lru_cache(maxsize=256)
def _parts(template: str) -> tuple[tuple[str, str], ...]:
    parts = []
    at = template.find("$")
    if at < 0:
        return ((_TEXT, template),)
    parts.append((_TEXT, template[:at]))
    while at < len(template):
        if template[at] != "$":
            end = _next_dollar(template, at)
            parts.append((_TEXT, template[at:end]))
        elif template.startswith("$$", at):
            parts.append((_TEXT, "$"))
            end = at + 2
        elif template.startswith("${", at):
            end = template.find("}", at) + 1
            parts.append((_KEY, _key(template, template[at + 2 : end - 1] if end else "")))
        else:
            end = _next_dollar(template, at + 1)
            parts.append((_KEY, _key(template, template[at + 1 : end])))
        at = end
    return tuple(parts)


def _next_dollar(template: str, at: int) -> int:
    end = template.find("$", at)
    return len(template) if end < 0 else end


def _key(template: str, key: str) -> str:
    if not key or set(key) & set("${}"):
        raise _template_problem(template, "a reference is empty, unterminated or has braces in it")
    return key


def _template_problem(template: str, why: str) -> HomenodeProblem:
    return HomenodeProblem(
        "groupBy",
        template,
        f"invalid substitution: {why}",
        "write references like ${pod/labels/app}, and $$ for a dollar",
    )


def parse_expression(value: object, *, field: str, source: str = "") -> Expression:
    """``read_expression`` of a mapping that stands at *field*."""
    return read_expression(Fields(value, source=source, path=field))


def read_expression(fields: Fields) -> Expression:
    """One expression from a mapping of key, operator, values.

    Raises HomenodeProblem that names the wrong part.
    """
    operator = fields.text("operator", "")
    operator = _SPELLINGS.get(operator, operator)
    key = fields.text("key", "")
    values = fields.scalars("values", most=MAX_VALUES)
    fields.refuse_unknown()
    if operator not in OPERATORS:
        raise fields.wrong("operator", "unknown operator", "use one of: " + ", ".join(OPERATORS))
    if operator in _ONE_VALUE and len(values) != 1:
        raise fields.wrong("values", f"{operator} requires a single value", "give one value")
    if operator in _NO_VALUE and values:
        raise fields.wrong("values", f"{operator} does not take any values", "take them away")
    _check_key(key, fields)
    return Expression(key, operator, values)


def _check_key(key: str, fields: Fields) -> None:
    for path in _paths(key)[0] if len(key) <= MAX_KEY else ((),):
        names = path[1:] if path[:1] == ("pod",) else path
        known = len(names) == 1 and names[0] in _PLAIN_KEYS
        if not known and not (len(names) == 2 and names[0] in _MAP_KEYS and names[1]):
            raise fields.wrong(
                "key",
                "is no property of a container",
                "use name, namespace, qosclass, id, labels/NAME, tags/NAME, pod/NAME-OF-THESE,"
                " or several of them joined, such as :pod/namespace:name",
            )


@lru_cache(maxsize=1024)
def _paths(key: str) -> tuple[tuple[tuple[str, ...], ...], str]:
    """The paths that a key joins, and what is written between their values."""
    parts, separator = _split(key)
    return tuple(_path(part) for part in parts), separator


def _split(key: str) -> tuple[list[str], str]:
    """``:k1:k2`` joins with a colon; ``:,-k1,k2`` splits at commas and joins with dashes."""
    if len(key) < 4 or key[0] != ":":
        return [key], ""
    if _is_separator(key[1]) and _is_separator(key[2]):
        return key[3:].split(key[1]), key[2]
    return key[1:].split(":"), ":"


def _is_separator(char: str) -> bool:
    return not (char.isascii() and char.isalnum()) and char not in "/."


def _path(key: str) -> tuple[str, ...]:
    """``pod/labels/a.b/c`` as ("pod", "labels", "a.b/c"): label names have slashes themselves."""
    names = posixpath.normpath(key).split("/")
    head = 1 if names[0] == "pod" and len(names) > 1 else 0
    if names[head] in _MAP_KEYS and len(names) > head + 1:
        return (*names[: head + 1], "/".join(names[head + 1 :]))
    return tuple(names)
