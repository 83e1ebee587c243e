# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources as the rules see them: path, room, text and syntax tree, and what a file imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from house.plan import ROOMS

AGENT = "files/agent/homenode/"
SHARED = "plugins/module_utils/"
FOLDERS = ("files/agent", "plugins", "tests", "molecule")


@dataclass(frozen=True)
class Source:
    """One Python file; *room* is "" outside the agent and the shared model."""

    path: str
    text: str
    tree: ast.Module
    module: str
    room: str

    @property
    def is_test(self) -> bool:
        return self.path.startswith(("tests/", "molecule/"))

    def at(self, line: int, words: str) -> str:
        return f"{self.path}:{line}: {words}"


@dataclass(frozen=True)
class Import:
    """One imported module, absolute, as far as the statement tells; *names* are the from-names."""

    line: int
    module: str
    names: tuple[str, ...]
    relative: bool


def load(root: Path) -> list[Source]:
    """Every Python file of the house below *root*, sorted by path."""
    paths = (path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    return [read(root, path) for path in sorted(paths) if "__pycache__" not in path.parts]


def read(root: Path, path: Path) -> Source:
    name = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8")
    module = _module(name)
    return Source(name, text, ast.parse(text, name), module, _room(name, module))


def imports(source: Source) -> Iterator[Import]:
    """Every import statement, also those inside functions and for type checkers only."""
    for found in ast.walk(source.tree):
        if isinstance(found, ast.Import):
            for alias in found.names:
                yield Import(found.lineno, alias.name, (), relative=False)
        elif isinstance(found, ast.ImportFrom):
            names = tuple(alias.name for alias in found.names)
            module = _absolute(source, found.level, found.module or "")
            yield Import(found.lineno, module, names, relative=found.level > 0)


def room_of(module: str) -> str:
    """The room that a dotted name of the agent lies in; "" if the plan has none for it.

    The longest name wins, so `enforce.steps` is a room of its own within `enforce`.
    """
    inside = module[len("homenode.") :] if module.startswith("homenode.") else module
    known = [room.name for room in ROOMS if f"{inside}.".startswith(f"{room.name}.")]
    return max(known, key=len, default="")


def _module(path: str) -> str:
    """The name that a file is imported by: agent and shared model as in the archive."""
    for folder in ("files/agent/", SHARED, "tests/"):
        if path.startswith(folder):
            path = path[len(folder) :]
            break
    return path[: -len(".py")].replace("/", ".")


def _room(path: str, module: str) -> str:
    if path.startswith(AGENT):
        inside = module[len("homenode.") :]
        return room_of(inside) or inside.split(".", maxsplit=1)[0]
    if path.startswith(SHARED):
        return room_of(module)
    return ""


def _absolute(source: Source, level: int, module: str) -> str:
    if not level:
        return module
    package = source.module.split(".")[:-level]
    return ".".join([*package, module] if module else package)
