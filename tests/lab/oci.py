# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images without a registry or a build tool: one layer, the same bytes each time.

The format is the OCI image layout in a tar, which `ctr images import` reads. Out of scope:
several layers, other architectures.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEDIA = "application/vnd.oci.image"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class ContainerImage:
    """An image's name and content: programs by path, and links to them by path."""

    name: str
    programs: Mapping[str, bytes]
    links: Mapping[str, str]
    command: Sequence[str]


def standard_images(busybox: bytes, applets: Sequence[str]) -> dict[str, ContainerImage]:
    """The images that every guest has: `pause`, for pod sandboxes, and `busybox`."""
    programs = {"bin/busybox": busybox}
    return {
        "pause": ContainerImage("localhost/pause:lab", programs, {}, ["busybox", "sleep", "inf"]),
        "busybox": ContainerImage(
            "localhost/busybox:lab",
            programs,
            {f"bin/{name}": "busybox" for name in applets if name != "busybox"},
            ["sh"],
        ),
    }


def archive(image: ContainerImage) -> bytes:
    """The image as a tar in the OCI layout."""
    layer = _layer(image)
    packed = gzip.compress(layer, 6, mtime=0)
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": [PATH], "Cmd": list(image.command)},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{MEDIA}.manifest.v1+json",
            "config": _descriptor("config.v1+json", config),
            "layers": [_descriptor("layer.v1.tar+gzip", packed)],
        }
    )
    names = {
        "io.containerd.image.name": image.name,
        "org.opencontainers.image.ref.name": image.name.rpartition(":")[2],
    }
    listed = _descriptor("manifest.v1+json", manifest) | {"annotations": names}
    index = {"schemaVersion": 2, "mediaType": f"{MEDIA}.index.v1+json", "manifests": [listed]}
    files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index)}
    for blob in (config, manifest, packed):
        files[f"blobs/sha256/{_digest(blob).removeprefix('sha256:')}"] = blob
    return _tar([_file(name, data, 0o644) for name, data in files.items()])


def _layer(image: ContainerImage) -> bytes:
    paths = [*image.programs, *image.links]
    folders = {path.rpartition("/")[0] for path in paths} - {""}
    entries = [_folder(name, 0o755) for name in sorted(folders | {"etc", "root"})]
    entries.append(_folder("tmp", 0o1777))
    entries += [_file(name, data, 0o755) for name, data in sorted(image.programs.items())]
    entries += [_link(name, target) for name, target in sorted(image.links.items())]
    return _tar(entries)


def _tar(entries: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for entry, data in entries:
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _file(name: str, data: bytes, mode: int) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    return entry, data


def _folder(name: str, mode: int) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, mode
    return entry, b""


def _link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry, b""


def _descriptor(kind: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": f"{MEDIA}.{kind}", "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
