# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What surprises in sources although a kubelet starts with them."""

from __future__ import annotations

import pytest

from model.kubelet import remarks
from model.kubelet.configuration import Settings
from model.kubelet.destination import Destination
from model.kubelet.effective import Layer, Sources, effective

WINS: dict[str, tuple[Settings, list[str], list[str]]] = {
    "a map wiped by a flag": (
        {"kubeReserved": {"cpu": "310m", "memory": "8362Mi"}},
        ["--kube-reserved=cpu=1"],
        ["/c.yaml: kubeReserved", "is replaced whole by flag --kube-reserved: {'cpu': '1'} wins"],
    ),
    "a scalar": (
        {"cpuManagerPolicy": "none"},
        ["cpu-manager-policy=static"],
        ["is replaced by flag --cpu-manager-policy: 'static' wins"],
    ),
    "the same twice": ({"cpuManagerPolicy": "static"}, ["cpu-manager-policy=static"], []),
    "a default": ({}, ["--cpu-manager-policy=static"], []),
    "the default of a map": ({}, ["--eviction-hard=memory.available<1Gi"], []),
    "gates are merged": (
        {"featureGates": {"A": True, "B": True}},
        ["--feature-gates=A=true,C=true"],
        [],
    ),
    "a gate both ways": (
        {"featureGates": {"A": True, "B": True}},
        ["--feature-gates=A=false"],
        ["featureGates", "{'A': False} wins"],
    ),
    "quotes": (
        {},
        ['--reserved-memory="0:memory=1Gi"'],
        ["--reserved-memory", "has quotes, and they reach the kubelet"],
    ),
    "quotes that another program needs": ({}, ["--node-labels='a=b'"], []),
}


@pytest.mark.parametrize(("base", "flags", "words"), WINS.values(), ids=WINS.keys())
def test_what_flags_do_to_files_is_said(base: Settings, flags: list[str], words: list[str]) -> None:
    said = remarks.of_flags(Sources(Layer("/c.yaml", base), flags=tuple(flags)))
    assert len(said) == (1 if words else 0)
    assert all(word in said[0] for word in words)


def test_a_flag_that_wins_over_a_drop_in_names_it() -> None:
    layers = (Layer("/d/1.conf", {"systemReserved": {"memory": "1Gi"}}),)
    sources = Sources(Layer("/c", {}), layers, ("--system-reserved=cpu=1",))
    assert remarks.of_flags(sources)[0].startswith("/d/1.conf: systemReserved")


def test_defaults_of_an_old_rke2_win_over_the_users_file() -> None:
    base = Layer("/c.yaml", {"evictionHard": {"memory.available": "1Gi"}, "failSwapOn": False})
    sources = Sources(base, distribution="rke2", version="1.31.9")
    said = remarks.of_flags(sources)
    assert len(said) == 1
    assert "is replaced whole by flag --eviction-hard, a default of rke2" in said[0]
    given = ("eviction-hard=memory.available<1Gi", "eviction-minimum-reclaim=")
    assert remarks.of_flags(Sources(base, (), given, "rke2", "1.31.9")) == []
    new = Sources(None, (base,), distribution="rke2", version="1.32.1")
    assert remarks.of_flags(new) == []


def test_a_need_that_cannot_be_computed_has_a_reason() -> None:
    share = effective(Sources(Layer("/c", {"evictionHard": {"memory.available": "5%"}})))
    assert remarks.need_or_why(share, None)[1][0].startswith("the need cannot be computed: evict")
    found, why = remarks.need_or_why(share, 1 << 30)
    assert (found or {})["bytes"] == 53687092
    assert why == []
    number = effective(Sources(Layer("/c", {"kubeReserved": {"memory": 1}})))
    assert remarks.need_or_why(number, None)[0] is None


def test_what_wins_over_our_files_is_said() -> None:
    flags = Destination("kubelet_args", "/f.yaml", "", "k3s")
    dropin = Destination("dropin", "/d/f.conf", "/d", "kubelet")
    with_arguments = {"rancher": {"arguments": ["v=2"]}}
    assert remarks.of_destination({"rancher": {"arguments": []}}, [], flags) == []
    assert remarks.of_destination(with_arguments, [], dropin) == []
    assert remarks.of_destination(with_arguments, [], flags)[0].startswith("k3s.service: kubelet-")
    said = remarks.of_destination({"wins_over_ours": "/e/90-x.conf"}, [], dropin)
    assert said[0].startswith('/e/90-x.conf: ExecStart "kubelet.service"')
