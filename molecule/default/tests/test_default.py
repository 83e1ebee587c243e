# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent as the roles have installed it, with real pods."""

from __future__ import annotations

import json
from typing import Any

import pytest
from guest_state import guest, processes_of_before, read_state, recorded
from testinfra.host import Host

CURRENT = "/usr/lib/homenode/current"
LATE = "default/late/main"

WAIT_FOR_ANOTHER = """\
f() {
  for try in $(seq 60); do
    if [ "$(cat /run/homenode/homenode.pid)" != "$1" ] &&
        homenode status --json | grep -q '"connected": true'; then return 0; fi
    sleep 0.5
  done 2>/dev/null
  return 1
}
f"""
"""Until another process than this pid has shaken hands with the runtime."""


def status(host: Host) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.check_output("homenode status --json"))
    return found


def container(seen: dict[str, Any], name: str) -> dict[str, Any]:
    found = [each for each in seen["containers"] if each["name"] == name]
    assert len(found) == 1, found
    return found[0]


def expanded(cpus: str) -> list[str]:
    """The single CPUs of a list such as 0-1,3."""
    ends = [part.split("-") for part in cpus.split(",")]
    return [str(cpu) for end in ends for cpu in range(int(end[0]), int(end[-1]) + 1)]


@pytest.fixture(scope="module")
def seen(host: Host) -> dict[str, Any]:
    """The status after one more pod was created; it stays for the uninstallation to deal with.

    Asked once, since each question starts a Python in the guest.
    """
    with guest().cri() as cri:
        cri.create_pod("late", cpu="1", memory="32Mi")
    return status(host)


def test_the_service_runs_and_comes_back_after_a_boot(host: Host) -> None:
    service = host.service("homenode")
    assert service.is_enabled
    assert service.is_running, host.check_output("journalctl -u homenode -n 30 --no-pager")


def test_the_service_has_no_capability(host: Host) -> None:
    pid = host.check_output("cat /run/homenode/homenode.pid")
    lines = host.check_output(f"grep ^Cap /proc/{pid}/status").splitlines()
    assert {line.split()[1] for line in lines} == {"0" * 16}


def test_the_service_is_in_its_sandbox(host: Host) -> None:
    properties = host.service("homenode").systemd_properties
    wanted = {
        "Type": "notify",
        "NoNewPrivileges": "yes",
        "PrivateNetwork": "yes",
        "ProtectSystem": "strict",
        "ProtectControlGroups": "yes",
        "WatchdogUSec": "30s",
        "MemoryMax": str(64 << 20),
        "TasksMax": "32",
    }
    assert {key: properties[key] for key in wanted} == wanted


def test_the_command_is_the_release_in_use(host: Host, seen: dict[str, Any]) -> None:
    version = host.check_output("homenode --version")
    assert version == f"homenode {seen['agent']['version']}"
    release = host.file(CURRENT).linked_to.rpartition("/")[2]
    digest = host.file(f"{CURRENT}/homenode.pyz").sha256sum
    assert release == f"{version.split()[1]}-{digest[:12]}"


def test_only_root_writes_where_the_agent_lives(host: Host) -> None:
    for path, mode in {
        CURRENT + "/homenode.pyz": 0o755,
        "/etc/homenode/homenode.json": 0o644,
        "/etc/homenode/homenode.json.d/50-cri_rm.json": 0o644,
        "/etc/systemd/system/homenode.service": 0o644,
        "/var/lib/homenode": 0o700,
    }.items():
        file = host.file(path)
        assert (file.user, file.mode) == ("root", mode), path


def test_runtime_and_agent_have_shaken_hands(seen: dict[str, Any]) -> None:
    agent = seen["agent"]
    assert agent["connected"] is True
    assert agent["runtime"].startswith("connected to containerd 1.7")
    assert agent["problems"] == []


def test_a_new_pod_lands_on_its_home_node(host: Host, seen: dict[str, Any]) -> None:
    found = container(seen, LATE)
    assert found["verified"] is True
    assert len(found["exclusive"].split(",")) == 1
    node = {"0": "0", "1": "0", "2": "1", "3": "1"}[found["actual"]["cpus"]]
    assert found["actual"]["mems"] == node
    said = host.check_output("homenode explain late")
    assert f"node {node}" in said


def test_a_pod_of_before_was_taken_in_without_a_restart(seen: dict[str, Any]) -> None:
    found = container(seen, "default/early/main")
    assert found["verified"] is True
    assert processes_of_before(read_state()) == processes_of_before(recorded())


def test_the_bystander_keeps_off_the_cpus_of_others(seen: dict[str, Any]) -> None:
    found = container(seen, "default/bystander/main")
    owned = expanded(seen["exclusive_cpus"])
    assert found["verified"] is True
    assert container(seen, LATE)["exclusive"] in owned
    assert not set(owned) & set(expanded(found["actual"]["cpus"]))


@pytest.mark.usefixtures("seen")
@pytest.mark.parametrize("how", ["systemctl restart homenode", "systemctl kill -s KILL homenode"])
def test_a_restart_moves_nobody(host: Host, how: str) -> None:
    before = read_state()["containers"]
    pid = host.check_output("cat /run/homenode/homenode.pid")
    host.check_output(how)
    host.check_output(f"{WAIT_FOR_ANOTHER} {pid}")
    assert read_state()["containers"] == before
