# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every distribution by both kubelets: they start with what was planned, a second plan is idle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from judge import build
from judge.court import Judge
from judge.distributions import ON_NODES, THEIR_OWN, Refused, look, plan, row, settings, unpack

VERSIONS = {build.NEW: "1.35.4", build.OLD: "1.31.0"}


@pytest.fixture(scope="module", params=VERSIONS)
def judge(request: pytest.FixtureRequest) -> Iterator[Judge]:
    with Judge(request.param, places=1) as judge:
        yield judge


@pytest.mark.parametrize("name", ON_NODES)
def test_it_starts_and_a_second_run_changes_nothing(
    judge: Judge, name: str, tmp_path: Path
) -> None:
    found = row(name, VERSIONS[judge.version], judge, tmp_path)
    assert found.starts, found.reason
    assert found.need
    assert not found.changed_again


@pytest.mark.parametrize("name", THEIR_OWN)
def test_reserved_memory_of_the_node_s_owner_is_named(name: str, tmp_path: Path) -> None:
    """The EKS node has the article's flags, the RKE2 node its reserved memory."""
    unpack(name, tmp_path)
    with pytest.raises(Refused) as refused:
        found = look(tmp_path, "1.35.4")
        plan(found, settings(found))
    assert "wins, from flag --reserved-memory; remove it there" in str(refused.value)
