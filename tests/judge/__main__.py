# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judge by hand: ``python -m judge build [--all]``, ``hear WORDS``, ``distributions``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from judge import answers, build, scenarios
from judge.court import Judge, facts
from judge.distributions import ON_NODES, Row, row
from judge.scenarios import Scenario, as_started


def main(arguments: list[str]) -> int:
    """The exit code of one command."""
    parser = argparse.ArgumentParser(prog="judge", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("build", help="build what the tests need, if it is not there")
    making.add_argument("--all", action="store_true", help="and an API server and etcd")
    hearing = commands.add_parser("hear", help="show what kubelet and filters say of scenarios")
    hearing.add_argument("words", help="a part of their names")
    commands.add_parser("distributions", help="a profile on each of them, as a table")
    given = parser.parse_args(arguments)
    try:
        if given.command == "build":
            return _build(given.all)
        return _hear(given.words) if given.command == "hear" else _distributions()
    except build.Unbuilt as error:
        print(error, file=sys.stderr)
        return 1


def _build(everything: bool) -> int:
    for program in build.ALL if everything else build.NEEDED:
        started = time.monotonic()
        place = build.built(program)
        print(f"{place} ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


def _hear(words: str) -> int:
    why = build.why_not()
    if why is not None:
        print(why, file=sys.stderr)
        return 1
    for version in (build.NEW, build.OLD):
        wanted = [found for found in scenarios.load(version) if words in found.name]
        if wanted:
            with Judge(version) as judge:
                for scenario in wanted:
                    _show(scenario, judge)
    return 0


def _distributions() -> int:
    print("| node | kubelet | files written | reserved | kubelet | second run |")
    print("|---|---|---|---|---|---|")
    for version in (build.NEW, build.OLD):
        with Judge(version, places=1) as judge:
            for name in ON_NODES:
                with tempfile.TemporaryDirectory(prefix="judge-") as folder:
                    print(_line(name, row(name, version[1:], judge, Path(folder))), flush=True)
    return 0


def _line(name: str, found: Row) -> str:
    files = ", ".join(f"`{path}`" for path in found.files)
    verdict = "starts" if found.starts else found.reason
    again = "changes" if found.changed_again else "unchanged"
    return f"| {name} | {found.version} | {files} | {found.need} | {verdict} | {again} |"


def _show(scenario: Scenario, judge: Judge) -> None:
    case = scenarios.prepared(scenario, judge, {})
    outcome = judge.run(as_started(scenario, case))
    answer = answers.answer(case, facts(case.topology), scenario.version, scenario.distribution)
    print(f"{scenario.version}: {scenario.name}")
    print(f"  kubelet: {'starts' if outcome.starts else outcome.reason}")
    for key, value in answer.verdict.items():
        print(f"  filter, {key}: {value}")
    print(f"  filter, need: {answer.need or answer.why_no_need}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
