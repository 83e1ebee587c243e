# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shipped, built as it is shipped: the agent as one file, the collection as a tarball."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from tools.staging import stage

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = "/usr/bin/env python3"


def build_agent(target: Path) -> str:
    """The archive as the role builds it, by the plugin's own file; its SHA-256 is the result."""
    path = ROOT / "plugins/plugin_utils/agent_archive.py"
    spec = importlib.util.spec_from_file_location("agent_archive", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can not be loaded")
    agent_archive = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(agent_archive)
    digest: str = agent_archive.build_archive(ROOT, target, interpreter=INTERPRETER)
    return digest


def build_collection(target: Path) -> Path:
    """The collection's tarball in the folder *target*, of what git would take and nothing else."""
    galaxy = Path(sys.prefix) / "bin/ansible-galaxy"
    done = subprocess.run(
        [str(galaxy), "collection", "build", "--force", f"--output-path={target}", str(stage())],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return Path(done.stdout.strip().rsplit(" ", maxsplit=1)[-1])
