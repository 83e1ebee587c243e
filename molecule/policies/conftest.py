# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets the tests import what lies beside the default scenario's playbooks."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = str(Path(__file__).resolve().parents[1] / "default")
if HERE not in sys.path:
    sys.path.insert(0, HERE)
