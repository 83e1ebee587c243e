#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until a kubelet is up and stays up; its own last error if it does not."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kubelet_up
short_description: Wait until a kubelet is up and stays up
version_added: 0.1.0
description:
  - Waits until the service runs and the kubelet says that it is healthy, and then for as long as
    O(stays_up_s) that it is still the same process. A kubelet that refuses its state files answers
    first and ends a second later.
  - If it does not stay up, the failure has the last error of the kubelet's own log, not that of
    systemd.
  - Nothing is changed and nothing is started.
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  unit:
    description:
      - The systemd service that runs the kubelet, without its suffix, such as V(rke2-agent).
    type: str
    default: kubelet
  healthz:
    description:
      - Where the kubelet tells that it is healthy. With an empty text, nobody is asked.
    type: str
    default: http://127.0.0.1:10248/healthz
  stays_up_s:
    description:
      - For how many seconds it has to stay up.
    type: float
    default: 20
  timeout_s:
    description:
      - After how many seconds the wait ends, O(stays_up_s) included.
    type: float
    default: 180
  ends_allowed:
    description:
      - How many early ends are forgiven, each one followed by a start by systemd.
    type: int
    default: 1
  since:
    description:
      - From when on the log tells of this start, in seconds since 1970, as
        RV(homenode.numa.kubelet_numa_config#module:written_at) has it. Without it, the last 5000
        lines are looked at.
    type: float
seealso:
  - module: homenode.numa.kubelet_log_reserved
"""

EXAMPLES = r"""
- name: Start the kubelet
  ansible.builtin.systemd_service:
    name: kubelet
    state: started

- name: See that it stays up
  homenode.numa.kubelet_up:
    stays_up_s: 30
"""

RETURN = r"""
unit:
  description: The service.
  type: str
  returned: always
up:
  description: Whether it stayed up.
  type: bool
  returned: always
waited_s:
  description: Seconds until that was known.
  type: float
  returned: always
ends:
  description: How often the kubelet has ended meanwhile.
  type: int
  returned: always
last_error:
  description: The kubelet's own last error. Empty if its log has none.
  type: str
  returned: failure
reservation:
  description:
    - What the error says of reserved memory, as M(homenode.numa.kubelet_log_reserved) returns it.
      Null if it is about something else.
  type: dict
  returned: failure
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

from ansible_collections.homenode.numa.plugins.module_utils.kubelet_log_text import MIB, own_file
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_service import look, runner
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_watch import Look, Watch
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet import log

ARGUMENTS: dict[str, Any] = {
    "unit": {"type": "str", "default": "kubelet"},
    "healthz": {"type": "str", "default": "http://127.0.0.1:10248/healthz"},
    "stays_up_s": {"type": "float", "default": 20.0},
    "timeout_s": {"type": "float", "default": 180.0},
    "ends_allowed": {"type": "int", "default": 1},
    "since": {"type": "float"},
}
PAUSE_S = 0.5
LINES = 5000


def healthy(url: str) -> bool:
    """Whether the kubelet says so; true where nobody is to be asked."""
    if not url:
        return True
    try:
        return bool(open_url(url, timeout=2, use_proxy=False).getcode() == 200)
    except (OSError, ValueError):
        return False


def kubelet_process(unit: str, proc: Path = Path("/proc")) -> int:
    """The id of the kubelet below the service *unit*; 0 where it is the service, or not there."""
    for folder in proc.glob("[0-9]*"):
        try:
            if (folder / "comm").read_text(encoding="utf-8", errors="replace") != "kubelet\n":
                continue
            cgroup = (folder / "cgroup").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if any(line.endswith(f"/{unit}.service") for line in cgroup.splitlines()):
            return int(folder.name)
    return 0


def run(module: AnsibleModule) -> dict[str, Any]:
    """Watch until it is decided, or until the time is over."""
    given = module.params
    watch = Watch(given["stays_up_s"], given["ends_allowed"])
    ask = runner(module)
    began = time.monotonic()
    while True:
        service = look(given["unit"], ask)
        now = time.monotonic()
        process = kubelet_process(given["unit"])
        decided = watch.take(Look(now, service, process, healthy(given["healthz"])))
        late = now - began > given["timeout_s"]
        if decided or late:
            break
        time.sleep(PAUSE_S)
    failure = watch.failure
    if not decided:
        failure = f"not up for {given['stays_up_s']:g} s on end within {given['timeout_s']:g} s"
        failure += f", the service is {service.state}"
    return {
        "changed": False,
        "unit": given["unit"],
        "up": not failure,
        "waited_s": round(now - began, 1),
        "ends": watch.ends,
        "failure": failure,
    }


def last_error(module: AnsibleModule, ended: bool) -> dict[str, Any]:
    """What the kubelet's log says of its end; *ended* where one was seen."""
    since = module.params["since"]
    words = ["journalctl", "--quiet", "--no-pager", f"--lines={LINES}"]
    words += [f"--unit={module.params['unit']}.service"]
    words += [] if since is None else [f"--since=@{int(since)}"]
    text = runner(module)(words) + own_file([module.params["unit"]], MIB)
    found = log.last_failure(text, ended)
    if found is None:
        return {"last_error": "", "reservation": None}
    reservation = found.reservation
    return {
        "last_error": found.text,
        "reservation": None if reservation is None else reservation.as_dict(),
    }


def main() -> None:
    """The module's door."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    result = run(module)
    failure = result.pop("failure")
    if not failure:
        module.exit_json(**result)
    found = last_error(module, result["ends"] > 0)
    unit = module.params["unit"]
    words = found["last_error"] or "its log has no error"
    why = f"{failure}; in the kubelet's words: {words}; see journalctl --unit={unit}"
    module.fail_json(msg=f'unit "{unit}": {why}', **result, **found)


if __name__ == "__main__":
    main()
