# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the operator's configuration: one file, and the drop-ins in the folder ``FILE.d``.

Out of scope: what the keys mean (``intent.config``).
"""

from __future__ import annotations

import json
import os
from typing import Any

from homenode.intent.config import Config, merge_drop_ins, parse_config
from model.problem import HomenodeProblem

MAX_BYTES = 1 << 20


def read_config(path: str) -> Config:
    """The typed configuration. Raises HomenodeProblem naming file, field, value and remedy."""
    return parse_config(merged_config(path), source=path)


def merged_config(path: str) -> dict[str, Any]:
    """The main file and its drop-ins as one mapping. Raises HomenodeProblem."""
    files = [(path, _read_json(path))]
    files += [(name, _read_json(name)) for name in _drop_ins(path + ".d")]
    return merge_drop_ins(files)


def _drop_ins(folder: str) -> list[str]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise HomenodeProblem(
            "folder", folder, str(error), "make it a readable folder", source="--config-file"
        ) from error
    return [os.path.join(folder, name) for name in names]


def _read_json(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        raise HomenodeProblem(
            "file", path, str(error), "name a readable JSON file", source="--config-file"
        ) from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HomenodeProblem(
            "(whole file)", text[:40], f"is not JSON: {error}", "mend the file", source=path
        ) from error
