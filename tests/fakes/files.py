# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine's files as a dictionary that counts who reads what: speed is asserted by counting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Optional

from host_files import RecordedFiles


class FakeFiles:
    """Files by path; *reads* and *lists* count every call, the vain ones too."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._files = RecordedFiles(texts)
        self.reads: Counter[str] = Counter()
        self.lists: Counter[str] = Counter()

    def read(self, path: str) -> Optional[str]:
        """The text at *path*, or None."""
        self.reads[path] += 1
        return self._files.read(path)

    def list(self, path: str) -> list[str]:
        """The sorted names in the folder *path*."""
        self.lists[path] += 1
        return self._files.list(path)
