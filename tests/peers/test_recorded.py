# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ours decides as the peers did in every recorded scenario, but where a reason is listed.

From the step of a difference on purpose the two have other states, so what follows says nothing.
Out of scope: running a peer (``record``, ``fuzz``).
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from peers.compare import difference, refusal, seen, simulate
from peers.differences import ON_PURPOSE
from peers.recording import RECORDED, expected, plain

NAMES = sorted(f"{path.parent.name}/{path.stem}" for path in RECORDED.glob("*/*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_decides_as_the_peer(name: str) -> None:
    content: dict[str, Any] = yaml.safe_load((RECORDED / f"{name}.yaml").read_text("utf-8"))
    theirs, result = expected(content), simulate(plain(content))
    assert refusal(content.get("refused", ""), result["error"] or "") is None
    ours, on_purpose = seen(result), ON_PURPOSE.get(name)
    found = difference(theirs, ours)
    if on_purpose is None:
        assert found is None
        return
    assert found is not None, f"ours is as the peer's; no reason any more: {on_purpose.why}"
    step, words = found
    assert step == on_purpose.step, words
    otherwise = {key: one for key, one in ours[step][1].items() if theirs[step][1].get(key) != one}
    assert otherwise == on_purpose.ours


def test_every_difference_is_of_a_recording() -> None:
    assert set(ON_PURPOSE) <= set(NAMES)
