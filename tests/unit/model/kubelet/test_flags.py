# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flags, with the words of a kubelet for those that it cannot parse."""

from __future__ import annotations

import pytest

from model.kubelet.flags import name_and_value, parse

VALUES = {
    "a map": (
        ["--kube-reserved=cpu=1,memory=2Gi"],
        {"kubeReserved": {"cpu": "1", "memory": "2Gi"}},
    ),
    "no dashes": (["kube-reserved=cpu=1"], {"kubeReserved": {"cpu": "1"}}),
    "underscores": (["--kube_reserved=cpu=1"], {"kubeReserved": {"cpu": "1"}}),
    "spaces and empty parts": (
        ["--kube-reserved=cpu = 1,,memory=1Gi,"],
        {"kubeReserved": {"cpu": "1", "memory": "1Gi"}},
    ),
    "thresholds": (
        ["--eviction-hard=memory.available<1Gi,nodefs.available<5%"],
        {"evictionHard": {"memory.available": "1Gi", "nodefs.available": "5%"}},
    ),
    "one option a flag": (
        ["--cpu-manager-policy-options=full-pcpus-only=true"],
        {"cpuManagerPolicyOptions": {"full-pcpus-only": "true"}},
    ),
    "reserved memory twice": (
        ["--reserved-memory=0:memory=1Gi", "--reserved-memory=1:memory=2Gi,hugepages-2Mi=4Mi"],
        {
            "reservedMemory": [
                {"numaNode": 0, "limits": {"memory": "1Gi"}},
                {"numaNode": 1, "limits": {"memory": "2Gi", "hugepages-2Mi": "4Mi"}},
            ]
        },
    ),
    "reserved memory by semicolon": (
        ["--reserved-memory=0:memory=1Gi;1:memory=1Gi"],
        {
            "reservedMemory": [
                {"numaNode": 0, "limits": {"memory": "1Gi"}},
                {"numaNode": 1, "limits": {"memory": "1Gi"}},
            ]
        },
    ),
    "a truth without a value": (["--fail-swap-on"], {"failSwapOn": True}),
    "a list": (
        ["--enforce-node-allocatable=pods,none"],
        {"enforceNodeAllocatable": ["pods", "none"]},
    ),
    "flags of no interest": (["--node-ip=10.0.0.1", "--v=2"], {}),
}

_FORMAT = "the reserved memory has incorrect format, expected "
_FORMAT += "numaNodeID:type=quantity[,type=quantity...], got "
ERRORS = {
    "o two nodes by comma": (
        "reserved-memory=0:memory=200Mi,1:memory=200Mi",
        f"{_FORMAT}0:memory=200Mi,1:memory=200Mi",
    ),
    "o a node that is no number": (
        "reserved-memory=x:memory=1Gi",
        "failed to convert the NUMA node ID, expected integer, got x",
    ),
    "o a type that is none": (
        "reserved-memory=0:cpu=1",
        'memory type conversion error, unknown type: "cpu"',
    ),
    "o no amount": (
        "reserved-memory=0:memory",
        "the reserved limit has incorrect value, expected type=quantity, got memory",
    ),
    "o an amount that is none": (
        "reserved-memory=0:memory=lots",
        "failed to parse the quantity: lots",
    ),
    "a map without a value": ("kube-reserved=cpu", "malformed pair, expect string=string"),
    "a threshold without a sign": (
        "eviction-hard=memory.available=1Gi",
        "malformed pair, expect string<string",
    ),
    "a truth that is none": (
        "fail-swap-on=no",
        'strconv.ParseBool: parsing "no": invalid syntax',
    ),
}


@pytest.mark.parametrize(("flags", "wanted"), VALUES.values(), ids=VALUES.keys())
def test_a_flag_sets_a_key(flags: list[str], wanted: dict[str, object]) -> None:
    found = parse(flags)
    assert found.values == wanted
    assert found.errors == ()


@pytest.mark.parametrize(("flag", "words"), ERRORS.values(), ids=ERRORS.keys())
def test_a_kubelet_refuses_it_in_these_words(flag: str, words: str) -> None:
    name, value = name_and_value(flag)
    argument = f'invalid argument "{value}" for "--{name}" flag: {words}'
    (error,) = parse([flag]).errors
    assert error.why == f"failed to parse kubelet flag: {argument}"
    assert (error.source, error.value) == (f"--{name}", value)
