# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask the agent's archive something on a node; documented in the module of the same name."""

from __future__ import annotations

import json
import shlex
from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.homenode.numa.plugins.plugin_utils.agent_remote import (
    DEFAULT_PYTHON,
    archive_on_node,
    node_sh,
)

VERBS = ("--version", "config", "explain", "facts", "probe", "simulate", "status")
"""The verbs that read and change nothing, which is why this also runs in check mode."""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Run one reading verb, from the installed archive or from one that goes away again."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """The door of the action: arguments in, one result out."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, given = self.validate_argument_spec(
            {
                "verb": {"type": "str", "required": True, "choices": list(VERBS)},
                "arguments": {"type": "list", "elements": "str", "default": []},
                "archive": {"type": "path", "default": ""},
                "python": {"type": "path", "default": DEFAULT_PYTHON},
            }
        )
        archive = archive_on_node(self, given["archive"], given["python"])
        words = [given["python"], "-I", archive, given["verb"], *given["arguments"]]
        status, out, error = node_sh(self, " ".join(shlex.quote(word) for word in words))
        result.update(changed=False, rc=status, stdout=out, stdout_lines=out.splitlines())
        try:
            result["json"] = json.loads(out)
        except ValueError:
            pass  # not every verb answers in JSON, and not always
        if status:
            result.update(failed=True, msg=error.strip() or out.strip() or f"exit status {status}")
        return result
