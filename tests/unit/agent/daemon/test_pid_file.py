# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One agent per pid file; whoever comes second learns who came first."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_runtime.process import tree_environment
from homenode.daemon.pid_file import PidFile, holder
from model.problem import HomenodeProblem

HOLD = "import sys; from homenode.daemon.pid_file import PidFile; PidFile(sys.argv[1]).take();"


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "run" / "homenode.pid")


@pytest.fixture
def other(path: str) -> Iterator[int]:
    """The pid of another process that holds the file."""
    program = HOLD + "print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=tree_environment(),
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


def test_the_holder_is_known_while_it_holds(path: str) -> None:
    assert holder(path) is None
    mine = PidFile(path)
    mine.take()
    assert holder(path) == os.getpid()
    mine.release()
    assert holder(path) is None
    assert not os.path.exists(path)
    mine.release()


def test_the_second_is_refused_with_the_firsts_pid(path: str, other: int) -> None:
    with pytest.raises(HomenodeProblem, match=f"another agent runs here with pid {other}"):
        PidFile(path).take()
    assert holder(path) == other


def test_the_file_of_a_killed_agent_is_taken_over(path: str) -> None:
    program = HOLD + "import os; os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", program, path], env=tree_environment(), check=False)
    assert os.path.exists(path)
    assert holder(path) is None
    mine = PidFile(path)
    mine.take()
    assert holder(path) == os.getpid()
    mine.release()


def test_whoever_only_looks_keeps_nobody_out(path: str) -> None:
    """A status that is asked for in a loop must not refuse an agent its start."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            holder(path)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _time in range(50):
            mine = PidFile(path)
            mine.take()
            mine.release()
    finally:
        stop.set()
        looker.join()


def test_a_file_that_was_removed_while_we_waited_is_not_held(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a third agent would make a new one, and two would run."""
    mine, opened = PidFile(path), []
    really = os.open

    def opening(*arguments: object) -> int:
        handle = really(*arguments)  # type: ignore[arg-type]
        opened.append(handle)
        if len(opened) == 1:
            os.unlink(path)
        return handle

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", opening)
        mine.take()
    assert len(opened) == 2
    assert holder(path) == os.getpid()
    mine.release()


@pytest.mark.parametrize("place", ["/proc/none/x.pid", "/dev/null/x.pid"])
def test_a_folder_that_cannot_be_made_is_named(place: str) -> None:
    with pytest.raises(HomenodeProblem, match=place):
        PidFile(place).take()


def test_garbage_in_a_file_that_is_held(path: str) -> None:
    mine = PidFile(path)
    mine.take()
    Path(path).write_text("hello")
    assert holder(path) is None
    mine.release()
