# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse and merge what the module of the same name has fetched from the node."""

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DEFAULT_VERSION,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import effective
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import plain
from ansible_collections.homenode.numa.plugins.plugin_utils.kubelet_documents import (
    as_sources,
    sources,
)


class ActionModule(ActionBase):  # type: ignore[misc]
    """The module reads, this understands: YAML is known here and perhaps not on the node."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """The door of the action: arguments in, one result out."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        found = self._execute_module(
            module_name="homenode.numa.kubelet_config_info", task_vars=task_vars
        )
        if found.get("failed"):
            return {**result, **found}
        try:
            return {**result, **_understood(plain(found), self._task.args)}
        except HomenodeProblem as error:
            return {
                **result,
                "failed": True,
                "msg": str(error),
                "problem": error.problem.as_dict(),
            }


def _understood(found: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    distribution = str(arguments.get("distribution") or "kubeadm")
    warnings = []
    if not found["version"]:
        warnings.append(f"no kubelet told its version, so the rules are those of {DEFAULT_VERSION}")
    parsed = sources(found, distribution, str(found["version"] or DEFAULT_VERSION))
    merged = effective(as_sources(parsed))
    return {
        "changed": False,
        "warnings": warnings,
        "running": found["running"],
        "config_dir": found["config_dir"],
        "sources": parsed,
        "effective": merged.as_dict(),
    }
