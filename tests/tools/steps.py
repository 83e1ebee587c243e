# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One step of a test part: a command, its log, and how its tests are counted.

A step with JUnit files counts the tests in them, and the lines of its log that tell of a stage;
any other is one test, passed on exit code 0.
A skipped test is neither passed nor failed: it is listed. A step whose command fails, or that
finds no test at all, never passes, whatever its files say.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build/test"
SHOWN_LINES = 40
NOT_APPLICABLE = "No tests applicable."
"""ansible-test's word for a check without a file to look at: nothing was left out."""

SAY_SOMETHING_EVERY_S = 30.0
GRACE_S = 10.0


@dataclass(frozen=True)
class Step:
    """A command with its arguments; *junit* is a glob below *cwd*, or "" to count as one test.

    *stages* is a pattern for lines of the log with the groups `name` and `result`; a stage has
    passed if its result is `Successful`. *counted* is false for what only prepares: it can fail
    but not pass.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = ROOT
    junit: str = ""
    stages: str = ""
    counted: bool = True
    limit_s: float = 600.0


@dataclass(frozen=True)
class Skip:
    """A step that can not run here, with the reason; it counts as nothing."""

    name: str
    why: str


@dataclass(frozen=True)
class Outcome:
    """What came of a step: how many passed, and the names of those that did not."""

    name: str
    passed: int = 0
    failed: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    seconds: float = 0.0
    log: Path | None = None

    def line(self, part: str) -> str:
        words = f"{self.passed:5} passed"
        if self.failed:
            words += f", {len(self.failed)} FAILED"
        if self.skipped:
            words += f", {len(self.skipped)} skipped"
        return f"{part:9} {self.name:28} {words:32} {self.seconds:7.1f} s"


def run(step: Step, part: str, say: Callable[[str], None]) -> Outcome:
    """Run one step to its end or its time limit; *say* gets a line whenever it takes long."""
    log = LOGS / f"{part}-{step.name.replace(' ', '-').replace(',', '').lower()}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for old in _junit_files(step):
        old.unlink()
    started = time.monotonic()
    with log.open("wb") as out:
        code = _execute(step, out.fileno(), lambda s: say(f"{part:9} {step.name:28} … {s:.0f} s"))
    seconds = time.monotonic() - started
    counted = _counted(step, code, log)
    return Outcome(step.name, *counted, seconds=seconds, log=log)


def last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-SHOWN_LINES:])


def _execute(step: Step, out: int, still_running: Callable[[float], None]) -> int | str:
    """The exit code, or why there is none. The whole process group ends with the step."""
    try:
        child = subprocess.Popen(
            step.command,
            cwd=step.cwd,
            env={**os.environ, **step.env},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return f"{step.command[0]}: {error.strerror}"
    started = time.monotonic()
    try:
        while True:
            left = started + step.limit_s - time.monotonic()
            try:
                return child.wait(timeout=min(SAY_SOMETHING_EVERY_S, max(left, 0)))
            except subprocess.TimeoutExpired:
                if left <= 0:
                    return f"not finished after {step.limit_s:.0f} s"
                still_running(time.monotonic() - started)
    finally:
        _end_group(child)


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """Ask every process of the group to end, once, then make it; none is left on return."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        number: int = ending
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline:
            child.poll()  # a child that has ended counts as a member until it is waited for
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                return
            number = 0  # from now on only ask whether there is anyone
            time.sleep(0.05)


def _counted(
    step: Step, code: int | str, log: Path
) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """(passed, failed, skipped) of a finished step."""
    trouble = () if code == 0 else (f"{step.name}: {_why(code)}",)
    if not step.junit:
        return (int(step.counted and not trouble), trouble, ())
    passed, failed, skipped = 0, [], []
    for path in _junit_files(step):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                failed.append(name)
            elif (skip := case.find("skipped")) is not None:
                why = skip.get("message") or (skip.text or "no reason given").strip()
                skipped += [] if why == NOT_APPLICABLE else [f"{name}: {why}"]
            else:
                passed += 1
    if not (passed or failed or skipped):
        failed = [f"{step.name}: no test found"]
    for stage in _stages(step, log):
        if stage["result"] == "Successful":
            passed += 1
        else:
            failed.append(f"{stage['name']}: {stage['result']}")
    if trouble and not failed:
        failed = list(trouble)
    return (passed, tuple(failed), tuple(skipped))


def _stages(step: Step, log: Path) -> Iterator[dict[str, str]]:
    if step.stages:
        for line in log.read_text(errors="replace").splitlines():
            if found := re.search(step.stages, line):
                yield found.groupdict()


def _why(code: int | str) -> str:
    return code if isinstance(code, str) else f"exit code {code}"


def _junit_files(step: Step) -> list[Path]:
    return sorted(step.cwd.glob(step.junit)) if step.junit else []
