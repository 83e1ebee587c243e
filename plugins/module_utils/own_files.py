# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""Files that belong to one module as a whole: marked, written at once, taken away without a trace.

The first line is the mark; a file without it is somebody else's and is never touched. Folders that
were made for a file are named in its second line, so that they can go with it. Nobody else's file
is ever edited, so the bytes from before need no copy. Out of scope: what the files say.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from .model.kubelet import destination
from .model.problem import HomenodeProblem

_FOLDERS = "# Folders made with it: "


def text_of(path: Path) -> Optional[str]:
    """The text of our file; None where there is none. Raises HomenodeProblem if it is not ours."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    if text.partition("\n")[0] != destination.MARK:
        raise HomenodeProblem(
            "path", str(path), "was written by somebody else", "give the drop-in another name"
        )
    return text


def with_folders(path: Path, text: str, before: Optional[str]) -> str:
    """*text*, which starts with the mark, with the folders named that are or were made for it."""
    folders = _folders(before) if before is not None else _missing(path)
    if not folders:
        return text
    first, _newline, rest = text.partition("\n")
    return f"{first}\n{_FOLDERS}{', '.join(map(str, folders))}\n{rest}"


def put(path: Path, text: str) -> None:
    """Write the file in one step, and make its folders. Raises OSError."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(unfinished, 0o644)
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise


def remove(path: Path) -> None:
    """Remove our file, and the folders that were made for it and are empty. Raises OSError."""
    before = text_of(path)
    if before is None:
        return
    path.unlink()
    for folder in _folders(before):
        if not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


@dataclass(frozen=True)
class Change:
    """What our files say and shall say, by path; None is a file that is not there."""

    before: Mapping[Path, Optional[str]]
    after: Mapping[Path, Optional[str]]

    @property
    def paths(self) -> list[Path]:
        """The files that differ, in the order of *after*."""
        return [path for path, text in self.after.items() if self.before[path] != text]

    def apply(self) -> None:
        """Make it so, in the order of *after*. Raises OSError."""
        for path in self.paths:
            text = self.after[path]
            if text is None:
                remove(path)
            else:
                put(path, text)

    def as_dict(self) -> dict[str, Any]:
        """What a module returns of it: for ``--diff``, and for the way back."""
        return {
            "changed": bool(self.paths),
            "files": [str(path) for path, text in self.after.items() if text is not None],
            "before": [{"path": str(path), "content": text} for path, text in self.before.items()],
            "diff": [self._difference(path) for path in self.paths],
        }

    def _difference(self, path: Path) -> dict[str, str]:
        headers = dict.fromkeys(("before_header", "after_header"), str(path))
        return {**headers, "before": self.before[path] or "", "after": self.after[path] or ""}


def change(after: Mapping[Path, Optional[str]]) -> Change:
    """From what is there to *after*. Raises HomenodeProblem for a file that is not ours."""
    return Change({path: text_of(path) for path in after}, dict(after))


def _folders(text: Optional[str]) -> list[Path]:
    """The folders that were made for a file, the deepest first."""
    second = [*(text or "").split("\n", 2), ""][1]
    names: Iterable[str] = ()
    if second.startswith(_FOLDERS):
        names = second[len(_FOLDERS) :].split(", ")
    return [Path(name) for name in names]


def _missing(path: Path) -> list[Path]:
    return [folder for folder in path.parents if not folder.exists()]
