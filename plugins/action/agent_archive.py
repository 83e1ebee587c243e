# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put the agent on a node as one file; documented in the module of the same name."""

from __future__ import annotations

import shlex
import tempfile
from typing import Any, Optional

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.homenode.numa.plugins.plugin_utils.agent_remote import (
    ARCHIVE_NAME,
    DEFAULT_PYTHON,
    Built,
    build,
    node_sh,
    transferred,
)

MODE = "0755"

# Three lines: the release in use, the wanted archive's digest, its mode; "-" for what is not there.
LOOK = """\
current=$(readlink {current}) && basename "$current" || echo -
sum=$(sha256sum {path} 2>/dev/null) && echo "${{sum%% *}}" || echo -
stat -c 0%a {path} 2>/dev/null || echo -
"""

WRONG_BYTES = 65  # EX_DATAERR of sysexits.h
INSTALL = """\
set -e
umask 022
mkdir -p {folder}
cp {received} {unfinished}
sum=$(sha256sum {unfinished})
if [ "${{sum%% *}}" != {sha256} ]; then
  rm -f {unfinished}
  echo "${{sum%% *}}"
  exit 65
fi
chmod {mode} {unfinished}
mv -f {unfinished} {path}
"""


class ActionModule(ActionBase):  # type: ignore[misc]
    """Build on the controller, copy if the node lacks it, and verify what arrived.

    Without a module, since each would cost as much as all of this together.
    """

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
                "dest": {"type": "path", "required": True},
                "python": {"type": "path", "default": DEFAULT_PYTHON},
            }
        )
        with tempfile.TemporaryDirectory() as folder:
            built = build(folder, given["python"])
            path = f"{given['dest']}/{built.release}/{ARCHIVE_NAME}"
            current, digest, mode = self._look(given["dest"], path)
            result.update(
                changed=(digest, mode) != (built.sha256, MODE),
                version=built.version,
                sha256=built.sha256,
                release=built.release,
                path=path,
            )
            if result["changed"]:
                result["diff"] = _diff(path, current, built)
                if not self._task.check_mode:
                    self._install(built, path)
        return result

    def _look(self, dest: str, path: str) -> list[str]:
        script = LOOK.format(current=shlex.quote(f"{dest}/../current"), path=shlex.quote(path))
        status, out, error = node_sh(self, script)
        lines = out.split()
        if status or len(lines) != 3:
            raise AnsibleActionFail(f"Could not look at {path} on the node: {error or out}")
        return lines

    def _install(self, built: Built, path: str) -> None:
        """Copy under another name; only the right bytes ever get the release's name."""
        received = transferred(self, built.path)
        script = INSTALL.format(
            received=shlex.quote(received),
            folder=shlex.quote(path.rpartition("/")[0]),
            path=shlex.quote(path),
            unfinished=shlex.quote(f"{path}.unfinished"),
            sha256=built.sha256,
            mode=MODE,
        )
        status, out, error = node_sh(self, script)
        if status == WRONG_BYTES:
            raise AnsibleActionFail(
                f"What arrived on the node has SHA-256 {out.strip()}, sent was {built.sha256}. "
                "It was removed again, and the release in use was not touched."
            )
        if status:
            raise AnsibleActionFail(f"{path} could not be written: {(error or out).strip()}")


def _diff(path: str, current: str, built: Built) -> dict[str, str]:
    """An archive is binary: a reader wants to know which release takes the place of which."""
    before = "" if current == "-" else f"release {current}\n"
    return {
        "before_header": "the agent in use",
        "before": before,
        "after_header": path,
        "after": f"release {built.release}\nsha256 {built.sha256}\n",
    }
