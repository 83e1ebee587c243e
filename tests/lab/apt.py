# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private apt: fetch single packages of the guest's release without touching the host's apt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lab.commands import call
from lab.problem import LabProblem
from lab.release import Release


@dataclass(frozen=True)
class PrivateApt:
    """An apt of its own folder, for one list of sources."""

    folder: Path

    def update(self, sources: list[str]) -> None:
        """Write the sources and download their package lists."""
        for part in ("lists/partial", "cache/archives/partial"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "sources.list").write_text("\n".join(sources) + "\n", encoding="ascii")
        call(["apt-get", *self._options(), "-qq", "update"])

    def dependencies(self, package: str) -> list[str]:
        """Names of the packages that the newest `package` depends on."""
        shown = call(["apt-cache", *self._options(), "show", "--no-all-versions", package])
        for line in re.findall(r"^Depends: (.*)$", shown, re.MULTILINE):
            return re.findall(r"(?:^|, )([a-z0-9][^ ,:]*)", line)
        return []

    def unpack(self, packages: list[str], kept: Path, target: Path) -> None:
        """Unpack the newest version of each package into `target`; downloads stay in `kept`."""
        kept.mkdir(parents=True, exist_ok=True)
        target.mkdir(parents=True, exist_ok=True)
        uris = call(["apt-get", *self._options(), "-qq", "--print-uris", "download", *packages])
        call(["apt-get", *self._options(), "-qq", "download", *packages], cwd=kept)
        for name in re.findall(r"^'[^']+' (\S+)", uris, re.MULTILINE):
            call(["dpkg-deb", "-x", str(kept / name), str(target)])

    def _options(self) -> list[str]:
        settings = {
            "Dir::State::Lists": self.folder / "lists",
            "Dir::Etc::SourceList": self.folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Cache": self.folder / "cache",
            "Acquire::Languages": "none",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "root",
        }
        return [f"-o{key}={value}" for key, value in settings.items()]


def unpack_kernel(release: Release, kept: Path, work: Path) -> Path:
    """The distribution's virtual machine kernel and its modules, unpacked; nothing installed."""
    apt = PrivateApt(work / "apt-kernel")
    apt.update(release.sources(*release.suites))
    kernels = [n for n in apt.dependencies(release.kernel) if re.match(r"linux-image-\d", n)]
    if not kernels:
        raise LabProblem(f"{release.kernel} names no kernel")
    modules = [n for n in apt.dependencies(kernels[0]) if n.startswith("linux-modules-")]
    apt.unpack([kernels[0], *modules], kept, work / "kernel")
    return work / "kernel"


def unpack_containerd(release: Release, kept: Path, work: Path) -> Path:
    """The containerd 2 of a newer suite, unpacked; its only need is an older libc6."""
    apt = PrivateApt(work / "apt-containerd")
    apt.update(release.sources(release.newer_suite))
    apt.unpack(["containerd"], kept, work / "containerd")
    return work / "containerd"
