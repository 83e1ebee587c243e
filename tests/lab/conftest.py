# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes `lab` importable for its own tests, whatever the working folder, and loads its fixtures."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.fixtures import (
    _tests_before,
    guest,
    guest_kind,
    module_guest,
    pytest_collection_modifyitems,
    pytest_configure,
)
from lab.kubelet_fixtures import cluster, kube_node

__all__ = [
    "_tests_before",
    "cluster",
    "guest",
    "guest_kind",
    "kube_node",
    "module_guest",
    "pytest_collection_modifyitems",
    "pytest_configure",
]
