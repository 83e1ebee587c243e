# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode on an empty host has left nothing behind, and moved nobody."""

from __future__ import annotations

from guest_state import read_state, recorded


def test_no_file_has_changed() -> None:
    assert sorted(set(read_state()["files"]) ^ set(recorded()["files"])) == []


def test_no_container_has_changed() -> None:
    assert sorted(set(read_state()["containers"]) ^ set(recorded()["containers"])) == []
