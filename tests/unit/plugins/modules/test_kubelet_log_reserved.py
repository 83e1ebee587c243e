# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module kubelet_log_reserved: from a file, from a journal, and where there is neither."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import testing
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.homenode.numa.plugins.module_utils.kubelet_log_text import own_file
from ansible_collections.homenode.numa.plugins.modules import kubelet_log_reserved

LINE = (
    'Oct 02 08:19:20 kube-1 kubelet[82]: E1002 08:19:20.1 82 run.go:72] "command failed"'
    ' err="failed to run Kubelet: '
    'the total amount \\"0\\" of type \\"memory\\" is not equal to the value'
    ' \\"8462Mi\\" determined by Node Allocatable feature"\n'
)


class Runner:
    """Runs the module in this process, on a machine whose programs are scripts."""

    def __init__(self, capsys: pytest.CaptureFixture[str], programs: Path) -> None:
        self._capsys, self.programs = capsys, programs

    def program(self, name: str, script: str) -> None:
        """A program that keeps its arguments in a file of its name and runs *script*."""
        place = self.programs / name
        place.write_text(f'#!/bin/sh\necho "$@" >> {place}.asked\n{script}\n')
        place.chmod(0o755)

    def asked(self, name: str) -> str:
        """The arguments so far."""
        return (self.programs / f"{name}.asked").read_text()

    def __call__(self, *, check: bool = False, **options: object) -> dict[str, Any]:
        patch = testing.patch_module_args({**options, "_ansible_check_mode": check})
        with patch, pytest.raises(SystemExit):
            kubelet_log_reserved.main()
        result: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return result


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Runner:
    """The module, on a machine that has no journal yet."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/bin")
    find = AnsibleModule.get_bin_path

    def get_bin_path(module: Any, name: str, *rest: Any) -> Any:
        if name in ("journalctl", "systemctl"):
            place = programs / name
            return str(place) if place.exists() else None
        return find(module, name, *rest)

    monkeypatch.setattr(AnsibleModule, "get_bin_path", get_bin_path)
    return Runner(capsys, programs)


@pytest.mark.parametrize("check", [False, True])
def test_a_file_tells_what_is_wanted(run: Runner, tmp_path: Path, check: bool) -> None:
    log = tmp_path / "kubelet.log"
    log.write_text(LINE)
    result = run(path=str(log), check=check)
    assert (result["found"], result["changed"], result["action"]) == (True, False, "set")
    assert (result["type"], result["have"], result["want"]) == ("memory", "0", "8462Mi")
    assert result["want_bytes"] == 8873050112
    assert result["errors"] == [
        'the total amount "0" of type "memory" is not equal to the value "8462Mi"'
        " determined by Node Allocatable feature"
    ]


def test_only_the_end_of_a_large_file_is_read(run: Runner, tmp_path: Path) -> None:
    log = tmp_path / "kubelet.log"
    log.write_text(LINE + "x" * (1 << 20) + "\n")
    assert run(path=str(log))["found"] is True
    assert run(path=str(log), max_mib=1)["found"] is False
    assert "max_mib" in run(path=str(log), max_mib=0)["msg"]


def test_the_journal_is_asked_for_the_units(run: Runner) -> None:
    run.program("journalctl", f"cat <<'END'\n{LINE}END")
    assert run(unit=["kubelet", "k3s.service"])["want"] == "8462Mi"
    asked = run.asked("journalctl")
    assert "--unit=kubelet.service --unit=k3s.service" in asked
    assert "--lines=20000" in asked


def test_a_quiet_journal_finds_nothing(run: Runner) -> None:
    run.program("journalctl", "")
    run.program("systemctl", "echo LoadState=loaded")
    result = run()
    assert (result["found"], result["errors"], "want" in result) == (False, [], False)


@pytest.mark.parametrize("there", [False, True])
def test_the_file_of_rke2_is_read_too(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    log = tmp_path / "kubelet.log"
    if there:
        log.write_text(LINE)
    monkeypatch.setattr(kubelet_log_reserved, "own_file", partial(own_file, path=log))
    run.program("journalctl", "")
    run.program("systemctl", "echo LoadState=loaded")
    assert run(unit=["rke2-server"])["found"] is there
    assert run(unit=["kubelet"])["found"] is False


FAILURES: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "no journal": ({}, {}, "this machine has no journalctl"),
    "no such service": (
        {"journalctl": "", "systemctl": "echo LoadState=not-found"},
        {"unit": ["kubelets"]},
        'unit "kubelets": is no service of this machine; name the service of the kubelet',
    ),
    "no systemd either": ({"journalctl": ""}, {}, "is no service of this machine"),
    "not allowed": ({"journalctl": "echo denied >&2; exit 1"}, {}, "cannot be read (denied)"),
    "no service named": ({}, {"unit": []}, "names no service"),
    "no such file": ({}, {"path": "/nowhere/kubelet.log"}, '"/nowhere/kubelet.log": is not there'),
    "a folder": ({}, {"path": "/"}, "is no file"),
}


@pytest.mark.parametrize(("programs", "options", "why"), FAILURES.values(), ids=FAILURES.keys())
def test_what_cannot_be_read_is_named(
    run: Runner, programs: dict[str, str], options: dict[str, Any], why: str
) -> None:
    for name, script in programs.items():
        run.program(name, script)
    result = run(**options)
    assert result["failed"] is True
    assert why in result["msg"]
    assert set(result["problems"][0]) == {"field", "value", "why", "remedy", "source"}
