# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module numa_facts: the facts of recorded machines, the local fact, failures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import testing

from ansible_collections.homenode.numa.plugins.module_utils import _resources
from ansible_collections.homenode.numa.plugins.module_utils.host_files import open_host
from ansible_collections.homenode.numa.plugins.module_utils.model.facts import machine_facts
from ansible_collections.homenode.numa.plugins.module_utils.model.sysfs import read_machine
from ansible_collections.homenode.numa.plugins.modules import numa_facts

MACHINES = Path(__file__).resolve().parents[3] / "machines"
HYBRID = MACHINES / "hybrid.machine"


class Runner:
    """Runs the module as Ansible does, but in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *, check: bool = False, **options: object) -> dict[str, Any]:
        arguments = {name: str(value) for name, value in options.items()}
        patch = testing.patch_module_args({**arguments, "_ansible_check_mode": check})
        with patch, pytest.raises(SystemExit) as ended:
            numa_facts.main()
        result: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        assert bool(ended.value.code) == bool(result.get("failed"))
        return result


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    """The module, to be called with its options."""
    return Runner(capsys)


@pytest.mark.parametrize("machine", sorted(MACHINES.glob("*.machine")), ids=lambda file: file.stem)
def test_the_facts_are_those_of_the_model(machine: Path, run: Runner) -> None:
    result = run(root=machine)
    assert result["ansible_facts"] == {"numa": machine_facts(read_machine(open_host(str(machine))))}
    assert result["changed"] is False
    assert "resources" not in result


def test_the_live_machine_has_resources_where_psutil_is(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run()
    assert result["ansible_facts"]["numa"]["nodes"]
    assert ("resources" in result) == _resources.HAS_PSUTIL
    monkeypatch.setattr(_resources, "HAS_PSUTIL", False)
    assert "resources" not in run()


def test_resources_are_numbers() -> None:
    pytest.importorskip("psutil")
    figures = _resources.resource_figures()
    assert figures and figures["memory_available_bytes"] > 0 and figures["load_1m"] >= 0


def test_the_local_fact_is_written_once(run: Runner, tmp_path: Path) -> None:
    fact = tmp_path / "etc/ansible/facts.d/numa.fact"
    first, second = run(root=HYBRID, local_fact=fact), run(root=HYBRID, local_fact=fact)
    assert (first["changed"], second["changed"]) == (True, False)
    assert fact.stat().st_mode & 0o777 == 0o644
    assert json.loads(fact.read_text())["cpus"]["efficiency"] == "8-15"
    assert first["diff"]["before"] == ""
    assert first["diff"]["after"] == fact.read_text()
    assert second["diff"]["before"] == second["diff"]["after"]
    assert [path.name for path in fact.parent.iterdir()] == ["numa.fact"]


def test_check_mode_says_so_and_writes_nothing(run: Runner, tmp_path: Path) -> None:
    fact = tmp_path / "facts.d/numa.fact"
    result = run(root=HYBRID, local_fact=fact, check=True)
    assert result["changed"] is True
    assert '"efficiency": "8-15"' in result["diff"]["after"]
    assert not fact.parent.exists()


def test_the_local_fact_does_not_flap_with_free_memory(run: Runner, tmp_path: Path) -> None:
    fact = tmp_path / "numa.fact"
    busy = tmp_path / "busy.machine"
    busy.write_text(HYBRID.read_text().replace("50331648 kB", "7 kB"))
    quiet = run(root=HYBRID, local_fact=fact)
    later = run(root=busy, local_fact=fact)
    assert quiet["ansible_facts"] != later["ansible_facts"]
    assert later["changed"] is False
    assert "free" not in fact.read_text()


def test_the_local_fact_follows_the_machine(run: Runner, tmp_path: Path) -> None:
    fact = tmp_path / "numa.fact"
    run(root=HYBRID, local_fact=fact)
    assert run(root=MACHINES / "arm64.machine", local_fact=fact)["changed"] is True
    assert len(json.loads(fact.read_text())["nodes"]) == 2


def test_an_executable_local_fact_is_put_right(run: Runner, tmp_path: Path) -> None:
    """Ansible would run it instead of reading it."""
    fact = tmp_path / "numa.fact"
    run(root=HYBRID, local_fact=fact)
    fact.chmod(0o755)
    result = run(root=HYBRID, local_fact=fact)
    assert result["changed"] is True
    assert "(0755)" in result["diff"]["before_header"]
    assert fact.stat().st_mode & 0o777 == 0o644


def test_a_place_that_cannot_be_made(run: Runner, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(root=HYBRID, local_fact=tmp_path / "file/facts.d/numa.fact")
    assert result["problem"]["field"] == "local_fact"
    assert "name a place where the task may write" in result["msg"]


def test_nonsense_fails_with_file_value_and_remedy(run: Runner, tmp_path: Path) -> None:
    broken = tmp_path / "broken.machine"
    broken.write_text(HYBRID.read_text().replace("node0/cpulist\n  0-15", "node0/cpulist\n  zz"))
    result = run(root=broken, local_fact=tmp_path / "numa.fact")
    assert result["problem"]["field"] == "/sys/devices/system/node/node0/cpulist"
    assert result["problem"]["value"] == "zz"
    assert result["problem"]["remedy"] in result["msg"]
    assert not (tmp_path / "numa.fact").exists()


def test_no_machine_there(run: Runner) -> None:
    result = run(root="/nowhere")
    assert result["failed"] and "name the root folder of a Linux machine" in result["msg"]
