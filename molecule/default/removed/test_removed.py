# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After the uninstallation the guest is what it was, and every pod still runs."""

from __future__ import annotations

import pytest
from guest_state import read_state, recorded


@pytest.fixture(scope="module")
def now() -> dict[str, list[str]]:
    return read_state()


def test_every_file_is_what_it_was(now: dict[str, list[str]]) -> None:
    assert sorted(set(now["files"]) ^ set(recorded()["files"])) == []


def test_every_container_of_before_has_what_it_had(now: dict[str, list[str]]) -> None:
    """CPUs, memory nodes and processes: none was moved, none was restarted."""
    assert sorted(set(recorded()["containers"]) - set(now["containers"])) == []


def test_no_container_is_left_narrowed(now: dict[str, list[str]]) -> None:
    everything = {tuple(line.split()[1:3]) for line in recorded()["containers"]}
    assert {tuple(line.split()[1:3]) for line in now["containers"]} == everything
