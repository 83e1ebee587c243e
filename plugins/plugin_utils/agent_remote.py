# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""The agent's archive seen from an action plugin: build it here, find it or try it on a node.

A release is named `<version>-<first 12 digits of the archive's SHA-256>`. An action that only
wants to run the archive gets it into the task's own temporary folder, which Ansible removes.

Out of scope: what the archive contains (agent_archive.py) and what is installed for good.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.homenode.numa.plugins.plugin_utils.agent_archive import (
    agent_version,
    build_archive,
)

COLLECTION_ROOT = Path(__file__).resolve().parents[2]
ARCHIVE_NAME = "homenode.pyz"
DEFAULT_PYTHON = "/usr/bin/python3"


@dataclass(frozen=True)
class Built:
    """The archive on the controller; *release* is the name of its folder on a node."""

    path: Path
    version: str
    sha256: str

    @property
    def release(self) -> str:
        """Version and digest in one name, so that two builds of one version can be kept."""
        return f"{self.version}-{self.sha256[:12]}"


def build(folder: str, python: str) -> Built:
    """Build the archive into *folder*, to be started by *python* on the node.

    The interpreter gets -I: neither the caller's directory nor PYTHON* variables choose what
    root imports.
    """
    target = Path(folder) / ARCHIVE_NAME
    try:
        sha256 = build_archive(COLLECTION_ROOT, target, interpreter=f"{python} -I")
        return Built(target, agent_version(COLLECTION_ROOT), sha256)
    except (OSError, ValueError) as error:
        raise AnsibleActionFail(f"The agent's archive could not be built: {error}") from error


def node_sh(action: Any, script: str) -> tuple[int, str, str]:
    """Run a few lines of POSIX shell on the node, with the task's privileges, without a module."""
    done = action._low_level_execute_command(f"/bin/sh -c {shlex.quote(script)}")
    return int(done["rc"]), str(done.get("stdout", "")), str(done.get("stderr", ""))


def archive_on_node(action: Any, archive: str, python: str) -> str:
    """The path on the node of *archive*, or of a copy of ours where it is not installed yet.

    The copy lies in the task's temporary folder and goes away with it.
    """
    if archive and node_sh(action, f"test -f {shlex.quote(archive)}")[0] == 0:
        return archive
    with tempfile.TemporaryDirectory() as folder:
        return transferred(action, build(folder, python).path)


def transferred(action: Any, local: Path) -> str:
    """The path of *local*'s copy in the task's temporary folder on the node."""
    shell = action._connection._shell
    if not shell.tmpdir:
        action._make_tmp_path()
    path: str = shell.join_path(shell.tmpdir, local.name)
    action._transfer_file(os.fspath(local), path)
    action._fixup_perms2((shell.tmpdir, path))
    return path
