# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""containerd's configuration as text: what a dump says, and edits that can be taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.homenode.numa.plugins.module_utils.containerd import config_text as text

DUMP_1_7 = """\
disabled_plugins = []
imports = ["/etc/containerd/config.toml"]
version = 2

[grpc]
  disable = "not ours"

[plugins]

  [plugins."io.containerd.grpc.v1.cri"]
    disable_apparmor = false

  [plugins."io.containerd.nri.v1.nri"]
    disable = true
    disable_connections = false
    plugin_request_timeout = "20s"
    socket_path = "/var/run/nri/nri.sock"

  [plugins."io.containerd.runtime.v1.linux"]
    no_shim = false
"""

DUMP_2_2 = """\
version = 3
imports = [
  '/etc/containerd/conf.d/a.toml',
]
disabled_plugins = ['io.containerd.grpc.v1.cri']

[plugins]
  [plugins.'io.containerd.nri.v1.nri']
    disable = false
    socket_path = '/run/other.sock'

    [plugins.'io.containerd.nri.v1.nri'.default_validator]
      enable = true
"""

PATH = "/etc/containerd/conf.d/50-homenode-nri.toml"
DEBIAN = "version = 2\n\n[plugins]\n  [plugins.x]\n    imports = 1\n"


def test_a_dump_tells_the_switch_and_the_socket() -> None:
    assert text.nri_value(DUMP_1_7, "disable") == "true"
    assert text.nri_value(DUMP_1_7, "socket_path") == "/var/run/nri/nri.sock"
    assert text.nri_value(DUMP_2_2, "disable") == "false"
    assert text.nri_value(DUMP_2_2, "socket_path") == "/run/other.sock"
    assert text.nri_value(DUMP_2_2, "enable") == ""
    assert text.nri_value("version = 2\n", "disable") == ""


def test_a_dump_tells_what_is_off_as_a_whole() -> None:
    assert text.disabled_plugins(DUMP_1_7) == []
    assert text.disabled_plugins(DUMP_2_2) == ["io.containerd.grpc.v1.cri"]


def test_two_dumps_are_equal_but_for_the_switch_and_the_imports() -> None:
    on = DUMP_1_7.replace("disable = true", "disable = false").replace(
        '"/etc/containerd/config.toml"', f'"/etc/containerd/config.toml", "{PATH}"'
    )
    assert text.comparable(on) == text.comparable(DUMP_1_7)
    assert text.comparable(DUMP_1_7.replace('"20s"', '"2s"')) != text.comparable(DUMP_1_7)
    assert text.comparable(DUMP_1_7.replace("not ours", "")) != text.comparable(DUMP_1_7)


def test_the_drop_in_repeats_what_is_in_force_and_notes_how_to_undo() -> None:
    undo = text.Undo(made_folder=True, made_main=False, added='"x", ')
    drop_in = text.drop_in(DUMP_1_7, 2, undo)
    assert drop_in.splitlines()[2:] == [
        "version = 2",
        "",
        '[plugins."io.containerd.nri.v1.nri"]',
        "disable = false",
        "disable_connections = false",
        'plugin_request_timeout = "20s"',
        'socket_path = "/var/run/nri/nri.sock"',
    ]
    assert text.undo_of(drop_in) == undo


def test_the_drop_in_keeps_sub_tables_and_asks_no_newer_version_than_it_needs() -> None:
    drop_in = text.drop_in(DUMP_2_2, 4, text.Undo(False, False, ""))
    assert "version = 3\n" in drop_in
    assert drop_in.endswith(
        "[plugins.'io.containerd.nri.v1.nri'.default_validator]\nenable = true\n"
    )


@pytest.mark.parametrize(
    "strange", ["", "# homenode.numa, to undo: {", "# homenode.numa, to undo: [1]", "version = 2\n"]
)
def test_a_file_that_is_not_ours_has_no_undo(strange: str) -> None:
    assert text.undo_of(strange) is None


@pytest.mark.parametrize(
    ("main", "version"),
    [("", 1), (DEBIAN, 2), ("# version = 9\nversion=3 # x\n", 3), ("[a]\nversion = 2\n", 1)],
)
def test_the_version_stands_before_the_first_table(main: str, version: int) -> None:
    assert text.version_of(main) == version


@pytest.mark.parametrize(
    ("main", "wanted"),
    [
        (DEBIAN, DEBIAN.replace("= 2\n", f'= 2\nimports = ["{PATH}"]\n', 1)),
        ("version = 2", f'version = 2\nimports = ["{PATH}"]\n'),
        ("root = 'x'\n", f"imports = [\"{PATH}\"]\nroot = 'x'\n"),
        ("version = 2\nimports = []\n", f'version = 2\nimports = ["{PATH}", ]\n'),
        ('imports = [\n  "/a.toml",\n]\n', f'imports = ["{PATH}", \n  "/a.toml",\n]\n'),
    ],
)
def test_an_import_is_added_and_taken_back_to_the_byte(main: str, wanted: str) -> None:
    new, added = text.with_import(main, PATH)
    assert new == wanted
    assert PATH in text.imports_of(new)
    assert text.without(new, added) == main


def test_what_somebody_changed_since_stays() -> None:
    new, added = text.with_import(DEBIAN, PATH)
    assert text.without(new + "# mine\n", added) == DEBIAN + "# mine\n"
    assert text.without("version = 3\n", added) == "version = 3\n"


@pytest.mark.parametrize(
    ("imports", "taken_in"),
    [
        ('"/etc/containerd/conf.d/*.toml"', True),
        (f"'{PATH}'", True),
        ('"/etc/containerd/*.conf"', False),
        ("", False),
        ('\n# "/etc/containerd/conf.d/*.toml",\n"/other/*"', False),
    ],
)
def test_a_pattern_may_take_the_drop_in_in_already(imports: str, taken_in: bool) -> None:
    assert text.is_imported(f"version = 2\nimports = [{imports}]\n", PATH) is taken_in


def test_relative_imports_survive_a_copy_elsewhere() -> None:
    main = "imports = ['conf.d/*.toml', \"/a/b.toml\"]\n"
    moved = text.with_absolute_imports(main, Path("/etc/containerd"))
    assert text.imports_of(moved) == ["/etc/containerd/conf.d/*.toml", "/a/b.toml"]
