# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: one verb, one line for a problem, and exit codes that scripts can use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import homenode
from fake_runtime.process import tree_environment
from fakes.cgroups import cgroup_of, make_cgroup, make_hierarchy
from fakes.hand_made import MACHINES
from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.cli import VERBS, main
from homenode.daemon.pid_file import PidFile
from homenode.enforce.undo import BeforeValue, UndoLog
from homenode.report.status import status
from model.workload import NOT_OURS

Capture = pytest.CaptureFixture[str]


def homenode_process(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "homenode", *words]
    return subprocess.run(
        command, env=tree_environment(), text=True, check=False, timeout=30, **more
    )


def test_the_version(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"homenode {homenode.__version__}\n"


def test_help_lists_every_verb(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert set(VERBS) <= set(text.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_help(capsys: Capture, verb: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert caught.value.code == 0
    assert "usage: homenode" in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["nonsense"], ["status", "--nonsense"], ["config"]])
def test_a_misuse_is_exit_2(capsys: Capture, words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_problem_is_exit_1_and_one_line(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text('{"pinning": {"pin_cpu": "maybe\\n\\u001b[2J"}}')
    assert main(["config", "check", "--config-file", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert err.startswith(f'homenode: {file}: pinning.pin_cpu "maybe')


def test_config_check_and_show(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text('{"journal": {"max_bytes": 4096}}')
    assert main(["config", "check", "--config-file", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: ok\n"
    assert main(["config", "show", "--config-file", str(file)]) == 0
    assert json.loads(capsys.readouterr().out) == {"journal": {"max_bytes": 4096}}


def test_config_check_says_what_is_read_and_not_obeyed(capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    spec = {"reservedResources": {"cpu": 1}, "log": {"debug": ["policy"]}}
    file.write_text(json.dumps({"pinning": {"policy": "topology-aware", "spec": spec}}))
    words = ["config", "check", str(file), "--pid-file", str(tmp_path / "pid")]
    assert main(words) == 0
    ok, note = capsys.readouterr().out.splitlines()
    assert ok == f"{file}: ok"
    assert note.startswith("note: pinning.spec.log 'debug': is not obeyed: ")
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [note["field"] for note in found["notes"]] == ["pinning.spec.log"]
    assert (found["obstacles"], found["moves"]) == ([], None)


def test_probe_of_a_recorded_machine(capsys: Capture) -> None:
    assert main(["probe", "--root", str(MACHINES / "8n.machine"), "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)["abilities"]}
    assert found["numa"]["present"] is True
    assert found["nri"]["present"] is None, "a recording cannot tell"
    assert main(["probe", "--root", str(MACHINES / "numa-off.machine")]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["ABILITY", "FOUND", "SO"]
    assert rows[1].split()[:2] == ["numa", "no"]


def test_probe_of_this_machine(capsys: Capture, tmp_path: Path) -> None:
    assert main(["probe", "--nri-socket", str(tmp_path / "none")]) == 0
    assert f"no {tmp_path}/none" in capsys.readouterr().out


def test_a_reader_that_leaves_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = homenode_process("probe", stdout=write, stderr=subprocess.PIPE)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_status_without_an_agent(capsys: Capture, tmp_path: Path) -> None:
    assert main(["status", "--pid-file", str(tmp_path / "pid")]) == 1
    assert "no agent runs here; start it: systemctl start homenode" in capsys.readouterr().err


class Served:
    """Files as a running agent has them."""

    def __init__(self, root: Path) -> None:
        make_hierarchy(root)
        self.node = FakeNode(machine(sockets(2, cores=4)))
        self.node.run("G2=web E=idle")
        for name, held in self.node.book.items():
            make_cgroup(root, cgroup_of(self.node.world.containers[name]), held)
        agent = {"version": "1", "pid": 1, "runtime": "connected to x", "problems": []}
        self.status = root / "status.json"
        self.status.write_text(json.dumps(status(self.node.world, agent)))
        self.options = ["--pid-file", str(root / "pid"), "--host-root", str(root)]


@pytest.fixture
def served(tmp_path: Path) -> Any:
    held = PidFile(str(tmp_path / "pid"))
    held.take()
    yield Served(tmp_path)
    held.release()


def test_status_of_a_running_agent(served: Served, capsys: Capture) -> None:
    assert main(["status", *served.options]) == 0
    text = capsys.readouterr().out
    assert "default/web/web" in text
    assert text.count("verified") == 2
    assert main(["status", "--json", *served.options]) == 0
    current = json.loads(capsys.readouterr().out)
    assert [one["verified"] for one in current["containers"]] == [True, True]


def test_a_status_that_is_not_there_yet(served: Served, capsys: Capture) -> None:
    served.status.write_text("{")
    assert main(["status", *served.options]) == 1
    assert "wait a second" in capsys.readouterr().err


def test_explain(served: Served, capsys: Capture) -> None:
    assert main(["explain", "web", *served.options]) == 0
    text = capsys.readouterr().out
    assert "decided  exclusive: node 0 has the most room" in text
    assert "not node 1: " in text


def test_explain_of_a_stranger_names_who_is_there(served: Served, capsys: Capture) -> None:
    assert main(["explain", "nobody", *served.options]) == 1
    assert "known: default/idle/idle, default/web/web" in capsys.readouterr().err


def test_undo_while_the_agent_runs_is_refused(served: Served, capsys: Capture) -> None:
    assert main(["undo", *served.options, "--state-dir", "/nowhere"]) == 1
    assert f"the agent runs as pid {os.getpid()}; stop it first" in capsys.readouterr().err


def test_undo(capsys: Capture, tmp_path: Path) -> None:
    words = ["--host-root", str(tmp_path), "--state-dir", str(tmp_path)]
    words += ["--pid-file", str(tmp_path / "pid"), "--nri-socket", str(tmp_path / "none")]
    assert main(["undo", *words]) == 0
    assert capsys.readouterr().out == "nothing to give back\n"
    value = BeforeValue("a", "default/a/a", "kubepods/gone", NOT_OURS)
    UndoLog(str(tmp_path / "undo.jsonl")).remember([value])
    assert main(["undo", *words]) == 0


def test_run_with_a_broken_configuration_starts_nothing(tmp_path: Path) -> None:
    done = homenode_process(
        "run", "--config-file", str(tmp_path / "none"), "--pid-file", str(tmp_path / "pid"),
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "pid").exists()
