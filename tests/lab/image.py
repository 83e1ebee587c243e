# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk image of all guests: made once per set of inputs, found again by a hash of them."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lab import rootfs
from lab.archives import DEVICE, DIRECTORY, FILE, CpioEntry, initrd
from lab.commands import call
from lab.oci import archive, standard_images
from lab.places import Places
from lab.progress import say, step
from lab.release import Release, guest_release

SIZE = "4G"  # of the disk as the guest sees it; the file is sparse
INITRD = rootfs.HERE / "initrd" / "init"
BUILDERS = ("apt.py", "archives.py", "image.py", "oci.py", "release.py", "rootfs.py")
HOST_ALIAS = "homenode-lab"


@dataclass(frozen=True)
class Image:
    """A finished image's files."""

    folder: Path

    @property
    def key(self) -> str:
        """The hash of the inputs."""
        return self.folder.name

    @property
    def disk(self) -> Path:
        """The root file system, ext4, never written to by a guest."""
        return self.folder / "root.ext4"

    @property
    def kernel(self) -> Path:
        """The kernel that QEMU boots."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The first root, which loads the disk's driver."""
        return self.folder / "initrd.gz"

    @property
    def ssh_key(self) -> Path:
        """The private key of root in every guest."""
        return self.folder / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The host key of every guest, under HOST_ALIAS."""
        return self.folder / "known_hosts"

    @property
    def busybox(self) -> Path:
        """The guest's static busybox, from which the container images are made."""
        return self.folder / "busybox"

    @property
    def container_images(self) -> list[Path]:
        """Archives of the container images that every guest has."""
        return sorted(self.folder.glob("*.oci.tar"))


def ensure(places: Places) -> Image:
    """The image of the current inputs, built when it is not there."""
    release = guest_release()
    image = Image(places.images / image_key(release))
    if image.folder.exists():
        return image
    with places.locked("image"):
        if not image.folder.exists():
            with step(f"image {image.key} ({release.distribution} {release.suites[0]})"):
                _build(release, places, image)
    return image


def image_key(release: Release) -> str:
    """A hash of all that goes into the image: release, package list, our files, our builders."""
    digest = hashlib.sha256(release.identity.encode())
    files = [path for path in rootfs.FILES.rglob("*") if path.is_file()]
    files = [path for path in files if "__pycache__" not in path.parts]
    for path in sorted([*files, INITRD, *(rootfs.HERE / name for name in BUILDERS)]):
        digest.update(str(path.relative_to(rootfs.HERE)).encode() + b"\0")
        digest.update(b"%d " % os.access(path, os.X_OK) + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _build(release: Release, places: Places, image: Image) -> None:
    """Build in a folder of its own, so that a half-made image is never found."""
    places.images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=places.root) as name:
        work, made = Path(name), Image(Path(name) / "made")
        made.folder.mkdir()
        _make_keys(work, made)
        public_key = made.ssh_key.with_suffix(".pub").read_text(encoding="ascii")
        try:
            root = rootfs.build(release, places, work, public_key)
            shutil.copy(root / "usr/bin/busybox", made.busybox)
            kernel = next((work / "kernel/boot").glob("vmlinuz-*"))
            shutil.copy(kernel, made.kernel)
            modules = rootfs.modules_folder(work / "kernel")
            made.initrd.write_bytes(make_initrd(made.busybox, modules))
            _make_container_images(made)
            with step("writing the disk"):
                _make_disk(root, made.disk)
        finally:
            call(["rm", "-rf", "--one-file-system", str(work / "root")], root=True)
        made.folder.rename(image.folder)
    megabytes = image.disk.stat().st_blocks // 2048
    say(f"image {image.key} takes {megabytes} MB")


def _make_keys(work: Path, image: Image) -> None:
    """A key for root and a host key, both of this image only."""
    host_key = work / "ssh_host_ed25519_key"
    for path in (image.ssh_key, host_key):
        call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(path)])
    public = host_key.with_suffix(".pub").read_text(encoding="ascii")
    image.known_hosts.write_text(f"{HOST_ALIAS} {public}", encoding="ascii")


def _make_container_images(image: Image) -> None:
    applets = call([str(image.busybox), "--list"]).split()
    for name, content in standard_images(image.busybox.read_bytes(), applets).items():
        (image.folder / f"{name}.oci.tar").write_bytes(archive(content))


def make_initrd(busybox: Path, modules: Path) -> bytes:
    """Busybox, our init and the disk driver, where the kernel has it as a module."""
    entries = [CpioEntry(name, DIRECTORY | 0o755) for name in ("bin", "dev", "proc", "root")]
    entries.append(CpioEntry("modules", DIRECTORY | 0o755))
    entries.append(CpioEntry("dev/console", DEVICE | 0o600, device=(5, 1)))
    for name in ("bin/busybox", "bin/sh"):
        entries.append(CpioEntry(name, FILE | 0o755, busybox.read_bytes()))
    entries.append(CpioEntry("init", FILE | 0o755, INITRD.read_bytes()))
    for path in modules.glob("kernel/drivers/block/virtio_blk.ko*"):
        entries.append(CpioEntry("modules/virtio_blk.ko", FILE | 0o644, _module(path)))
    return initrd(entries)


def _module(path: Path) -> bytes:
    """A kernel module's content, unpacked as Debian (xz) and Ubuntu (zstd) pack it."""
    if path.suffix == ".xz":
        return lzma.decompress(path.read_bytes())
    if path.suffix == ".zst":
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "module.ko"
            call(["zstd", "-q", "-d", str(path), "-o", str(plain)])
            return plain.read_bytes()
    return path.read_bytes()


def _make_disk(root: Path, disk: Path) -> None:
    """An ext4 file system filled from a folder: no loop device, no mount."""
    call(["truncate", "-s", SIZE, str(disk)])
    features = "^has_journal,^metadata_csum"
    options = "lazy_itable_init=1,nodiscard"
    command = ["mke2fs", "-q", "-t", "ext4", "-O", features, "-E", options, "-m", "0", "-F"]
    call([*command, "-d", str(root), str(disk)], root=True)
    call(["chown", f"{os.getuid()}:{os.getgid()}", str(disk)], root=True)
