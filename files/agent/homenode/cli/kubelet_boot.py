# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode kubelet-boot``: before the kubelet starts, take away state that the boot made useless.

The rules are those of ``model.kubelet.boot``. A file that goes is kept as a copy beside it. What is
told goes to the journal: a line for each file, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from typing import Any, Optional

from homenode.daemon.store import write_atomically
from homenode.linux.kubelet_processes import running
from host_files import open_host
from model.cpuset import CpuSet
from model.files import Files
from model.kubelet.boot import Boot, Decision, Remove, Situation, decide
from model.kubelet.state_files import NAMES
from model.problem import HomenodeProblem
from model.sysfs import read_machine

from . import options

STATE_DIR = "/var/lib/kubelet"
RECORD_DIR = "/var/lib/homenode-kubelet"
RECORD = "boot.json"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
COPIES = 3
"""So many copies of each file are kept, the latest."""
MAX_BYTES = 16 << 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Where the kubelet keeps its state, and where the last boot is recorded."""
    for name, default, text in (
        ("--state-dir", STATE_DIR, "the kubelet's state files"),
        ("--record", RECORD_DIR, "where the boot of the last look is recorded"),
    ):
        parser.add_argument(name, default=default, metavar="DIR", help=f"{text} ({default})")
    parser.add_argument("--dry-run", action="store_true", help="tell, and change nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options.add(parser, "--host-root")


def run(arguments: argparse.Namespace) -> int:
    """0 whatever was decided; a problem where something cannot be read or written."""
    files = open_host(arguments.host_root)
    record = os.path.join(arguments.record, RECORD)
    at = Situation(read_machine(files), _recorded(record), _boot_id(files), running(files))
    texts = {name: _text(os.path.join(arguments.state_dir, name)) for name in NAMES}
    decisions = decide(texts, at)
    kept = {} if arguments.dry_run else _carry_out(decisions, arguments.state_dir, at.now)
    _tell(decisions, kept, arguments)
    if not arguments.dry_run and at.now:
        _record(record, at)
    return 0


def _boot_id(files: Files) -> str:
    return (files.read(BOOT_ID) or "").strip()


def _recorded(path: str) -> Boot:
    """The boot of the last look; a record that makes no sense is none."""
    try:
        content = json.loads(_text(path) or "")
        return Boot(str(content["boot_id"]), CpuSet.parse(str(content["online"])))
    except (ValueError, TypeError, KeyError, RecursionError, HomenodeProblem):
        return Boot()


def _record(path: str, at: Situation) -> None:
    text = json.dumps({"boot_id": at.now, "online": str(at.machine.online)})
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        error = write_atomically(path, text + "\n", 0o644)
    except OSError as fault:
        error = fault
    if error is not None:
        why = f"cannot be written ({error.strerror})"
        raise HomenodeProblem("--record", path, why, "name a folder where root may write")


def _text(path: str) -> Optional[str]:
    """A file's text; None where there is none."""
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        raise HomenodeProblem("file", path, why, "run this as root") from None
    return "" if len(content) > MAX_BYTES else content.decode("utf-8", errors="replace")


def _carry_out(decisions: Mapping[str, Decision], folder: str, boot_id: str) -> dict[str, str]:
    """Move aside what goes; the copies by the name of the file."""
    kept = {}
    for name, decision in decisions.items():
        if not isinstance(decision, Remove):
            continue
        path = os.path.join(folder, name)
        prefix = f"{name}.homenode-boot-"
        kept[name] = os.path.join(folder, prefix + boot_id[:8])
        try:
            os.replace(path, kept[name])
            _forget_old(folder, prefix, kept[name])
        except OSError as error:
            why = f"cannot be moved aside ({error.strerror})"
            raise HomenodeProblem("file", path, why, "run this as root") from None
    return kept


def _forget_old(folder: str, prefix: str, latest: str) -> None:
    """Remove all copies but *latest* and those that were written last before it."""
    copies = [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith(prefix)]
    copies.remove(latest)
    for path in sorted(copies, key=lambda copy: os.stat(copy).st_mtime_ns)[: 1 - COPIES]:
        os.unlink(path)


def _tell(
    decisions: Mapping[str, Decision], kept: Mapping[str, str], arguments: argparse.Namespace
) -> None:
    told: dict[str, Any] = {
        name: {
            "goes": isinstance(decision, Remove),
            "reason": decision.reason,
            "kept": kept.get(name),
        }
        for name, decision in decisions.items()
    }
    if arguments.json:
        print(json.dumps({"dry_run": arguments.dry_run, "files": told}, indent=2))
        return
    for name, each in told.items():
        done = f"moved aside to {each['kept']}" if each["kept"] else "would be moved aside"
        path = os.path.join(arguments.state_dir, name)
        print(f"{path}: {done if each['goes'] else 'left alone'}: {each['reason']}")
