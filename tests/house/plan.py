# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of the house as data: rooms, who may import whom and why, doors, sizes, names.

To change the house, change this file in the same commit and say why there. The rules that read
it are in `rules.py`; `test_rules_bite.py` breaks each of them on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """A folder or file of the agent or of the shared model, by its dotted name.

    *imports*: the other rooms that it may import. *pure*: no clock, no logger, no files, no chance.
    """

    name: str
    imports: tuple[str, ...]
    why: str
    pure: bool = False


EVERYTHING = ("*",)

ROOMS = (
    Room("model", (), "what a machine and a workload are depends on nothing", pure=True),
    Room("host_files", (), "stands alone: it is a top-level module here and a module_util there"),
    Room("intent", ("model",), "what people ask is read without knowing what is", pure=True),
    Room(
        "world",
        ("model", "intent"),
        "what is and what was granted, beside what is asked",
        pure=True,
    ),
    Room(
        "pinning",
        ("model", "intent", "world"),
        "a policy names values from what is asked and what is, never a file or a runtime",
        pure=True,
    ),
    Room("locality", ("model", "intent", "world"), "a planner of moves moves nothing", pure=True),
    Room("idle", ("model", "intent", "world"), "a planner of page-outs moves nothing", pure=True),
    Room(
        "loop",
        ("model", "intent", "world", "pinning", "locality", "idle", "enforce.steps"),
        "daemon, simulate, explain and check mode all run this one function",
        pure=True,
    ),
    Room(
        "simulate",
        ("model", "intent", "world", "pinning", "loop"),
        "asks the policies as the loop does, about a machine that need not be there",
        pure=True,
    ),
    Room("linux", ("model", "host_files"), "one file per kernel interface, no policy in it"),
    Room("pages", ("model", "host_files", "world", "linux"), "the hands that carry out plans"),
    Room("pages.survey", ("model", "host_files", "linux"), "sees where pages are, plans nothing"),
    Room("runtime", ("model",), "emits facts and carries replies: knows no policy, no ledger"),
    Room(
        "bypass",
        ("model", "host_files", "linux", "runtime"),
        "the runtime's part where it has no NRI: cgroups that appear are facts, and it writes none",
    ),
    Room("kube", ("model",), "emits facts and carries exports; the node works without it"),
    Room(
        "enforce",
        ("model", "host_files", "world", "linux", "runtime", "pages.survey"),
        "the one room that writes placements, whichever way they go",
    ),
    Room(
        "enforce.steps",
        ("model", "world"),
        "the order of writes is decided without writing, so that simulate shows it",
        pure=True,
    ),
    Room("report", ("model", "host_files", "world", "kube"), "a sink: it tells and never decides"),
    Room("daemon", EVERYTHING, "wiring only"),
    Room("cli", EVERYTHING, "wiring only; the one room that writes text for people"),
    Room("__main__", EVERYTHING, "the way in"),
    Room("__init__", (), "holds the version: imported by everyone, so it imports no one"),
    Room("_build", (), "written into the archive by its builder"),
)

IMPURE_IMPORTS = {
    "asyncio": "has a clock and I/O",
    "concurrent": "starts threads",
    "ctypes": "calls the kernel",
    "glob": "reads folders",
    "io": "opens files",
    "logging": "a pure room returns its reasons",
    "mmap": "maps files",
    "multiprocessing": "starts processes",
    "os": "reads files, environment and clock",
    "pathlib": "reads files",
    "random": "chance comes in as an argument",
    "secrets": "chance comes in as an argument",
    "select": "waits",
    "selectors": "waits",
    "shutil": "writes files",
    "signal": "belongs to the daemon",
    "socket": "talks to others",
    "subprocess": "starts programs",
    "tempfile": "writes files",
    "threading": "one owner of World, and it is not here",
    "time": "now comes in as an argument",
    "uuid": "ids come in as arguments",
}

IMPURE_CALLS = ("open", "print", "input", "exec", "eval", "__import__", "breakpoint")

PRINTING_ROOMS = ("cli", "__main__")

BROAD_EXCEPT_DOORS = {
    "files/agent/homenode/cli": "the command line turns any fault into one line",
    "files/agent/homenode/daemon": "the top of each thread: a fault must not end the service",
    "files/agent/homenode/runtime/plugin.py": "the top of the runtime's thread",
    "files/agent/homenode/runtime/session.py": "a handler answers the runtime whatever happens",
}
"""Where `except Exception` may stand, each with a comment there. Cleaning up and raising again is
not catching, so it may stand anywhere; in tests a comment is enough."""

MAX_LINES = 400
MAX_LINES_OF_A_TEST = 600
MAX_FUNCTION_LINES = 80

VAGUE_NAMES = ("utils", "util", "manager", "helpers", "helper", "common", "misc")
REFUSED_NAMES = ("_", "foo", "bar", "baz", "toto", "tutu", "tata")
"""For variables and arguments; what is not used is `_what_it_is`."""

AMBIGUOUS_NAMES = {
    "node": "numa_node or kube_node",
    "zone": "memory_zone or kernel_zone",
    "pool": "topology pool or named pool",
}
