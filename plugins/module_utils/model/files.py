# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What the model needs of a machine's files: a text by path, the names in a folder; no I/O here.

Out of scope: where the files are. ``host_files`` opens a live machine, a recorded folder or a
recorded file; tests give a dictionary.
"""

from __future__ import annotations

import re
from typing import Optional, Protocol

_TOTALS = re.compile(r"\bMem(Total|Free):")


class Files(Protocol):
    """A machine's files by their absolute path on that machine, wherever they really are."""

    def read(self, path: str) -> Optional[str]:
        """The text of a file; None where it is missing or cannot be read."""

    def list(self, path: str) -> list[str]:
        """The sorted names in a folder; none where it is missing or cannot be read."""


class RecordingFiles:
    """Files that remember every text they gave: *texts* is then all that its reader needs.

    Of a ``meminfo`` only the totals are kept: the rest is noise to whoever reads a recording.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self.texts: dict[str, str] = {}

    def read(self, path: str) -> Optional[str]:
        """As the wrapped files do; the text is remembered."""
        text = self._files.read(path)
        if text is not None:
            self.texts[path] = _totals(text) if path.endswith("/meminfo") else text
        return text

    def list(self, path: str) -> list[str]:
        """As the wrapped files do; what a recording lists follows from the texts in it."""
        return self._files.list(path)


def _totals(meminfo: str) -> str:
    return "".join(line for line in meminfo.splitlines(keepends=True) if _TOTALS.search(line))
