# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the host's package sources, in both formats of apt."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.host import ArchiveLine, deb822_lines, mirror, one_line_lines
from lab.problem import LabProblem
from lab.release import guest_release


def test_one_line_format() -> None:
    lines = [
        "# deb http://old.example/debian bookworm main",
        "deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian/ bookworm main contrib # x",
        "deb-src http://a.example/debian bookworm main",
    ]
    assert list(one_line_lines(lines)) == [ArchiveLine("http://a.example/debian", "bookworm")]


def test_stanza_format() -> None:
    text = """\
Types: deb deb-src
# a comment inside
URIs: http://a.example/debian
  http://b.example/debian
Suites: trixie trixie-updates
Components: main

Types: deb
URIs: http://c.example/debian
Suites: sid
Enabled: no

Types: deb-src
URIs: http://d.example/debian
Suites: sid
"""
    assert list(deb822_lines(text)) == [
        ArchiveLine(f"http://{host}.example/debian", suite)
        for host in "ab"
        for suite in ("trixie", "trixie-updates")
    ]


def make_host(root: Path, name: str, codename: str, sources: str) -> Path:
    """A host's /etc, as far as the lab reads it."""
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    text = f'NAME="Some"\nID={name}\nVERSION_CODENAME={codename}\n'
    (root / "etc/os-release").write_text(text, encoding="utf-8")
    (root / "etc/apt/sources.list.d/own.sources").write_text(sources, encoding="utf-8")
    return root


def test_debian_hosts_have_trixie_guests(tmp_path: Path) -> None:
    sources = "Types: deb\nURIs: http://a.example/debian\nSuites: bookworm\nComponents: main\n"
    release = guest_release(make_host(tmp_path, "debian", "bookworm", sources))
    assert release.sources("sid") == [
        "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
        " http://a.example/debian sid main"
    ]
    assert release.suites == ("trixie",)


def test_ubuntu_hosts_have_guests_of_their_own_release(tmp_path: Path) -> None:
    sources = "Types: deb\nURIs: mirror+file:/etc/apt/list.txt\nSuites: noble\nComponents: main\n"
    make_host(tmp_path, "ubuntu", "noble", sources)
    text = "http://near.example/ubuntu/\tpriority:1\nhttp://far.example/ubuntu/\n"
    (tmp_path / "etc/apt/list.txt").write_text(text, encoding="utf-8")
    release = guest_release(tmp_path)
    assert release.mirror == "http://near.example/ubuntu"
    assert release.suites == ("noble", "noble-updates")


def test_a_host_without_a_source_is_told_so(tmp_path: Path) -> None:
    make_host(tmp_path, "debian", "bookworm", "")
    with pytest.raises(LabProblem, match="no apt source"):
        mirror("bookworm", tmp_path)
    make_host(tmp_path / "other", "fedora", "", "")
    with pytest.raises(LabProblem, match="not fedora"):
        guest_release(tmp_path / "other")
