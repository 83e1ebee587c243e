# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's root folder: a minimal system from the distribution's packages, plus our files."""

from __future__ import annotations

import shlex
from pathlib import Path

from lab import apt
from lab.archives import RootTar
from lab.commands import call
from lab.places import Places
from lab.progress import step
from lab.release import Release

HERE = Path(__file__).resolve().parent
FILES = HERE / "rootfs"
PACKAGES = (
    # the system, and how we reach it
    *("systemd", "systemd-sysv", "dbus", "udev", "openssh-server", "iproute2", "kmod"),
    # what the product needs or manages
    *("python3", "python3-yaml", "python3-psutil", "containerd", "runc", "ca-certificates"),
    # what tests compare the product with
    *("numactl", "hwloc-nox", "util-linux", "procps", "zstd", "less", "busybox-static"),
)
EXCLUDED = (
    "/usr/share/man/*",
    "/usr/share/doc/*",
    "/usr/share/locale/*",
    "/usr/bin/containerd-stress",
    "/usr/bin/containerd-shim",
    "/usr/bin/containerd-shim-runc-v1",
)


def build(release: Release, places: Places, work: Path, public_key: str) -> Path:
    """Make the root folder under `work`; it belongs to root. The kernel lies beside it."""
    kept = places.packages
    kept.mkdir(parents=True, exist_ok=True)
    with step(f"fetching the {release.suites[0]} kernel and {release.newer_suite}'s containerd"):
        kernel = apt.unpack_kernel(release, kept / "kernel", work)
        containerd = apt.unpack_containerd(release, kept / "containerd", work)
    extra = work / "extra.tar"
    with RootTar(extra) as tar:
        tar.add_tree(FILES)
        tar.add_tree(modules_folder(kernel).parent, "usr/lib/modules")
        tar.add_tree(containerd / "usr/bin", "opt/containerd-2/usr/bin")
        tar.add_bytes(public_key.encode(), "root/.ssh/authorized_keys", 0o600)
        tar.add_path(work / "ssh_host_ed25519_key.pub", "etc/ssh/ssh_host_ed25519_key.pub")
        host_key = (work / "ssh_host_ed25519_key").read_bytes()
        tar.add_bytes(host_key, "etc/ssh/ssh_host_ed25519_key", 0o600)
    root = work / "root"
    with step(f"building the root folder from {len(PACKAGES)} packages and what they need"):
        call(_mmdebstrap(release, kept / "root", root, extra), root=True, env={"LC_ALL": "C"})
    return root


def modules_folder(kernel: Path) -> Path:
    """The folder of the kernel's modules, named after its version."""
    found = [*kernel.glob("lib/modules/*"), *kernel.glob("usr/lib/modules/*")]
    return found[0]


def _mmdebstrap(release: Release, kept: Path, root: Path, extra: Path) -> list[str]:
    """The command; its hooks keep downloaded packages in `kept` and put `extra` over the root."""
    kept.mkdir(parents=True, exist_ok=True)
    archives, store = '"$1"/var/cache/apt/archives', shlex.quote(str(kept))
    hooks = {
        "setup": [
            f"mkdir -p {archives}",
            f"find {store} -name '*.deb' -exec cp -t {archives} {{}} +",
        ],
        "customize": [
            f"find {archives} -name '*.deb' -exec mv -f -t {store} {{}} +",
            'rm -f "$1"/etc/ssh/ssh_host_*',
            f'tar -x --no-same-owner -f {shlex.quote(str(extra))} -C "$1"',
            'chroot "$1" lab-setup',
        ],
    }
    command = ["mmdebstrap", "--mode=root", "--variant=apt", "--format=directory", "--quiet"]
    command += ["--skip=download/empty", "--skip=essential/unlink", "--architectures=amd64"]
    command += [f"--{when}-hook={hook}" for when, lines in hooks.items() for hook in lines]
    command += ["--include=" + ",".join(PACKAGES), "--dpkgopt=force-unsafe-io"]
    command += ['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"']
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED]
    return [*command, release.suites[0], str(root), *release.sources(*release.suites)]
