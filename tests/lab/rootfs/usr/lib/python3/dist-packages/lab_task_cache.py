# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lab only: keep the compiled code of Ansible's task archives, which emulated CPUs compile slowly.

Ansible packs each task as a zip of sources. Python never stores compiled code for those, so
every task compiles the same files again, for two seconds in an emulated guest. Here the code of
a source is kept under a hash of its text. Tracebacks may name an older archive.
"""

from __future__ import annotations

import marshal
import os
import zipimport
from _imp import source_hash
from types import CodeType

FOLDER = "/var/cache/lab-task-cache"

_compile = zipimport._compile_source


def _cached(pathname: str, source: bytes, *rest: object) -> CodeType:
    name = f"{source_hash(0, source).hex()}-{len(source)}-{os.path.basename(pathname)}"
    path = os.path.join(FOLDER, name)
    try:
        with open(path, "rb") as file:
            return marshal.load(file)
    except (OSError, EOFError, ValueError):
        pass  # not there yet
    code = _compile(pathname, source, *rest)
    try:
        with open(f"{path}.{os.getpid()}", "wb") as file:
            marshal.dump(code, file)
        os.replace(f"{path}.{os.getpid()}", path)
    except OSError:
        pass  # a full disk only costs the speed
    return code


if os.path.isdir(FOLDER):
    zipimport._compile_source = _cached
