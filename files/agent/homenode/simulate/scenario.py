# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scenario as data, read strictly: a machine, a policy with its first configuration, steps.

Out of scope: what a policy's configuration may hold (its own reader says so when it is applied),
and whether the pods that steps name are there (that is known when they are taken).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from homenode.intent.config import KINDS
from model.fields import Fields
from model.machine import Machine

from .machine import read_machine
from .pods import AskedAmounts, ScenarioPod, read_amounts, read_pod

MAX_STEPS = 100_000


@dataclass(frozen=True)
class Create:
    """A pod whose containers are created in order."""

    pod: ScenarioPod


@dataclass(frozen=True)
class Delete:
    """The pod ``namespace/name`` goes, with all its containers."""

    pod: str


@dataclass(frozen=True)
class Exit:
    """The container ``namespace/pod/name`` ends by itself; its pod stays."""

    container: str


@dataclass(frozen=True)
class Update:
    """The container ``namespace/pod/name`` is resized in place."""

    container: str
    amounts: AskedAmounts


@dataclass(frozen=True)
class Configure:
    """Another configuration, whole."""

    spec: Mapping[str, Any]


@dataclass(frozen=True)
class Restart:
    """The agent ends and starts again."""


Step = Union[Create, Delete, Exit, Update, Configure, Restart]


@dataclass(frozen=True)
class Scenario:
    """*config* is the ``spec`` of the policy's upstream object, not yet read."""

    machine: Machine
    policy: str
    config: Mapping[str, Any]
    steps: tuple[Step, ...]


def read_scenario(content: object, *, source: str, recorded: Callable[[str], Machine]) -> Scenario:
    """Read *content*, the parsed file *source*; *recorded* reads a recorded machine by its path.

    Raises HomenodeProblem naming the whole path of what is wrong.
    """
    fields = Fields(content, source=source)
    scenario = Scenario(
        machine=_read_machine(fields, recorded),
        policy=fields.text("policy", "", choices=tuple(KINDS)),
        config=fields.mapping("config"),
        steps=tuple(_read_step(step) for step in fields.sections("steps", most=MAX_STEPS)),
    )
    fields.refuse_unknown()
    return scenario


def _read_machine(fields: Fields, recorded: Callable[[str], Machine]) -> Machine:
    described = fields.section("machine")
    if described is None:
        raise fields.wrong("machine", "is missing", "describe one, or name a recorded one")
    path = described.text("recorded", "")
    if not path:
        return read_machine(described)
    described.refuse_unknown()
    return recorded(path)


def _read_step(fields: Fields) -> Step:
    verbs = fields.names()
    if len(verbs) != 1 or verbs[0] not in _READERS:
        raise fields.wrong(
            verbs[0] if verbs else "step",
            "a step has one verb" if len(verbs) != 1 else "is no step",
            "use one of: " + ", ".join(_READERS),
        )
    return _READERS[verbs[0]](fields)


def _create(fields: Fields) -> Step:
    pod = fields.section("create")
    if pod is None:
        raise fields.wrong("create", "there is no pod", "describe one")
    return Create(read_pod(pod))


def _delete(fields: Fields) -> Step:
    return Delete(_full_name(fields, "delete", parts=2))


def _exit(fields: Fields) -> Step:
    return Exit(_full_name(fields, "exit", parts=3))


def _update(fields: Fields) -> Step:
    update = fields.section("update")
    if update is None:
        raise fields.wrong("update", "there is no container", "name one, with its resources")
    read = Update(_full_name(update, "container", parts=3), read_amounts(update))
    update.refuse_unknown()
    return read


def _configure(fields: Fields) -> Step:
    return Configure(fields.mapping("configure"))


def _restart(fields: Fields) -> Step:
    options = fields.section("restart")
    if options is not None:
        options.refuse_unknown()
    return Restart()


_READERS: Mapping[str, Callable[[Fields], Step]] = {
    "create": _create,
    "delete": _delete,
    "exit": _exit,
    "update": _update,
    "configure": _configure,
    "restart": _restart,
}


def _full_name(fields: Fields, key: str, *, parts: int) -> str:
    """A name of so many *parts*, or of one less in the namespace ``default``."""
    name = fields.scalar(key, "")
    given = name.split("/")
    if not all(given) or len(given) not in (parts - 1, parts):
        form = "[namespace/]pod/container" if parts > 2 else "[namespace/]pod"
        raise fields.wrong(key, "is no name", f"write {form}")
    return name if len(given) == parts else f"default/{name}"
