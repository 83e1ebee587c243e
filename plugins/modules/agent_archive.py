#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does all of the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_archive
short_description: Put the node agent on a host as one verified file
version_added: 0.1.0
description:
  - Packs the agent that comes with this collection into one archive, on the controller. The bytes
    of the archive depend on its sources only, so every controller builds the same one.
  - Copies it into a folder of its own, named after its version and digest, below O(dest). A release
    that is there already is never overwritten by another one.
  - Compares the SHA-256 of what arrived on the host with the one of what was built. If they differ,
    the copy is removed and the task fails; only the right bytes ever get the release's name.
  - It starts nothing and switches nothing over. The role P(homenode.numa.agent#role) does.
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: The archive is binary, so the diff names the release in use and the one to come.
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  dest:
    description:
      - The folder that holds one folder for each release.
      - A link C(current) beside it, if there is one, names the release in use for the diff.
    type: path
    required: true
  python:
    description:
      - The Python on the host that runs the archive. It becomes the archive's first line.
    type: path
    default: /usr/bin/python3
"""

EXAMPLES = r"""
- name: Copy the agent's archive
  homenode.numa.agent_archive:
    dest: /usr/lib/homenode/releases
  register: agent_archive

- name: Show where it is
  ansible.builtin.debug:
    msg: "{{ agent_archive.path }} has SHA-256 {{ agent_archive.sha256 }}"
"""

RETURN = r"""
version:
  description: The agent's version.
  type: str
  returned: success
  sample: 0.1.0
sha256:
  description: The SHA-256 of the archive, the same on the controller and on the host.
  type: str
  returned: success
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
release:
  description: The name of the folder below O(dest).
  type: str
  returned: success
  sample: 0.1.0-9f86d081884c
path:
  description: The archive on the host.
  type: str
  returned: success
  sample: /usr/lib/homenode/releases/0.1.0-9f86d081884c/homenode.pyz
"""
