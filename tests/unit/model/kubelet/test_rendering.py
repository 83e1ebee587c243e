# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drop-in as text: its form, and the flags that say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.kubelet.flags import parse
from model.kubelet.rendering import as_flags, as_kubelet_args, as_yaml, reserved_memory_flags
from model.problem import HomenodeProblem

scalars = st.text(max_size=12) | st.integers() | st.booleans() | st.none()


def test_a_drop_in_reads_so() -> None:
    settings = {
        "memoryManagerPolicy": "Static",
        "reservedMemory": [{"numaNode": 0, "limits": {"memory": "1e9"}}],
        "evictionHard": {"memory.available": "5%"},
        "failSwapOn": False,
        "featureGates": {},
    }
    assert as_yaml(settings, ["why:\nbecause"]) == (
        "# why: because\n"
        "apiVersion: kubelet.config.k8s.io/v1beta1\n"
        "kind: KubeletConfiguration\n"
        "evictionHard:\n"
        '  memory.available: "5%"\n'
        "failSwapOn: false\n"
        "featureGates: {}\n"
        'memoryManagerPolicy: "Static"\n'
        "reservedMemory:\n"
        "- limits:\n"
        '    memory: "1e9"\n'
        "  numaNode: 0\n"
    )


@given(st.dictionaries(st.text(min_size=1, max_size=8), scalars, max_size=5))
def test_equal_settings_give_equal_text(settings: dict[str, object]) -> None:
    assert as_yaml(settings) == as_yaml(dict(reversed(list(settings.items()))))


@pytest.mark.parametrize("entry", [{}, {"numaNode": 0}, {"limits": {"memory": "1Gi"}}, "0:1Gi"])
def test_an_entry_without_node_or_limits_is_refused(entry: object) -> None:
    with pytest.raises(HomenodeProblem, match="reservedMemory"):
        reserved_memory_flags([entry])  # type: ignore[list-item]


WHOLE = {
    "cpuManagerPolicy": "static",
    "cpuManagerPolicyOptions": {"full-pcpus-only": "true", "strict-cpu-reservation": "true"},
    "enforceNodeAllocatable": ["pods", "kube-reserved"],
    "evictionHard": {"memory.available": "100Mi", "nodefs.available": "10%"},
    "failSwapOn": False,
    "kubeReserved": {"cpu": "1", "memory": "1Gi"},
    "kubeReservedCgroup": "",
    "reservedMemory": [
        {"numaNode": 0, "limits": {"memory": "1Gi"}},
        {"numaNode": 1, "limits": {"memory": "100Mi"}},
    ],
}


def test_flags_say_the_same() -> None:
    flags = as_flags(WHOLE)
    assert flags == sorted(flags, key=lambda flag: flag.split("=")[0])
    assert "eviction-hard=memory.available<100Mi,nodefs.available<10%" in flags
    assert parse(flags).values == WHOLE
    assert parse(flags).errors == ()


def test_a_key_without_a_flag_is_named() -> None:
    with pytest.raises(HomenodeProblem, match=r"memorySwap.*has no flag"):
        as_flags({"memorySwap": {"swapBehavior": "LimitedSwap"}})


def test_a_file_of_flags_adds_to_those_of_others() -> None:
    assert as_kubelet_args(["a=b", 'c="1"'], ["why"]) == (
        '# why\nkubelet-arg+:\n  - "a=b"\n  - "c=\\"1\\""\n'
    )
