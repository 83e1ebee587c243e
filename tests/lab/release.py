# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which distribution the guest runs, and where its packages come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab import host
from lab.problem import LabProblem

KEYRINGS = Path("/usr/share/keyrings")


@dataclass(frozen=True)
class Release:
    """A guest release. Its packages come from `suites`; containerd 2 comes from `newer_suite`
    and is unpacked beside them, never installed."""

    distribution: str
    suites: tuple[str, ...]
    newer_suite: str
    components: str
    keyring: str
    kernel: str  # a metapackage whose first dependency is the kernel itself
    mirror: str

    def sources(self, *suites: str) -> list[str]:
        """Lines for apt's sources.list."""
        signed = f"[signed-by={KEYRINGS / self.keyring}]"
        return [f"deb {signed} {self.mirror} {suite} {self.components}" for suite in suites]

    @property
    def identity(self) -> str:
        """What decides the packages, without the mirror: two mirrors give one image."""
        return f"{self.distribution} {' '.join(self.suites)} {self.newer_suite} {self.kernel}"


def guest_release(root: Path = Path("/")) -> Release:
    """Debian trixie on a Debian host; the host's own release on Ubuntu."""
    release = host.os_release(root)
    name, codename = release.get("ID", ""), release.get("VERSION_CODENAME", "")
    if name == "debian":
        return Release(
            distribution=name,
            suites=("trixie",),
            newer_suite="sid",
            components="main",
            keyring="debian-archive-keyring.gpg",
            kernel="linux-image-cloud-amd64",
            mirror=host.mirror(codename, root),
        )
    if name == "ubuntu":
        return Release(
            distribution=name,
            suites=(codename, f"{codename}-updates"),
            newer_suite="devel",
            components="main universe",
            keyring="ubuntu-archive-keyring.gpg",
            kernel="linux-image-virtual",
            mirror=host.mirror(codename, root),
        )
    raise LabProblem(
        f"the lab knows Debian and Ubuntu hosts, not {name or 'this one'}",
        "run it in a Debian container with /dev/kvm, or use molecule's other scenarios",
    )
