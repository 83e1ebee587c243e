#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does all of the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_query
short_description: Ask the node agent something, installed or not
version_added: 0.1.0
description:
  - Runs one verb of the node agent that only reads, and returns what it prints.
  - Where the agent is not installed, its archive is built on the controller, sent to the task's
    temporary folder on the host, run there and removed. Nothing else is written.
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
attributes:
  check_mode:
    support: full
    details: It runs in check mode too, since it changes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  verb:
    description:
      - What to ask.
    type: str
    required: true
    choices: ["--version", config, explain, facts, probe, simulate, status]
  arguments:
    description:
      - What follows the verb.
    type: list
    elements: str
    default: []
  archive:
    description:
      - The archive on the host. If it is empty or there is no such file, a temporary copy is used.
    type: path
    default: ""
  python:
    description:
      - The Python on the host that runs the archive.
    type: path
    default: /usr/bin/python3
"""

EXAMPLES = r"""
- name: See the machine as the agent sees it, without installing anything
  homenode.numa.agent_query:
    verb: facts
    arguments: [--json]
  register: machine

- name: Wait until the runtime and the agent have shaken hands
  homenode.numa.agent_query:
    archive: /usr/lib/homenode/current/homenode.pyz
    verb: status
    arguments: [--json]
  register: agent_status
  until: agent_status.json.runtime.connected | default(false)
  retries: 10
  delay: 1
"""

RETURN = r"""
rc:
  description: The exit status of the verb.
  type: int
  returned: always
  sample: 0
stdout:
  description: What it printed.
  type: str
  returned: always
  sample: homenode 0.1.0
stdout_lines:
  description: The same, line by line.
  type: list
  elements: str
  returned: always
  sample: [homenode 0.1.0]
json:
  description: The same, parsed.
  type: raw
  returned: if it is JSON
"""
