# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Outcomes to where people look: journal, status, explanation, metrics.

Everything but ``journal`` is pure: it turns the status (a JSON-clean mapping that the daemon
writes) and live cgroup readings into text. Out of scope: reading the cgroups (``linux``).
"""
