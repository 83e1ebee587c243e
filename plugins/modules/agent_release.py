#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action plugin of the same name, which does all of the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_release
short_description: Switch a host to one of its releases of the node agent
version_added: 0.1.0
description:
  - Points the link C(current) at a release and the command at the archive there, and removes the
    releases that are no longer kept. Forward and back are the same.
  - A running agent goes on with the release that it was started from.
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  name:
    description:
      - The release, as P(homenode.numa.agent_archive#module) returns it.
    type: str
    required: true
  home:
    description:
      - The folder that holds the folder C(releases) and the link C(current).
    type: path
    required: true
  command:
    description:
      - The link by which people call the agent. Something else of that name is replaced.
    type: path
    required: true
  keep:
    description:
      - How many releases stay, the one in use included. The oldest ones go.
    type: int
    default: 3
"""

EXAMPLES = r"""
- name: Go back to a release that is still there
  homenode.numa.agent_release:
    name: 0.1.0-9f86d081884c
    home: /usr/lib/homenode
    command: /usr/local/bin/homenode
  notify: Restart homenode
"""

RETURN = r"""
removed:
  description: The releases that are no longer kept.
  type: list
  elements: str
  returned: success
  sample: [0.0.9-60303ae22b99]
"""
