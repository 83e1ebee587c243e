# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of roles and actions that need no guest: each runs Ansible itself, on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
for _folder in (str(ROOT / "tests"), str(ROOT / "plugins/module_utils")):
    if _folder not in sys.path:
        sys.path.insert(0, _folder)

from roles.local_ansible import Ansible  # noqa: E402  (needs the path above)
from tools.staging import stage  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def _staged() -> None:
    """Ansible finds a collection by its path only, so it gets a copy of this checkout."""
    stage()


@pytest.fixture
def ansible(tmp_path: Path) -> Ansible:
    """Ansible with folders of its own."""
    return Ansible(tmp_path)
