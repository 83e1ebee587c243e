# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An Ansible callback: every finished task that was not skipped, as a line of JSON in a file.

ANSIBLE_CALLBACK_PLUGINS=tests/tools/callback ANSIBLE_CALLBACKS_ENABLED=task_times
TASK_TIMES=FILE ansible-playbook …
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_times
type: notification
short_description: Write down how long each task took, and whether it reached the host
description: Lines of JSON with C(task), C(action), C(seconds) and C(on_node).
requirements: []
"""

STAYS_ON_THE_CONTROLLER = (
    "debug",
    "set_fact",
    "assert",
    "fail",
    "meta",
    "include_vars",
    "add_host",
)


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """What Ansible loads."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "task_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._began = 0.0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Write the line."""
        task = result._task
        action = str(task.action).rpartition(".")[2]
        line = {
            "task": str(task.name).rpartition(" : ")[2],
            "action": action,
            "seconds": time.perf_counter() - self._began,
            "on_node": action not in STAYS_ON_THE_CONTROLLER and not action.startswith("include"),
        }
        with open(os.environ["TASK_TIMES"], "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
