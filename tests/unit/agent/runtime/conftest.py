# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A socket, and our plugin on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_runtime.in_process import Served


@pytest.fixture
def nri_socket(tmp_path: Path) -> Path:
    return tmp_path / "nri.sock"


@pytest.fixture
def served(nri_socket: Path) -> Iterator[Served]:
    with Served(nri_socket) as one:
        yield one
