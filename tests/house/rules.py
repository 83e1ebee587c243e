# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the house: each takes all sources and returns what breaks it, a line each."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from house import plan
from house.sources import AGENT, SHARED, Import, Source, imports, room_of

Finding = Iterator[str]

ROOMS = {room.name: room for room in plan.ROOMS}
SPDX = "SPDX-License" + "-Identifier:"  # in one piece it would be read as this file's own
PLUGINS = "ansible_collections.homenode.numa.plugins."
PACKED = ("homenode", "model", "host_files")
"""What the agent's archive holds."""


@dataclass(frozen=True)
class Rule:
    """A rule by name, with its reason for whoever breaks it."""

    name: str
    why: str
    check: Callable[[Source], Finding]

    def findings(self, sources: Sequence[Source]) -> list[str]:
        return [f"{line} ({self.why})" for source in sources for line in self.check(source)]


def in_a_known_room(source: Source) -> Finding:
    inside = source.path.startswith((AGENT, f"{SHARED}model/"))
    if inside and source.room not in ROOMS:
        yield source.at(1, f"room {source.room!r} is not in tests/house/plan.py")


def imports_as_planned(source: Source) -> Finding:
    room = ROOMS.get(source.room)
    if room is None or room.imports == plan.EVERYTHING:
        return
    for found in imports(source):
        for target in _rooms_of(found):
            own = f"{target}.".startswith(f"{room.name}.")
            if not own and target not in room.imports and target != "__init__":
                reason = f"{room.name} imports {', '.join(room.imports) or 'no room'}: {room.why}"
                yield source.at(found.line, f"imports {target}; {reason}")


def standard_library_only(source: Source) -> Finding:
    if not _is_packed(source):
        return
    for found in imports(source):
        top = found.module.split(".")[0]
        if not found.relative and top not in PACKED and top not in sys.stdlib_module_names:
            yield source.at(found.line, f"imports {top}")


def shared_is_relative(source: Source) -> Finding:
    if not source.path.startswith(SHARED):
        return
    for found in imports(source):
        top = found.module.split(".")[0]
        if not found.relative and top in ("ansible_collections", *PACKED):
            yield source.at(found.line, f"imports {found.module} by an absolute name")


def plugins_keep_their_side(source: Source) -> Finding:
    if not source.path.startswith(("plugins/", "tests/unit/plugins/")):
        return
    on_the_node = source.path.startswith(("plugins/modules/", SHARED))
    for found in imports(source):
        top = found.module.split(".")[0]
        if not found.relative and top in PACKED:
            yield source.at(found.line, f"imports {top} by its name in the archive")
        if on_the_node and found.module.startswith(f"{PLUGINS}plugin_utils"):
            yield source.at(found.line, "imports plugin_utils, which stay on the controller")


def agent_tests_keep_their_side(source: Source) -> Finding:
    if source.path.startswith(("files/agent/", "tests/unit/agent/", "tests/unit/model/")):
        for found in imports(source):
            if found.module.startswith("ansible_collections"):
                yield source.at(found.line, f"imports {found.module}")


def pure_rooms_import_nothing_impure(source: Source) -> Finding:
    if _is_pure(source):
        for found in imports(source):
            top = found.module.split(".")[0]
            if not found.relative and top in plan.IMPURE_IMPORTS:
                yield source.at(found.line, f"imports {top}: {plan.IMPURE_IMPORTS[top]}")


def pure_rooms_call_nothing_impure(source: Source) -> Finding:
    if _is_pure(source):
        for line, name in _calls(source):
            if name in plan.IMPURE_CALLS:
                yield source.at(line, f"calls {name}()")


def only_the_cli_prints(source: Source) -> Finding:
    if source.path.startswith(AGENT) and source.room not in plan.PRINTING_ROOMS:
        yield from (
            source.at(line, "calls print()") for line, name in _calls(source) if name == "print"
        )


def pure_values_are_frozen(source: Source) -> Finding:
    if _is_pure(source):
        for found in ast.walk(source.tree):
            if isinstance(found, ast.ClassDef):
                for decorator in map(ast.unparse, found.decorator_list):
                    if decorator.startswith("dataclass") and "frozen=True" not in decorator:
                        yield source.at(found.lineno, f"dataclass {found.name} is not frozen")


def broad_except_at_doors_only(source: Source) -> Finding:
    lines = source.text.splitlines()
    for handler in ast.walk(source.tree):
        if not isinstance(handler, ast.ExceptHandler) or not _is_broad(handler):
            continue
        if _raises_again(handler):
            continue
        at_a_door = any(source.path.startswith(door) for door in plan.BROAD_EXCEPT_DOORS)
        if not at_a_door and not source.is_test:
            yield source.at(handler.lineno, "catches everything and is not a door of the plan")
        elif "#" not in "".join(lines[handler.lineno - 1 : handler.body[0].lineno]):
            yield source.at(handler.lineno, "catches everything and does not say why")


def files_are_short(source: Source) -> Finding:
    lines = len(source.text.splitlines())
    limit = plan.MAX_LINES_OF_A_TEST if source.is_test else plan.MAX_LINES
    if lines > limit:
        yield source.at(limit, f"{lines} lines, at most {limit}")


def functions_are_short(source: Source) -> Finding:
    for found in ast.walk(source.tree):
        if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (found.end_lineno or found.lineno) - found.lineno + 1
            if lines > plan.MAX_FUNCTION_LINES:
                words = f"{found.name} has {lines} lines, at most {plan.MAX_FUNCTION_LINES}"
                yield source.at(found.lineno, words)


def names_say_something(source: Source) -> Finding:
    for line, name in _public_names(source):
        if name.lower() in plan.VAGUE_NAMES:
            yield source.at(line, f"{name!r} says nothing of what is in it")
        elif name.lower() in plan.AMBIGUOUS_NAMES and not source.is_test:
            yield source.at(line, f"{name!r}: say {plan.AMBIGUOUS_NAMES[name.lower()]}")


def names_pass_pylint(source: Source) -> Finding:
    for found in ast.walk(source.tree):
        name = found.arg if isinstance(found, ast.arg) else None
        if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store):
            name = found.id
        if name in plan.REFUSED_NAMES:
            yield source.at(getattr(found, "lineno", 1), f"{name!r}: say what it is")


def files_say_what_they_are(source: Source) -> Finding:
    if _is_packed(source) and source.text.strip() and not ast.get_docstring(source.tree):
        yield source.at(1, "no docstring")


def licence_is_in_the_header(source: Source) -> Finding:
    licence = "BSD-2-Clause" if source.path.startswith(SHARED) else "GPL-3.0-or-later"
    found = re.search(rf"^# {SPDX} (\S+)$", source.text, re.MULTILINE)
    if source.text.strip() and (found is None or found.group(1) != licence):
        yield source.at(1, f"no line '# {SPDX} {licence}'")


RULES = (
    Rule("known room", "a new room is a decision: name its imports and why", in_a_known_room),
    Rule("import table", "one direction of imports", imports_as_planned),
    Rule("standard library", "a node has nothing else", standard_library_only),
    Rule("shared is relative", "the same file has two names", shared_is_relative),
    Rule("plugin side", "one class under two names is two classes", plugins_keep_their_side),
    Rule("agent side", "one class under two names is two classes", agent_tests_keep_their_side),
    Rule("pure imports", "the same input gives the same answer", pure_rooms_import_nothing_impure),
    Rule("pure calls", "the same input gives the same answer", pure_rooms_call_nothing_impure),
    Rule("printing", "standard output belongs to the command line", only_the_cli_prints),
    Rule(
        "frozen values", "a value that changes under its reader is no value", pure_values_are_frozen
    ),
    Rule("broad except", "an error is raised deep and shown at a door", broad_except_at_doors_only),
    Rule("file length", "a file is read in one sitting", files_are_short),
    Rule("function length", "a function is seen at one look", functions_are_short),
    Rule("names", "a name is what a newcomer has", names_say_something),
    Rule("refused names", "ansible-test's pylint refuses them", names_pass_pylint),
    Rule("docstring", "each file says its purpose first", files_say_what_they_are),
    Rule("licence", "module_utils are BSD-2-Clause, all else is GPL", licence_is_in_the_header),
)


def _is_packed(source: Source) -> bool:
    return source.path.startswith((AGENT, f"{SHARED}model/", f"{SHARED}host_files.py"))


def _is_pure(source: Source) -> bool:
    return source.room in ROOMS and ROOMS[source.room].pure


def _rooms_of(found: Import) -> set[str]:
    """The rooms that an import reaches; `from homenode.enforce import steps` is `enforce.steps`."""
    reached = {room_of(f"{found.module}.{name}") for name in found.names} or {room_of(found.module)}
    ours = found.relative or found.module.split(".")[0] in PACKED
    return {room for room in reached if room and ours}


def _calls(source: Source) -> Iterator[tuple[int, str]]:
    for found in ast.walk(source.tree):
        if isinstance(found, ast.Call) and isinstance(found.func, ast.Name):
            yield found.lineno, found.func.id


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type else "BaseException"
    return bool({"Exception", "BaseException"} & set(re.findall(r"\w+", caught)))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _public_names(source: Source) -> Iterator[tuple[int, str]]:
    """The file's name and its folders', and what it defines at its top, without underscores."""
    for part in source.path[: -len(".py")].split("/"):
        yield 1, part
    for found in source.tree.body:
        if isinstance(found, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield found.lineno, found.name
