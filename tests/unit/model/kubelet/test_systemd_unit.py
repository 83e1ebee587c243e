# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line that systemd makes of a unit, its drop-ins and its environment files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.kubelet import systemd_unit
from model.kubelet.systemd_unit import environment_file, merged, with_argument, words

UNIT = "[Unit]\nDescription=x\n[Service]\nExecStart=/usr/bin/kubelet\nRestart=always\n"
KUBEADM = """\
[Service]
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/%N
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""
AL2 = """\
[Service]
ExecStart=/usr/bin/kubelet \\
    --config /etc/kubernetes/kubelet/kubelet-config.json \\
# a comment between
    $KUBELET_ARGS \\
    $KUBELET_EXTRA_ARGS

Restart=always
"""
AL2_EXTRA = """\
[Service]
Environment='KUBELET_EXTRA_ARGS=--reserved-memory="0:memory=8462Mi" --kube-reserved="cpu=1"'
"""

COMMANDS = {
    "one": ([UNIT], "/usr/bin/kubelet"),
    "a drop-in resets it": (
        [UNIT, "[Service]\nExecStart=\nExecStart=-/o/kubelet a\n"],
        "-/o/kubelet a",
    ),
    "two without a reset": ([UNIT, "[Service]\nExecStart=/usr/bin/kubelet b\n"], None),
    "another program": (["[Service]\nExecStart=/usr/local/bin/start-it kubelet\n"], None),
    "another section": ([UNIT, "[X-Service]\nExecStart=\n"], "/usr/bin/kubelet"),
    "an open end": (["[Service]\nExecStart=/o/kubelet \\\n  a \\"], "/o/kubelet    a"),
    "commented out": ([UNIT, "[Service]\n#ExecStart=\n; ExecStart=\n"], "/usr/bin/kubelet"),
}
PROGRAMS = {"/k a": "/k", "-/k": "/k", "@/k k a": "/k", "+-/k": "/k", '"/a b" c': "/a b", "": ""}

SPLIT = {
    "white space": ("  a \t b\n", ["a", "b"]),
    "quotes around": ("'a b' \"c d\"", ["a b", "c d"]),
    "quotes inside": ('--m="0:memory=1Gi" b', ["--m=0:memory=1Gi", "b"]),
    "an empty word": ("a '' b", ["a", "", "b"]),
    "a backslash": (r"a\ b \"c", ["a b", '"c']),
    "a quote that never closes": ("'a b", ["a b"]),
}

FILES = {
    "bare": ("A=b c \n", {"A": "b c"}),
    "bare with quotes": ('A=--m="0:memory=1Gi"\n', {"A": '--m="0:memory=1Gi"'}),
    "quoted": ('A="b c" \n', {"A": "b c"}),
    "quoted twice": (
        'A="--m="0:memory=1Gi" --k="cpu=1""\n',
        {"A": '--m=0:memory=1Gi" --k="cpu=1""'},
    ),
    "over lines": ('A="b \\\nc"\nB=d\n', {"A": "b c", "B": "d"}),
    "over lines, bare": ("A=b \\\nc\n", {"A": "b c"}),
    "single quotes": ("A='b\\ \"c\"'\n", {"A": 'b\\ "c"'}),
    "comments": ("# A=b\n; A=c\n\nB=#d\n", {"B": "#d"}),
    "no assignment": ("A\nB=c\n", {"B": "c"}),
    "later wins": ("A=b\nA=c", {"A": "c"}),
    "a shell's word is part of the name": ("export A=b\n", {"export A": "b"}),
}


@pytest.mark.parametrize(("texts", "command"), COMMANDS.values(), ids=COMMANDS.keys())
def test_the_command_that_is_left(texts: list[str], command: str) -> None:
    assert merged("kubelet", texts).command("kubelet") == command


@pytest.mark.parametrize(("command", "program"), PROGRAMS.items())
def test_the_program_of_a_command(command: str, program: str) -> None:
    assert systemd_unit.program_of(command) == program


@pytest.mark.parametrize(("text", "split"), SPLIT.values(), ids=SPLIT.keys())
def test_the_value_of_a_variable_is_split_as_systemd_does(text: str, split: list[str]) -> None:
    assert words(text) == split


@pytest.mark.parametrize(("text", "found"), FILES.values(), ids=FILES.keys())
def test_an_environment_file_is_read_as_systemd_does(text: str, found: dict[str, str]) -> None:
    assert environment_file(text) == found


def test_the_flags_of_a_kubelet_that_kubeadm_starts() -> None:
    unit = merged("kubelet", [UNIT, KUBEADM])
    assert unit.environment_paths() == [
        "/var/lib/kubelet/kubeadm-flags.env",
        "/etc/default/kubelet",
    ]
    files = {
        "/var/lib/kubelet/kubeadm-flags.env": 'KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.1 --v=2"\n',
        "/etc/default/kubelet": None,
    }
    command = unit.command("kubelet")
    assert command is not None
    assert unit.arguments(command, unit.variables(files)) == [
        "--config=/var/lib/kubelet/config.yaml",
        "--node-ip=10.0.0.1",
        "--v=2",
    ]


def test_quotes_in_a_variable_do_not_reach_the_kubelet() -> None:
    unit = merged("kubelet", [AL2, AL2_EXTRA])
    command = unit.command("kubelet")
    assert command is not None
    assert unit.arguments(command, unit.variables({})) == [
        "--config",
        "/etc/kubernetes/kubelet/kubelet-config.json",
        "--reserved-memory=0:memory=8462Mi",
        "--kube-reserved=cpu=1",
    ]


def test_quotes_in_a_variable_in_braces_do() -> None:
    unit = merged(
        "k", ["[Service]\nExecStart=:/k a$B ${B}\n", "[Service]\nEnvironment='B=\"c\" d'\n"]
    )
    assert unit.arguments("/k a$B x${B} $$B $B", unit.variables({})) == [
        "a$B",
        'x"c" d',
        "$B",
        "c",
        "d",
    ]
    assert unit.arguments(unit.commands[0], {}) == ["a$B", "${B}"]


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("/usr/bin/kubelet", "/usr/bin/kubelet --config-dir=/d"),
        ("/usr/bin/kubelet $A  'b  c'\t%n", "/usr/bin/kubelet --config-dir=/d $A 'b  c' %n"),
        ("-@/usr/bin/kubelet name $A", "-@/usr/bin/kubelet name --config-dir=/d $A"),
    ],
)
def test_an_argument_is_added_and_the_rest_stays(command: str, wanted: str) -> None:
    assert with_argument(command, "--config-dir=/d") == wanted


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1))
def test_a_quoted_argument_arrives_as_it_is(argument: str) -> None:
    unit = systemd_unit.Unit("kubelet")
    assert unit.arguments(with_argument("/k", argument), {}) == [argument]


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    merged("kubelet", [text]).variables({"": text})
    environment_file(text)
    words(text)
