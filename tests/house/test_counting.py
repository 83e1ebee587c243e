# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The counting of `make test`: nothing passes by accident."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import run
from tools import parts, steps
from tools.staging import stage
from tools.steps import Outcome, Skip, Step

JUNIT = """<testsuites><testsuite>{}</testsuite></testsuites>"""
PASSED = '<testcase classname="t" name="good"/>'
FAILED = '<testcase classname="t" name="bad"><failure message="no"/></testcase>'
ERROR = '<testcase classname="t" name="ugly"><error message="no"/></testcase>'
SKIPPED = '<testcase classname="t" name="later"><skipped message="no probe"/></testcase>'
NOTHING = '<testcase classname="t" name="none"><skipped>No tests applicable.</skipped></testcase>'


@pytest.fixture(autouse=True)
def _logs_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LOGS", tmp_path / "logs")


def outcome(step: Step) -> Outcome:
    return steps.run(step, "part", lambda line: None)


def sh(script: str, folder: Path, *, junit: str = "", limit_s: float = 20) -> Outcome:
    return outcome(Step("step", ("sh", "-c", script), cwd=folder, junit=junit, limit_s=limit_s))


def written(cases: str, folder: Path, code: int = 0) -> Outcome:
    """The outcome of a step that writes those cases and ends with that code."""
    (folder / "cases").write_text(JUNIT.format(cases))
    return sh(f"cp cases out.xml; exit {code}", folder, junit="*.xml")


def test_a_command_is_one_test(tmp_path: Path) -> None:
    assert sh("true", tmp_path).passed == 1
    assert sh("exit 3", tmp_path).failed == ("step: exit code 3",)


def test_cases_are_counted_by_their_kind(tmp_path: Path) -> None:
    done = written(PASSED + FAILED + ERROR + SKIPPED + NOTHING, tmp_path, code=1)
    assert done.passed == 1
    assert done.failed == ("t::bad", "t::ugly")
    assert done.skipped == ("t::later: no probe",)


def test_a_crash_after_good_cases_is_a_failure(tmp_path: Path) -> None:
    done = written(PASSED, tmp_path, code=139)
    assert (done.passed, done.failed) == (1, ("step: exit code 139",))


def test_no_case_is_a_failure(tmp_path: Path) -> None:
    assert written("", tmp_path).failed == ("step: no test found",)
    assert sh("true", tmp_path, junit="none/*.xml").failed == ("step: no test found",)


def test_skips_alone_are_not_a_pass(tmp_path: Path) -> None:
    done = written(SKIPPED, tmp_path)
    assert (done.passed, done.failed) == (0, ())


def test_cases_of_an_earlier_run_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "out.xml").write_text(JUNIT.format(PASSED))
    assert sh("true", tmp_path, junit="*.xml").failed == ("step: no test found",)


def test_stages_are_counted_beside_cases(tmp_path: Path) -> None:
    (tmp_path / "cases").write_text(JUNIT.format(PASSED))
    stages = r"\[(?P<name>[a-z]+)\] Executed: (?P<result>.+)$"
    script = "cp cases out.xml; echo '[make] Executed: Successful'; echo '[use] Executed: Failed'"
    step = Step("step", ("sh", "-c", script), cwd=tmp_path, junit="*.xml", stages=stages)
    assert outcome(step).passed == 2
    assert outcome(step).failed == ("use: Failed",)


def test_stages_without_a_case_are_not_enough(tmp_path: Path) -> None:
    stages = r"(?P<name>[a-z]+): (?P<result>.+)$"
    script = "echo make: Successful"
    step = Step("step", ("sh", "-c", script), cwd=tmp_path, junit="*.xml", stages=stages)
    assert outcome(step).failed == ("step: no test found",)


def test_a_missing_program_is_a_failure(tmp_path: Path) -> None:
    done = outcome(Step("step", ("no-such-program",), cwd=tmp_path))
    assert done.failed == ("step: no-such-program: No such file or directory",)


def test_what_only_prepares_can_fail_but_not_pass(tmp_path: Path) -> None:
    good = outcome(Step("step", ("true",), cwd=tmp_path, counted=False))
    bad = outcome(Step("step", ("false",), cwd=tmp_path, counted=False))
    assert (good.passed, good.failed) == (0, ())
    assert bad.failed == ("step: exit code 1",)


def test_the_time_limit_ends_children_too(tmp_path: Path) -> None:
    started = time.monotonic()
    done = sh("sleep 60 & echo $! > child; wait", tmp_path, limit_s=3)
    assert done.failed == ("step: not finished after 3 s",)
    assert time.monotonic() - started < 30
    assert not _runs((tmp_path / "child").read_text().strip())


def test_the_last_line_is_the_sum(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def good() -> Iterator[Step | Skip]:
        yield Step("good", ("true",))
        yield Skip("later", "no probe")

    def broken() -> Iterator[Step | Skip]:
        yield Step("good", ("true",))
        raise FileNotFoundError("what it needs")

    monkeypatch.setattr(run, "PARTS", {"good": good, "broken": broken})
    assert run.main([]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "2 passed, 1 failed"
    assert "FAILED  broken: FileNotFoundError: what it needs" in said
    assert "skipped later: no probe" in said
    assert run.main(["good"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 0 failed"


def test_skips_alone_do_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PARTS", {"later": lambda: iter([Skip("later", "no probe")])})
    assert run.main([]) == 1


def test_an_unknown_part_is_refused_with_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["no-such-part"]) == 2
    assert "there are: house, lint, unit, sanity, judge, molecule, lab" in capsys.readouterr().out


def test_an_ended_run_leaves_no_process(tmp_path: Path) -> None:
    program = (
        "import pathlib, runpy, sys, tools.parts as p, tools.steps as s;"
        f"s.LOGS = pathlib.Path('{tmp_path}');"
        f"sleep = 'echo $$ > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/pid; sleep 60';"
        "p.PARTS = {'x': lambda: [s.Step('s', ('sh', '-c', sleep))]};"
        "sys.argv = ['run.py']; runpy.run_path('run.py', run_name='__main__')"
    )
    tests = Path(__file__).resolve().parents[1]
    running = subprocess.Popen(
        [sys.executable, "-c", program], cwd=tests, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.terminate()
    assert running.wait(timeout=30) == 143
    assert not _runs((tmp_path / "pid").read_text().strip())


def test_every_test_belongs_to_a_part() -> None:
    root = Path(__file__).resolve().parents[2]
    found = (path.relative_to(root).as_posix() for path in (root / "tests").rglob("test_*.py"))
    folders = tuple(f"{folder}/" for folder in parts.TESTED)
    assert [path for path in found if not path.startswith(folders)] == []


def test_the_copy_follows_the_tree(tmp_path: Path) -> None:
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    tree.mkdir()
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    (tree / ".gitignore").write_text("ignored\n")
    for name in ("ignored", "new", "old"):
        (tree / name).write_text(name)
    stage(tree, copy)
    assert _names(copy) == [".gitignore", "new", "old"]
    (tree / "new").write_text("changed")
    (tree / "old").unlink()
    stage(tree, copy)
    assert _names(copy) == [".gitignore", "new"]
    assert (copy / "new").read_text() == "changed"


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".git")


def _runs(pid: str) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
