# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which runtimes carry schedulers in a creation."""

from __future__ import annotations

from typing import Optional

import pytest

from homenode.runtime.carries import carries_schedulers

KNOWN: dict[tuple[str, str], Optional[bool]] = {
    ("containerd", "v2.2.1"): True,
    ("containerd", "2.3.4-0ubuntu1"): True,
    ("containerd", "2.2.0"): False,
    ("containerd", "1.7.24~ds1"): False,
    ("cri-o", "1.35.0"): True,
    ("cri-o", "1.34"): False,
    ("containerd", "main"): None,
    ("", ""): None,
    ("fake", "0.12"): None,
}


@pytest.mark.parametrize("runtime", KNOWN, ids=" ".join)
def test_by_name_and_version(runtime: tuple[str, str]) -> None:
    assert carries_schedulers(*runtime) is KNOWN[runtime]
