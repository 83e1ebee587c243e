# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible itself, run by a test against folders of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.staging import COLLECTIONS


class Ansible:
    """Runs one module or playbook of the collection against this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(folder / "ansible-home"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_REMOTE_TMP": str(folder / "remote"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        }

    def module(self, module: str, /, *flags: str, **options: object) -> dict[str, Any]:
        """One task; its result, whether it succeeded or not, and all that was "printed"."""
        words = ("ansible", "localhost", "-m", f"homenode.numa.{module}", "-a", json.dumps(options))
        said = self._run([*words, *flags])
        _host, arrow, result = said.partition(" => ")
        assert arrow, said
        parsed: dict[str, Any] = json.JSONDecoder().raw_decode(result)[0]
        return {**parsed, "printed": said}

    def playbook(self, tasks: Sequence[Mapping[str, object]], *flags: str) -> str:
        """A play of these tasks; what it printed, with the exit status as its last line."""
        play = {"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": tasks}
        path = self.folder / "play.json"
        path.write_text(json.dumps([play]))
        return self._run(["ansible-playbook", "-i", "localhost,", str(path), *flags])

    def _run(self, words: list[str]) -> str:
        words[0] = str(Path(sys.prefix) / "bin" / words[0])
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return f"{done.stdout}\n{done.stderr}\n{done.returncode}\n"
