# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the test parts named on the command line, or all; the last line is `N passed, N failed`.

    python tests/run.py [house|lint|unit|sanity|molecule|lab …]

Logs and JUnit files go to build/test. The exit code is 0 only if something passed and nothing
failed.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator

from tools.parts import PARTS, Part
from tools.steps import Outcome, Skip, last_lines, run


def say(line: str) -> None:
    print(line, flush=True)


def outcomes(name: str, part: Part) -> Iterator[Outcome]:
    """Run a part's steps in turn; what it can not even prepare is a failure of its own."""
    try:
        for step in part():
            if isinstance(step, Skip):
                yield Outcome(step.name, skipped=(f"{step.name}: {step.why}",))
            else:
                yield run(step, name, say)
    except Exception as error:  # a door: whatever breaks a part must still be counted
        yield Outcome("preparation", failed=(f"{name}: {type(error).__name__}: {error}",))


def report(part: str, outcome: Outcome) -> None:
    say(outcome.line(part))
    for name in outcome.failed:
        say(f"{'':9} FAILED  {name}")
    for reason in outcome.skipped:
        say(f"{'':9} skipped {reason}")
    if outcome.failed and outcome.log:
        say(f"--- the end of {outcome.log}")
        say(last_lines(outcome.log))
        say("---")


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        say(f"no part named {', '.join(unknown)}; there are: {', '.join(PARTS)}")
        return 2
    started = time.monotonic()
    done: list[Outcome] = []
    for name in names or PARTS:
        for outcome in outcomes(name, PARTS[name]):
            report(name, outcome)
            done.append(outcome)
    passed = sum(outcome.passed for outcome in done)
    failed = [name for outcome in done for name in outcome.failed]
    skipped = [name for outcome in done for name in outcome.skipped]
    say(f"{time.monotonic() - started:.0f} s in all; {len(skipped)} skipped")
    for name in failed:
        say(f"FAILED  {name}")
    for name in skipped:
        say(f"skipped {name}")
    say(f"{passed} passed, {len(failed)} failed")
    return int(bool(failed) or not passed)


def end(number: int, _frame: object) -> None:
    """Leave by an exception, so that the running step's processes are ended too."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    sys.exit(main(sys.argv[1:]))
