# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Switch a node to one of its releases; documented in the module of the same name."""

from __future__ import annotations

import re
import shlex
from typing import Any, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.homenode.numa.plugins.plugin_utils.agent_remote import (
    ARCHIVE_NAME,
    node_sh,
)

# Two lines, "-" for a link that is not there, then the releases, the newest first.
LOOK = """\
readlink {current} || echo -
readlink {command} || echo -
ls -1t {releases} 2>/dev/null || :
"""

# A link is made under another name and moved, so that there is one at any moment.
LINK = "ln -sfn {target} {link}.new && mv -fT {link}.new {link}"


class ActionModule(ActionBase):  # type: ignore[misc]
    """Two links and a few folders to remove: one look, and one script if something differs."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        """The door of the action: arguments in, one result out."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _result, given = self.validate_argument_spec(
            {
                "name": {"type": "str", "required": True},
                "home": {"type": "path", "required": True},
                "command": {"type": "path", "required": True},
                "keep": {"type": "int", "default": 3},
            }
        )
        name, home = given["name"], given["home"]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+_-]*", name):
            raise AnsibleActionFail(f"name {name!r} is no release; use a folder's name")
        if given["keep"] < 1:
            raise AnsibleActionFail(f"keep {given['keep']}: the one in use stays, so at least 1")
        wanted = {
            f"{home}/current": f"releases/{name}",
            given["command"]: f"{home}/current/{ARCHIVE_NAME}",
        }
        links, releases = self._look(home, list(wanted))
        removed = [other for other in releases if other != name][given["keep"] - 1 :]
        steps = [
            LINK.format(target=shlex.quote(target), link=shlex.quote(link))
            for link, target in wanted.items()
            if links[link] != target
        ]
        steps += [f"rm -rf {shlex.quote(f'{home}/releases/{other}')}" for other in removed]
        result.update(changed=bool(steps), removed=removed)
        result["diff"] = {
            "before": _state(links, releases),
            "after": _state(wanted, [other for other in releases if other not in removed]),
        }
        if steps and not self._task.check_mode:
            status, out, error = node_sh(self, "set -e\n" + "\n".join(steps))
            if status:
                raise AnsibleActionFail(f"Not switched to {name}: {(error or out).strip()}")
        return result

    def _look(self, home: str, links: list[str]) -> tuple[dict[str, str], list[str]]:
        current, command = (shlex.quote(link) for link in links)
        releases = shlex.quote(f"{home}/releases")
        script = LOOK.format(current=current, command=command, releases=releases)
        status, out, error = node_sh(self, script)
        lines = out.splitlines()
        if status or len(lines) < len(links):
            raise AnsibleActionFail(f"Could not look at {home} on the node: {error or out}")
        return dict(zip(links, lines)), lines[len(links) :]


def _state(links: dict[str, str], releases: list[str]) -> str:
    lines = [f"{link} -> {target}" for link, target in links.items() if target != "-"]
    return "".join(f"{line}\n" for line in [*lines, *(f"release {name}" for name in releases)])
