#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Switch containerd's NRI on by a drop-in, or take that back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: containerd_nri
short_description: Switch the NRI of containerd on, prove it, or take it back
version_added: 0.1.0
description:
  - NRI is the interface through which the node agent takes part in the creation of containers.
    containerd 1.7 has it switched off by default, 2.0 and newer have it on.
  - Where it is off, a drop-in is written that switches it on and repeats all other settings of NRI
    that are in force. The main file gets an import of this one drop-in, unless it has one already.
  - containerd judges the change on copies first, with C(containerd config dump). If the dump
    differs in more than NRI, nothing is written.
  - containerd is restarted only if a file has changed, or if its configuration says that NRI is on
    and yet nobody listens on the socket. Containers keep running meanwhile.
  - If containerd does not come back with a listening socket, the files and the service are put
    back as they were, and the task fails with what containerd's log says.
  - Where another runtime listens on the NRI socket already, there is nothing to do.
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
attributes:
  check_mode:
    support: full
    details: The plan is tried on copies, in check mode too.
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  state:
    description:
      - With V(present), NRI has to be on and somebody has to listen.
      - With V(absent), the drop-in goes, and with it everything that was added for its sake. An NRI
        that is on without the drop-in stays on.
    type: str
    choices: [present, absent]
    default: present
  service:
    description:
      - The systemd unit that runs containerd. It also tells which program and which main file.
    type: str
    default: containerd
  config:
    description:
      - The main file. If it is empty, it is the one that the unit names.
    type: path
    default: ""
  drop_in:
    description:
      - The drop-in.
    type: path
    default: /etc/containerd/conf.d/50-homenode-nri.toml
  restart:
    description:
      - Whether containerd may be restarted. If not, RV(restart_needed) tells that it has to be.
    type: bool
    default: true
  timeout:
    description:
      - The seconds that containerd has after a restart until somebody listens on the socket.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Switch NRI on, and restart containerd if that is needed
  homenode.numa.containerd_nri:

- name: Prepare it, and restart containerd in the next maintenance window
  homenode.numa.containerd_nri:
    restart: false

- name: Take it back
  homenode.numa.containerd_nri:
    state: absent
"""

RETURN = r"""
runtime:
  description: The runtime and its version.
  type: str
  returned: success
  sample: containerd 1.7.24
socket:
  description: The path of the NRI socket.
  type: str
  returned: success
  sample: /var/run/nri/nri.sock
enabled_before:
  description: Whether the configuration had NRI switched on before the task.
  type: bool
  returned: success
enabled:
  description: Whether it has now.
  type: bool
  returned: success
listening:
  description: Whether somebody listens on the socket now.
  type: bool
  returned: success
restarted:
  description: Whether containerd was restarted.
  type: bool
  returned: success
restart_needed:
  description: Whether containerd still has to be restarted for what the files say.
  type: bool
  returned: success
"""

import os
from pathlib import Path
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.homenode.numa.plugins.module_utils.containerd.daemon import (
    find,
    listens,
    others,
)
from ansible_collections.homenode.numa.plugins.module_utils.containerd.switch import (
    DEFAULT_SOCKET,
    Change,
    Switch,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

ARGUMENTS: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "service": {"type": "str", "default": "containerd"},
    "config": {"type": "path", "default": ""},
    "drop_in": {"type": "path", "default": "/etc/containerd/conf.d/50-homenode-nri.toml"},
    "restart": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 60},
}
SOCKETS = Path("/proc/net/unix")
NEW_FILE_MODE = 0o644


def put(module: AnsibleModule, path: Path, text: Optional[str]) -> None:
    """Replace a file in one step, its owner and mode kept, or remove it."""
    if text is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = not path.exists()
    unfinished = Path(module.tmpdir) / path.name
    unfinished.write_text(text, encoding="utf-8")
    module.atomic_move(os.fspath(unfinished), os.fspath(path))
    if new:
        path.chmod(NEW_FILE_MODE)


def without_containerd(module: AnsibleModule) -> dict[str, Any]:
    """A host where the unit does not exist: fine if somebody else offers NRI, or if NRI may go."""
    found = " or ".join(others(Path("/")))
    listening = listens(SOCKETS, DEFAULT_SOCKET)
    if module.params["state"] == "present" and not listening:
        raise HomenodeProblem(
            "service",
            module.params["service"],
            f"is no unit here, and nobody listens on {DEFAULT_SOCKET}",
            f"switch NRI on in {found} by hand; only containerd's own is built yet"
            if found
            else "install containerd, or give the name of its unit",
        )
    flags = dict.fromkeys(("enabled_before", "enabled", "listening"), listening)
    return {
        "changed": False,
        "runtime": found or "unknown",
        "socket": DEFAULT_SOCKET,
        **flags,
        "restarted": False,
        "restart_needed": False,
    }


def diff_of(change: Change) -> dict[str, str]:
    """One file for --diff."""
    headers = dict.fromkeys(("before_header", "after_header"), str(change.path))
    return {**headers, "before": change.before or "", "after": change.after or ""}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Find containerd, switch, report; the result is what the task returns."""
    given = module.params
    daemon = find(module.run_command, given["service"], given["config"])
    if daemon is None:
        return without_containerd(module)
    switch = Switch(
        daemon,
        Path(given["drop_in"]),
        run=module.run_command,
        put=lambda path, text: put(module, path, text),
        sockets=SOCKETS,
        timeout=given["timeout"],
    )
    report = switch.set(
        on=given["state"] == "present",
        may_restart=given["restart"],
        check_mode=module.check_mode,
    )
    return {
        "changed": bool(report.changes)
        or report.restarted
        or (module.check_mode and report.restart_needed and given["restart"]),
        "diff": [diff_of(change) for change in report.changes],
        "runtime": f"containerd {daemon.version}",
        "socket": report.socket,
        "enabled_before": report.enabled_before,
        "enabled": report.enabled,
        "listening": report.listening,
        "restarted": report.restarted,
        "restart_needed": report.restart_needed,
    }


def main() -> None:
    """The module's door."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        module.exit_json(**run(module))
    except HomenodeProblem as error:
        module.fail_json(msg=str(error), problem=error.problem.as_dict())
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
