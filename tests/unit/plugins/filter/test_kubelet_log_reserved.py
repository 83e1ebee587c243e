# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter kubelet_log_reserved: its answer, and how it complains."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.homenode.numa.plugins.filter import kubelet_log_reserved

FILTER = kubelet_log_reserved.FilterModule().filters()["kubelet_log_reserved"]
LINE = (
    "Oct 02 08:19:20 kube-1 kubelet[8243]: Error: failed to run Kubelet: the total amount"
    ' "0" of type "memory" is not equal to the value "8462Mi" determined by Node'
)


def test_a_line_is_read() -> None:
    assert FILTER(LINE) == {
        "type": "memory",
        "have": "0",
        "want": "8462Mi",
        "want_bytes": 8873050112,
        "action": "set",
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("all is well", 'log "all is well": has no error about reserved memory'),
        ("", "has no error about reserved memory"),
        (None, 'log "None": is of type NoneType'),
        ([LINE], "is of type list"),
    ],
)
def test_what_has_no_answer_is_named(text: object, why: str) -> None:
    with pytest.raises(AnsibleFilterError, match=r"kubelet_log_reserved: log ") as error:
        FILTER(text)
    assert why in str(error.value)
