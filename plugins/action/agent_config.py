# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the module of the same name an archive to check with, on a node that has none yet."""

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.homenode.numa.plugins.plugin_utils.agent_remote import (
    DEFAULT_PYTHON,
    archive_on_node,
)


class ActionModule(ActionBase):  # type: ignore[misc]
    """The module does the work; it only needs to be told where an archive is."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """The door of the action: arguments in, one result out."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = self._task.args.copy()
        python = str(arguments.get("python") or DEFAULT_PYTHON)
        arguments["archive"] = archive_on_node(self, str(arguments.get("archive") or ""), python)
        done = self._execute_module(
            module_name="homenode.numa.agent_config", module_args=arguments, task_vars=task_vars
        )
        result.update(done)
        return result
