# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the agent costs a node: memory beside a bare Python, CPU until it answers and per pod life.

Memory is Rss of /proc/PID/smaps_rollup; CPU is user and system time of the process.
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from fake_runtime.node import Node
from fake_runtime.process import ROOT

from .figures import Figure, median
from .nodes import AGENTS, MACHINE, OURS, node_python, populate, running_nodes

BENCH = "footprint"
RSS_BAR_MIB = 12.0
WHOLE_RSS_BAR_MIB = 25.0
CPU_BAR = 10.0
LIFE_CPU_BAR_MS = 3.0
LIFE_LOG_BAR_BYTES = 200.0
WARM_LIVES, MANY_LIVES = 1000, 2000
GROWTH_BAR_KIB = 512.0
"""Of the second thousand of lives; a leak of half a KiB a life would be found."""

CONTAINERS = 200
ARCHIVE = ROOT / "build/homenode.pyz"


def run(quick: bool) -> Iterator[Figure]:
    """RSS at 0 and 200 containers, CPU and log of a pod's life, then CPU to the first answer."""
    bare = bare_rss_mib()
    yield Figure(BENCH, "rss of a bare python", bare, "MiB")
    with running_nodes(*AGENTS) as nodes:
        for count in (0, CONTAINERS):
            for name, node in nodes.items():
                populate(node, count)
                time.sleep(0.2 if quick else 2.0)  # let files be written and read back
                of = {"agent": name, "containers": count}
                limit = RSS_BAR_MIB if name == "homenode" else None
                whole = rss_mib(node.agent.pid)
                yield Figure(BENCH, "rss over a bare python", whole - bare, "MiB", limit, of)
                most = WHOLE_RSS_BAR_MIB if name in OURS else None
                yield Figure(BENCH, "rss", whole, "MiB", most, of)
        for name, node in nodes.items():
            yield from _lives(name, node, 20 if quick else 100)
    yield from _growth(quick)
    yield from _cpu(3 if quick else 15)


def _growth(quick: bool) -> Iterator[Figure]:
    """What is left of many lives, once caches are full."""
    warm, many = (50, 100) if quick else (WARM_LIVES, MANY_LIVES)
    for name in OURS:
        with running_nodes(name) as nodes:
            node = nodes[name]
            _live(node, range(warm), "Guaranteed", 1)
            before = rss_mib(node.agent.pid)
            _live(node, range(warm, many), "Guaranteed", 1)
            grown = (rss_mib(node.agent.pid) - before) * 1024
        of = {"agent": name, "lives": many - warm}
        yield Figure(BENCH, "rss grown", grown, "KiB", None if quick else GROWTH_BAR_KIB, of)


def _live(node: Node, numbers: range, qos: str, cpu: float) -> None:
    """Pods that are made and removed, one after the other."""
    for number in numbers:
        pod = node.runtime.run_pod(f"life-{number}", qos=qos)
        node.runtime.create_container(pod, "app", cpu=cpu)
        node.runtime.remove_pod(pod)


def _lives(name: str, node: Node, lives: int) -> Iterator[Figure]:
    """CPU and written log of one pod's life beside CONTAINERS others."""
    time.sleep(0.5)  # what went before is written and read back
    cpu, log = cpu_s(node.agent.pid), _log_bytes(node)
    _live(node, range(lives), "Burstable", 0.25)
    time.sleep(0.5)
    of = {"agent": name, "containers": CONTAINERS, "n": lives}
    ours = name in OURS
    spent = (cpu_s(node.agent.pid) - cpu) * 1000 / lives
    yield Figure(BENCH, "cpu of a pod's life", spent, "ms", LIFE_CPU_BAR_MS if ours else None, of)
    size = (_log_bytes(node) - log) / lives
    yield Figure(BENCH, "log of a pod's life", size, "B", LIFE_LOG_BAR_BYTES if ours else None, of)


def _log_bytes(node: Node) -> int:
    """What the process said, as a service's log would get it."""
    return len(node.agent.output().encode())


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Rss")) / 1024


def bare_rss_mib() -> float:
    """Resident memory of a Python that does nothing."""
    command = [node_python(), "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = rss_mib(process.pid)
        process.communicate(b"\n")
    return found


def _cpu(rounds: int) -> Iterator[Figure]:
    """CPU from spawn to the first answered CreateContainer, over a bare Python's whole life."""
    commands = {"tree": [node_python(), "-m", "homenode", "run"]}
    if _archive_is_current():
        commands["archive"] = [node_python(), str(ARCHIVE), "run"]
    bare: list[float] = []
    ours: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        bare_s = _bare_cpu_s()
        ours_s = {name: _first_answer_cpu_s(command) for name, command in commands.items()}
        if number:  # the first round only warms the caches
            bare.append(bare_s)
            for name, seconds in ours_s.items():
                ours[name].append(seconds)
    yield Figure(BENCH, "cpu of a bare python", median(bare) * 1000, "ms", of={"n": rounds})
    for name, values in ours.items():
        of = {"from": name, "n": rounds}
        yield Figure(BENCH, "cpu to first answer", median(values) * 1000, "ms", of=of)
        ratio = median(values) / median(bare)
        yield Figure(BENCH, "cpu to first answer over bare", ratio, "ratio", CPU_BAR, of)


def _archive_is_current() -> bool:
    """Whether ``make build`` ran since the agent's sources changed."""
    sources = [
        *(ROOT / "files/agent").rglob("*.py"),
        *(ROOT / "plugins/module_utils").rglob("*.py"),
    ]
    newest = max(path.stat().st_mtime for path in sources)
    return ARCHIVE.exists() and ARCHIVE.stat().st_mtime >= newest


def cpu_s(pid: int) -> float:
    """CPU of all threads so far, in seconds; finer than the clock ticks of /proc/PID/stat."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _bare_cpu_s() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([node_python(), "-c", "pass"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _first_answer_cpu_s(command: list[str]) -> float:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="homenode-bench-"))
        node = stack.enter_context(Node(Path(folder), MACHINE, command=command))
        node.start()
        node.runtime.create_container(node.runtime.run_pod("first"), "app", cpu=1)
        return cpu_s(node.agent.pid)
