#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host offers to the agent and what of the agent is there, in one look."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_info
short_description: Look at what a host offers to the node agent and what of it is installed
version_added: 0.1.0
description:
  - One task instead of many, since the cost of a task is the connection and not the work.
  - It judges nothing. The role P(homenode.numa.agent#role) asserts what the agent needs.
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
attributes:
  check_mode:
    support: full
    details: It changes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  python:
    description:
      - The Python that is to run the agent. With V(auto), the first one on the host that is new
        enough is taken, the distribution's own first.
    type: str
    default: auto
  home:
    description:
      - The folder that holds the agent's releases and the link to the one in use.
    type: path
    default: /usr/lib/homenode
  config:
    description:
      - The agent's main configuration file.
    type: path
    default: /etc/homenode/homenode.json
  paths:
    description:
      - Paths to look for.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: See whether the agent could run here
  homenode.numa.agent_info:
  register: node

- name: Refuse a host without cgroup v2
  ansible.builtin.assert:
    that: node.cgroup == 'v2'
"""

RETURN = r"""
python:
  description: The Python that can run the agent. If none is new enough, the path is empty and the
    version is the one of the first Python that was met.
  type: dict
  returned: always
  sample: {path: /usr/bin/python3, version: 3.11.2}
systemd:
  description: The version of the systemd that runs the host, V(0) if something else does.
  type: int
  returned: always
  sample: 252
cgroup:
  description: How the control groups are mounted, V(v2), V(hybrid), V(v1) or V(none).
  type: str
  returned: always
  sample: v2
root:
  description: Whether the task has the privileges of root.
  type: bool
  returned: always
release:
  description: The name of the release in use, empty if there is none.
  type: str
  returned: always
  sample: 0.1.0-9f86d081884c
releases:
  description: The names of all installed releases, the newest first.
  type: list
  elements: str
  returned: always
drop_ins:
  description: The names of the configuration's drop-ins, without C(.json).
  type: list
  elements: str
  returned: always
  sample: [50-cri_rm]
existing:
  description: Those of O(paths) that exist.
  type: list
  elements: str
  returned: always
"""

import os
import re
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

OLDEST_PYTHON = (3, 9)
CANDIDATES = (
    "/usr/bin/python3",
    "/usr/libexec/platform-python",
    *(f"/usr/bin/python3.{minor}" for minor in range(14, 8, -1)),
    "/usr/local/bin/python3",
)
TELL_VERSION = "import sys; print('.'.join(map(str, sys.version_info[:3])))"


def python_of(module: AnsibleModule, wanted: str) -> dict[str, str]:
    """The interpreter to use and its version; no path if none is new enough, but what was met."""
    met = ""
    for path in CANDIDATES if wanted == "auto" else (wanted,):
        if not os.access(path, os.X_OK):
            continue
        status, out, _error = module.run_command([path, "-I", "-c", TELL_VERSION])
        numbers = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", out.strip())
        if status or not numbers:
            continue
        met = met or numbers.group(0)
        if (int(numbers.group(1)), int(numbers.group(2))) >= OLDEST_PYTHON:
            return {"path": path, "version": numbers.group(0)}
    return {"path": "", "version": met}


def systemd_version(module: AnsibleModule) -> int:
    """0 where systemd is installed but something else is process 1, as in most containers."""
    if not Path("/run/systemd/system").is_dir():
        return 0
    _status, out, _error = module.run_command(["systemctl", "--version"])
    number = re.match(r"systemd (\d+)", out)
    return int(number.group(1)) if number else 0


def cgroup_mounts(mountinfo: str) -> str:
    """Which hierarchies are below /sys/fs/cgroup, by /proc/self/mountinfo."""
    at: dict[str, str] = {}
    for line in mountinfo.splitlines():
        head, _dash, tail = line.partition(" - ")
        if len(head.split()) > 4 and tail:
            at[head.split()[4]] = tail.split()[0]
    if at.get("/sys/fs/cgroup") == "cgroup2":
        return "v2"
    if "cgroup" not in at.values():
        return "none"
    return "hybrid" if "cgroup2" in at.values() else "v1"


def releases_in(folder: Path) -> list[str]:
    """The names of the releases, the newest first."""
    found = [path for path in folder.glob("*-*") if path.is_dir()]
    return [path.name for path in sorted(found, key=lambda path: -path.stat().st_mtime)]


def run(module: AnsibleModule) -> dict[str, Any]:
    """One look; the result is what the task returns."""
    home, config = Path(module.params["home"]), Path(module.params["config"])
    current = home / "current"
    return {
        "changed": False,
        "python": python_of(module, module.params["python"]),
        "systemd": systemd_version(module),
        "cgroup": cgroup_mounts(Path("/proc/self/mountinfo").read_text(encoding="utf-8")),
        "root": os.geteuid() == 0,
        "release": os.path.basename(os.readlink(current)) if current.is_symlink() else "",
        "releases": releases_in(home / "releases"),
        "drop_ins": sorted(
            path.stem for path in config.with_name(config.name + ".d").glob("*.json")
        ),
        "existing": [path for path in module.params["paths"] if os.path.lexists(path)],
    }


def main() -> None:
    """The module's door."""
    module = AnsibleModule(
        argument_spec={
            "python": {"type": "str", "default": "auto"},
            "home": {"type": "path", "default": "/usr/lib/homenode"},
            "config": {"type": "path", "default": "/etc/homenode/homenode.json"},
            "paths": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(module))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
