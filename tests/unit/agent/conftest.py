# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of the agent: it is imported as the archive has it, and no test may leave a trace."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[3]
for _folder in ("tests", "plugins/module_utils", "files/agent"):
    if str(ROOT / _folder) not in sys.path:
        sys.path.insert(0, str(ROOT / _folder))

from tools.leaks import Traces, left_since  # noqa: E402  (needs the path above)

settings.register_profile("untimed", deadline=None)  # a busy machine fails no test
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def _private_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder of our own, so that a file left in it is ours and not a neighbour's."""
    folder = str(tmp_path_factory.mktemp("tmpdir"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(autouse=True)
def _leaves_nothing_behind(_private_temporary_folder: None) -> Iterator[None]:
    """Fails the test that leaves a thread, a child process, a descriptor or a temp file."""
    before = Traces.now()
    yield
    leaks = left_since(before)
    if leaks:
        pytest.fail("left behind by this test:\n" + "\n".join(leaks), pytrace=False)
