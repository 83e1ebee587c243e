# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pytest plugin (`-p tools.own_results`): each run writes JUnit results of its own.

A molecule scenario may verify more than once, and its pytest runs all get the same options; one
`--junitxml` would keep the last run's results only. The folder comes in `OWN_RESULTS`.
"""

from __future__ import annotations

import os
import time

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    folder = os.environ.get("OWN_RESULTS")
    if folder:
        scenario = os.environ.get("MOLECULE_SCENARIO_NAME", "run")
        config.option.xmlpath = f"{folder}/{scenario}-{time.time_ns()}.xml"
