# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host: which packages the lab needs on it, and which archive it gets packages from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.commands import call
from lab.problem import LabProblem
from lab.progress import say, step

PACKAGES = (
    "qemu-system-x86",
    "qemu-utils",
    "mmdebstrap",
    "e2fsprogs",
    "openssh-client",
    "zstd",
)
ARCHIVE_FILES = ("etc/apt/sources.list", "etc/apt/sources.list.d")


def prerequisites() -> None:
    """Install what the lab needs and is not there; a second run changes nothing."""
    missing = [name for name in PACKAGES if not _installed(name)]
    if not missing:
        say("all packages of the host are there")
        return
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive"]
    with step(f"installing {' '.join(missing)}"):
        try:
            call([*quiet, *install], root=True)
        except LabProblem:  # most often the package lists are old or absent
            call(["apt-get", "update", "-qq"], root=True)
            call([*quiet, *install], root=True)


def _installed(package: str) -> bool:
    try:
        status = call(["dpkg-query", "-W", "-f", "${db:Status-Status}", package])
    except LabProblem:
        return False
    return status == "installed"


@dataclass(frozen=True)
class ArchiveLine:
    """One source of binary packages: an address and a suite."""

    uri: str
    suite: str


def os_release(root: Path = Path("/")) -> dict[str, str]:
    """The host's /etc/os-release as a dict, quotes removed."""
    text = (root / "etc/os-release").read_text(encoding="utf-8")
    return dict(re.findall(r'^([A-Z_]+)="?([^"\n]*)"?$', text, re.MULTILINE))


def mirror(suite: str, root: Path = Path("/")) -> str:
    """The address from which this host gets the packages of `suite`."""
    for line in archive_lines(root):
        if line.suite == suite:
            return _resolved(line.uri, root)
    raise LabProblem(
        f"no apt source of this host offers the suite {suite}",
        f"add one to /{ARCHIVE_FILES[1]}",
    )


def archive_lines(root: Path = Path("/")) -> Iterator[ArchiveLine]:
    """All sources of binary packages, from files of both formats of apt."""
    for name in ARCHIVE_FILES:
        path = root / name
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            if not file.is_file():
                continue
            text = file.read_text(encoding="utf-8", errors="replace")
            if file.suffix == ".sources":
                yield from deb822_lines(text)
            elif file.suffix == ".list":
                yield from one_line_lines(text.splitlines())


def one_line_lines(lines: Iterable[str]) -> Iterator[ArchiveLine]:
    """Sources of the form `deb [options] address suite component...`."""
    for line in lines:
        fields = re.sub(r"\[[^]]*\]", " ", line.split("#")[0]).split()
        if len(fields) > 2 and fields[0] == "deb":
            yield ArchiveLine(fields[1].rstrip("/"), fields[2])


def deb822_lines(text: str) -> Iterator[ArchiveLine]:
    """Sources of the form of stanzas with Types, URIs, Suites and Enabled."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", text):
        unfolded = re.sub(r"\n[ \t]+", " ", stanza)
        field = {
            key.lower(): value.split()
            for key, value in re.findall(r"^([\w-]+):(.*)$", unfolded, re.MULTILINE)
        }
        if "deb" not in field.get("types", []) or field.get("enabled") == ["no"]:
            continue
        for uri in field.get("uris", []):
            for suite in field.get("suites", []):
                yield ArchiveLine(uri.rstrip("/"), suite)


def _resolved(uri: str, root: Path) -> str:
    """The first address of a mirror list (`mirror+file:/path`), or the address itself."""
    if not uri.startswith("mirror+file:"):
        return uri
    path = "/" + uri.removeprefix("mirror+file:").lstrip("/")
    words = (root / path.lstrip("/")).read_text(encoding="utf-8").split()
    addresses = [word for word in words if "://" in word]
    if not addresses:
        raise LabProblem(f"no address in the mirror list {path}")
    return addresses[0].rstrip("/")
