# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode facts``: the machine as the agent sees it, live or recorded; and how to record it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping

import homenode
from homenode.report.columns import aligned
from host_files import as_recording, open_host
from model.facts import machine_facts
from model.files import Files, RecordingFiles
from model.machine import Machine, NumaNode
from model.problem import HomenodeProblem
from model.sysfs import read_machine

ONE_FILE = ".machine"
_HEADINGS = ("NODE", "KIND", "PACKAGE", "CPUS", "MEMORY", "FREE", "HUGE PAGES", "DISTANCES")


def configure(parser: argparse.ArgumentParser) -> None:
    """JSON or a table, live or recorded; and where to record."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--root", default="/", metavar="PATH", help="a recorded machine: a folder or a file (/)"
    )
    parser.add_argument(
        "--record",
        metavar="PATH",
        help=f"keep what was read: in one file if PATH ends in {ONE_FILE}, else in a new folder",
    )


def run(arguments: argparse.Namespace) -> int:
    """0, or a problem that names the file that makes no sense or cannot be written."""
    files = RecordingFiles(open_host(arguments.root))
    machine = read_machine(files)
    if arguments.record:
        texts = dict(files.texts)
        _record(arguments.record, texts, f"recorded by homenode {homenode.__version__}{_on(files)}")
        print(f"homenode: {len(texts)} files recorded in {arguments.record}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(machine_facts(machine), indent=2))
    else:
        print(
            "\n".join([*_overview(machine), "", *aligned([_HEADINGS, *map(_row, machine.nodes)])])
        )
    return 0


def _on(files: Files) -> str:
    """The kernel that tells all this; nothing else about a machine is kept but what was read."""
    release = files.read("/proc/sys/kernel/osrelease")
    return f" on Linux {release.strip()}" if release else ""


def _record(path: str, texts: Mapping[str, str], title: str) -> None:
    try:
        if path.endswith(ONE_FILE):
            _write(path, as_recording(texts, title))
            return
        if os.path.isdir(path) and os.listdir(path):
            raise HomenodeProblem("--record", path, "is not empty", "name a folder to be made")
        for name, text in texts.items():
            _write(os.path.join(path, name.lstrip("/")), text)
    except OSError as error:
        why = f"cannot be written ({error.strerror})"
        raise HomenodeProblem("--record", path, why, "name a place where you may write") from None


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _overview(machine: Machine) -> list[str]:
    offline = machine.present - machine.online
    packages = [f"{package.id}: {package.cpus}" for package in machine.packages]
    dies = [f"{die.package}/{die.id}: {die.cpus}" for die in machine.dies]
    sizes = sorted(
        {f"L{cache.level} {_iec(cache.size_bytes)}" for cache in machine.last_level_caches}
    )
    caches = [str(cache.cpus) for cache in machine.last_level_caches]
    rows = {
        "NUMA nodes": f"{len(machine.nodes)}" if machine.numa else "no NUMA, one memory for all",
        "Memory": _iec(machine.memory_total_bytes),
        "CPUs online": f"{machine.online} ({len(machine.online)})",
        "CPUs offline": str(offline),
        "CPUs isolated": str(machine.isolated),
        "Performance CPUs": str(machine.performance_cpus),
        "Efficiency CPUs": str(machine.efficiency_cpus),
        "Threads per core": str(machine.threads_per_core),
        "Packages": " | ".join(packages),
        "Dies": " | ".join(dies) if len(dies) > len(packages) else "",
        "Last-level caches": f"{', '.join(sizes)}: {' | '.join(caches)}" if caches else "",
    }
    return aligned([(name, value) for name, value in rows.items() if value])


def _row(node: NumaNode) -> tuple[str, ...]:
    hugepages = [f"{size}: {p.free}/{p.total}" for size, p in node.hugepages.items() if p.total]
    return (
        str(node.id),
        node.kind,
        "-" if node.package is None else str(node.package),
        str(node.cpus) or "-",
        _iec(node.memory_total_bytes),
        _iec(node.memory_free_bytes),
        ", ".join(hugepages) or "-",
        " ".join(f"{distance:>2}" for distance in node.distances.values()),
    )


def _iec(size: int) -> str:
    """Three digits are enough for a person: 981 MiB, 15.6 GiB."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1000:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if value >= 100 or value == int(value) else f"{value:.1f} {unit}"
