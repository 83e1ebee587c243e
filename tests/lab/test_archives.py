# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives and container images that come out the same each time."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from lab.archives import FILE, CpioEntry, RootTar, initrd
from lab.oci import archive, standard_images


def test_initrd_is_what_the_kernel_documents() -> None:
    data = gzip.decompress(initrd([CpioEntry("init", FILE | 0o755, b"hello")]))
    name = b"init\0"
    assert data[:6] == b"070701"
    assert int(data[14:22], 16) == FILE | 0o755
    assert int(data[54:62], 16) == 5  # length of the content
    assert int(data[94:102], 16) == len(name)
    assert data[110:115] == name
    assert data[116:121] == b"hello"  # the name is padded to four bytes
    assert len(data) % 4 == 0
    assert b"TRAILER!!!" in data


def test_the_tar_belongs_to_root(tmp_path: Path) -> None:
    (tmp_path / "tree/etc").mkdir(parents=True)
    (tmp_path / "tree/etc/a").write_text("a", encoding="ascii")
    (tmp_path / "tree/etc/link").symlink_to("a")
    with RootTar(tmp_path / "x.tar") as tar:
        tar.add_tree(tmp_path / "tree", "opt")
        tar.add_bytes(b"secret", "root/key", 0o600)
    with tarfile.open(tmp_path / "x.tar") as made:
        entries = {entry.name: entry for entry in made}
    assert sorted(entries) == ["opt/etc/a", "opt/etc/link", "root/key"]
    assert entries["opt/etc/link"].linkname == "a"
    assert entries["root/key"].mode == 0o600
    assert {(entry.uid, entry.gid, entry.mtime) for entry in entries.values()} == {(0, 0, 0)}


def test_container_images_are_complete_and_repeatable() -> None:
    image = standard_images(b"program", ["busybox", "sh", "cat"])["busybox"]
    made = archive(image)
    assert made == archive(image)
    with tarfile.open(fileobj=io.BytesIO(made)) as tar:
        files = {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]
    for name, data in files.items():
        if name.startswith("blobs/"):
            assert hashlib.sha256(data).hexdigest() == name.rpartition("/")[2]
    listed = json.loads(files["index.json"])["manifests"][0]
    assert listed["annotations"]["io.containerd.image.name"] == "localhost/busybox:lab"
    manifest = json.loads(files["blobs/" + listed["digest"].replace(":", "/")])
    layer = gzip.decompress(files["blobs/" + manifest["layers"][0]["digest"].replace(":", "/")])
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        assert {"bin/busybox", "bin/sh", "bin/cat", "tmp"} <= set(tar.getnames())
