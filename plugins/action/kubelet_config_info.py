# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse and merge what the module of the same name has fetched from the node."""

from __future__ import annotations

from typing import Any, Optional

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet import remarks
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    DEFAULT_VERSION,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.destination import (
    Destination,
    elsewhere,
    rancher,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import effective
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import (
    HomenodeProblem,
    Problem,
)
from ansible_collections.homenode.numa.plugins.plugin_utils.filter_door import plain
from ansible_collections.homenode.numa.plugins.plugin_utils.kubelet_documents import (
    Reading,
    as_sources,
)

NO_VERSION = "no kubelet told its version, so the rules are those of"
SAID = ("running", "distribution", "distribution_why", "unit", "state_dir")


class Unreadable(Exception):
    """Files that a kubelet could not read either; they are all shown."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


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
        except Unreadable as error:
            problems = [problem.as_dict() for problem in error.problems]
            return {**result, "failed": True, "msg": str(error), "problems": problems}
        except HomenodeProblem as error:
            return {
                **result,
                "failed": True,
                "msg": str(error),
                "problem": error.problem.as_dict(),
            }


def _understood(found: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    version = str(found["version"] or DEFAULT_VERSION)
    reading = Reading(found)
    parsed = reading.sources(version)
    at = _destination(found, version, has_flags=bool(parsed["own_args"]))
    tolerated = boolean(arguments.get("tolerate_unreadable", False), strict=False)
    if reading.problems and not tolerated:
        raise Unreadable(reading.problems)
    warnings = [] if found["version"] else [f"{NO_VERSION} {DEFAULT_VERSION}"]
    merged, need = None, None
    if all(_is_checkpoint(problem, found) for problem in reading.problems):
        read = as_sources(parsed)
        merged = effective(read)
        need, why = remarks.need_or_why(merged, found["memory_total"])
        warnings += [*remarks.of_flags(read), *why]
    warnings += remarks.of_destination(found, parsed["own_args"], at)
    folder = at.config_dir if "rancher" in found else found["config_dir"]
    return {
        "changed": False,
        "warnings": warnings,
        **{key: found[key] for key in SAID},
        "config_dir": folder,
        "destination": at.as_dict(),
        "sources": parsed,
        "unreadable": [problem.as_dict() for problem in reading.problems],
        "effective": None if merged is None else merged.as_dict(),
        "need": need,
    }


def _destination(found: Any, version: str, *, has_flags: bool) -> Destination:
    unit, folder = found["unit"], found["dropin_dir"]
    if "rancher" in found:
        return rancher(found["distribution"], unit, version, folder, has_flags=has_flags)
    return elsewhere(unit, version, folder, found["command"])


def _is_checkpoint(problem: Problem, found: Any) -> bool:
    """Whether only a state file cannot be read, which takes no part in the configuration."""
    return problem.source in [f"{found['state_dir']}/{name}" for name in found["checkpoints"]]
