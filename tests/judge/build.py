# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judge's programs: built from Go modules, once, into the user's cache.

A program is built again when the files of its module, or how it is built, have changed. Needs Go;
the modules come from the Go module proxy. About four minutes of two cores for a kubelet.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

PROGRAMS = Path(__file__).resolve().parent / "programs"
OLDEST_GO = (1, 25)
"""What the go.mod files ask for."""
GO_PLACES = ("/usr/local/go/bin", "/usr/lib/go/bin")
RECIPE = "1"
"""Raise it when the command of the build changes."""
LIMIT_S = 3600.0


class Unbuilt(Exception):
    """Why a program is not there."""


@dataclass(frozen=True)
class Program:
    """A main package *name* in *module*; *version* is stamped into what Kubernetes releases."""

    name: str
    version: str
    module: str

    @property
    def folder(self) -> Path:
        """Where its module is."""
        return PROGRAMS / self.module

    @property
    def place(self) -> Path:
        """Where the built program is, once it is built."""
        return cache() / f"{self.name}-{self.version}"

    def sources(self) -> Iterator[Path]:
        """The files that it is built from, and that name what it is built from."""
        yield self.folder / "go.mod"
        yield self.folder / "go.sum"
        inner = self.folder / self.name
        yield from sorted((inner if inner.is_dir() else self.folder).glob("*.go"))

    def fingerprint(self) -> str:
        """Changes with every change that calls for a new build."""
        digest = hashlib.sha256(f"{RECIPE} {self.name} {self.version}".encode())
        for path in self.sources():
            digest.update(path.read_bytes())
        return digest.hexdigest()


NEW, OLD = "v1.35.4", "v1.31.0"
KUBELETS = (
    Program("kubelet", NEW, "kubernetes-1.35"),
    Program("kubelet", OLD, "kubernetes-1.31"),
)
FAKECRI = Program("fakecri", NEW, "kubernetes-1.35")
PODRESOURCES = Program("podresources", NEW, "kubernetes-1.35")
API_SERVER = Program("kube-apiserver", NEW, "kubernetes-1.35")
ETCD = Program("etcd", "v3.6.16", "etcd")
KUBECTL = Program("kubectl", NEW, "kubernetes-1.35")
NEEDED = (*KUBELETS, FAKECRI, PODRESOURCES)
"""What the tests of the judge need."""
ALL = (*NEEDED, API_SERVER, ETCD, KUBECTL)
"""These, and a control plane with its client, for nodes and pods from an API server."""


def cache() -> Path:
    """The folder of the built programs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "homenode-judge"


def kubelet(version: str) -> Program:
    """The kubelet of *version*, such as v1.35.4. Raises KeyError for one that is not built here."""
    return {program.version: program for program in KUBELETS}[version]


def go() -> Path:
    """The go command. Raises Unbuilt where there is none, or it is too old."""
    found = shutil.which("go") or next(
        (f"{place}/go" for place in GO_PLACES if os.access(f"{place}/go", os.X_OK)), None
    )
    wanted = ".".join(map(str, OLDEST_GO))
    if found is None:
        raise Unbuilt(f"no Go on this machine: install Go {wanted} or later")
    told = subprocess.run([found, "version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"go(\d+)\.(\d+)", told)
    if match is None or (int(match[1]), int(match[2])) < OLDEST_GO:
        raise Unbuilt(f"{found} is {told.strip()}: install Go {wanted} or later")
    return Path(found)


def is_built(program: Program) -> bool:
    """Whether the cache has it, made of the files that are there now."""
    mark = _mark(program)
    return (
        program.place.is_file()
        and mark.is_file()
        and mark.read_text().strip() == program.fingerprint()
    )


def built(program: Program) -> Path:
    """The program, built first where it must be. Raises Unbuilt with what the build said."""
    if is_built(program):
        return program.place
    command_go = go()
    program.place.parent.mkdir(parents=True, exist_ok=True)
    fresh = program.place.with_name(f".{program.place.name}.{os.getpid()}")
    target = "." if not (program.folder / program.name).is_dir() else f"./{program.name}"
    command = [str(command_go), "build", "-trimpath", "-ldflags", _ldflags(program)]
    try:
        done = subprocess.run(
            [*command, "-o", str(fresh), target],
            cwd=program.folder,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -mod=readonly"},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        if done.returncode:
            said = "\n".join(done.stderr.splitlines()[-20:])
            raise Unbuilt(f"{program.name} {program.version} does not build:\n{said}")
        fresh.replace(program.place)
    finally:
        fresh.unlink(missing_ok=True)
    _mark(program).write_text(program.fingerprint() + "\n")
    return program.place


def why_not() -> Optional[str]:
    """Why the judge cannot sit here; None where it can."""
    if os.geteuid() != 0:
        return "not root: a kubelet is only started in namespaces of its own"
    if all(map(is_built, NEEDED)):
        return None
    try:
        go()
    except Unbuilt as error:
        return str(error)
    return None


def _mark(program: Program) -> Path:
    return program.place.with_name(f"{program.place.name}.sources")


def _ldflags(program: Program) -> str:
    flags = ["-s", "-w"]
    match = re.match(r"v(\d+)\.(\d+)\.", program.version)
    if program.module.startswith("kubernetes") and match:
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
            for name, value in (
                ("gitVersion", program.version),
                ("gitMajor", match[1]),
                ("gitMinor", match[2]),
            ):
                flags += ["-X", f"{package}.{name}={value}"]
    return " ".join(flags)
