# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The node agent: keeps every workload's CPUs and memory on its home NUMA node."""

from __future__ import annotations

__version__ = "0.1.0"
