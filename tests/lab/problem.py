# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception of the lab: what went wrong and what to do about it."""

from __future__ import annotations


class LabProblem(Exception):
    """Something the lab cannot get past; `remedy` is what the reader can do."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}\n  remedy: {remedy}" if remedy else what)
        self.what = what
        self.remedy = remedy
