# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""The agent as one file: a zipapp whose bytes depend on its sources and on nothing else.

The same sources give the same digest on every controller: names are sorted, the time is fixed,
and entries are stored, because deflate differs between zlib versions. Sources only: bytecode
belongs to one Python version, and which one a node has is the role's to know.

Out of scope: sending the file to a node (the action plugin), and choosing the node's Python.
"""

from __future__ import annotations

import ast
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOTS = (
    ("files/agent", ("homenode",)),
    ("plugins/module_utils", ("model", "host_files.py")),
)
"""What is packed: below each folder of the collection, these names, at the top of the archive."""

BUILD_MODULE = "homenode/_build.py"
"""Written into the archive only: `homenode._build.DIGEST` names the sources it was made of."""

EARLIEST_TIME = (1980, 1, 1, 0, 0, 0)
REGULAR_FILE_0644 = 0o100644 << 16
CREATED_ON_UNIX = 3

_MAIN = b"""\
import sys

from homenode.__main__ import main

sys.exit(main())
"""


def agent_version(collection_root: Path) -> str:
    """The agent's `__version__`, read without importing it.

    Raises ValueError if it is not a literal string there.
    """
    path = collection_root / "files/agent/homenode/__init__.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if names == ["__version__"] and isinstance(node.value.value, str):
                return node.value.value
    raise ValueError(f'{path}: no line of the form __version__ = "1.2.3"')


def sources(collection_root: Path) -> dict[str, bytes]:
    """Every file of the archive by its name in it, sorted; what this build adds is not in it.

    Raises FileNotFoundError if the collection lacks a part of the agent.
    """
    found: dict[str, bytes] = {}
    for folder, names in ROOTS:
        root = collection_root / folder
        for name in names:
            if not (root / name).exists():
                raise FileNotFoundError(f"{root / name}: a part of the agent is missing")
            for path in _files(root / name):
                found[path.relative_to(root).as_posix()] = path.read_bytes()
    return dict(sorted(found.items()))


def sources_digest(files: dict[str, bytes]) -> str:
    """One SHA-256 over names and contents, so that a renamed file counts as a change."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{len(files[name])}\0".encode())
        total.update(files[name])
    return total.hexdigest()


def build_archive(collection_root: Path, target: Path, *, interpreter: str) -> str:
    """Write the archive to *target*, replacing it in one step; its SHA-256 is the result.

    *interpreter* becomes the archive's first line (`#!…`); "" leaves that line out. A reader of
    *target* sees the old archive or the new one, never a part of it.
    """
    files = sources(collection_root)
    build = f'VERSION = "{agent_version(collection_root)}"\nDIGEST = "{sources_digest(files)}"\n'
    files[BUILD_MODULE] = build.encode()
    files["__main__.py"] = _MAIN
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w+b") as out:
            if interpreter:
                out.write(f"#!{interpreter}\n".encode())
            with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
                for name in sorted(files):
                    archive.writestr(_entry(name), files[name])
            out.seek(0)
            digest = hashlib.sha256(out.read()).hexdigest()
        os.chmod(unfinished, 0o755 if interpreter else 0o644)
        os.replace(unfinished, target)
    except BaseException:
        os.unlink(unfinished)
        raise
    return digest


def _files(path: Path) -> Iterator[Path]:
    """*path* itself, or the Python files below it; never what an interpreter left there."""
    if path.is_file():
        yield path
        return
    for found in path.rglob("*.py"):
        if "__pycache__" not in found.parts and found.is_file():
            yield found


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EARLIEST_TIME)
    entry.external_attr = REGULAR_FILE_0644
    entry.create_system = CREATED_ON_UNIX
    return entry
