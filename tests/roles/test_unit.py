# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The unit of the agent, as systemd itself judges it, without a systemd that runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

ROLE = Path(__file__).resolve().parents[2] / "roles/agent"
MOST_EXPOSED = 3.0

pytestmark = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="no systemd-analyze here (package systemd)"
)

VARIANTS: dict[str, dict[str, str]] = {
    "default": {},
    "metrics on a socket": {"agent_metrics_listen": "unix:/run/homenode/metrics.sock"},
    "metrics on a port": {"agent_metrics_listen": "127.0.0.1:9477"},
    "metrics in a file": {"agent_metrics_textfile": "/var/lib/node_exporter/homenode.prom"},
}


def rendered(folder: Path, **variables: str) -> Path:
    """The unit as the role would write it."""
    known: dict[str, Any] = {"ansible_managed": "Ansible managed"}
    for name in ("defaults", "vars"):
        known.update(yaml.safe_load((ROLE / name / "main.yml").read_text(encoding="utf-8")))
    known.update(variables, agent_node={"python": {"path": sys.executable}})
    environment = jinja2.Environment(
        trim_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["dirname"] = os.path.dirname
    template = environment.from_string((ROLE / "templates/homenode.service.j2").read_text())
    unit = folder / "homenode.service"
    unit.write_text(template.render(known))
    return unit


def analyzed(*words: str) -> str:
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("variant", VARIANTS)
def test_systemd_has_nothing_to_complain_about(tmp_path: Path, variant: str) -> None:
    unit = rendered(tmp_path, **VARIANTS[variant])
    complaints = analyzed("verify", "--man=no", str(unit)).splitlines()
    assert [line for line in complaints if unit.name in line] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_hardly_exposed(tmp_path: Path, variant: str) -> None:
    said = analyzed(
        "security", "--offline=yes", "--no-pager", str(rendered(tmp_path, **VARIANTS[variant]))
    )
    found = re.search(r"exposure level for homenode\.service: ([0-9.]+)", said)
    assert found
    assert float(found.group(1)) < MOST_EXPOSED


def test_a_reload_is_the_signal_that_the_agent_heeds(tmp_path: Path) -> None:
    lines = rendered(tmp_path).read_text().splitlines()
    assert [line for line in lines if line.startswith("ExecReload")] == [
        "ExecReload=/bin/kill -HUP $MAINPID"
    ]


def test_it_has_no_capability_at_all(tmp_path: Path) -> None:
    lines = rendered(tmp_path).read_text().splitlines()
    assert "CapabilityBoundingSet=" in lines
    assert not any(line.startswith("AmbientCapabilities") for line in lines)


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_a_port_opens_the_network_and_only_on_loopback(tmp_path: Path, variant: str) -> None:
    lines = rendered(tmp_path, **VARIANTS[variant]).read_text().splitlines()
    port = variant == "metrics on a port"
    assert ("PrivateNetwork=yes" in lines) is not port
    assert ("IPAddressDeny=any" in lines) is port
    assert ("IPAddressAllow=localhost" in lines) is port


def test_only_the_folder_of_the_textfile_becomes_writable(tmp_path: Path) -> None:
    lines = rendered(tmp_path, **VARIANTS["metrics in a file"]).read_text().splitlines()
    writable = [line for line in lines if line.startswith("ReadWritePaths")]
    assert writable == ["ReadWritePaths=/var/lib/node_exporter"]
