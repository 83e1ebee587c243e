# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the operator's configuration: one file, and the drop-ins in the folder ``FILE.d``.

The file is JSON or YAML, with our sections, or an upstream policy object whole: that stands for the
section ``pinning``. Out of scope: what the keys mean (``intent.config``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from homenode.intent.config import KINDS, Config, merge_drop_ins, parse_config
from homenode.intent.policy_objects import parse_policy
from homenode.intent.yaml_subset import read_yaml
from model.problem import HomenodeProblem

MAX_BYTES = 1 << 20


def read_config(path: str) -> Config:
    """The typed configuration. Raises HomenodeProblem naming file, field, value and remedy."""
    return parse_config(merged_config(path), source=path)


def merged_config(path: str) -> dict[str, Any]:
    """The main file and its drop-ins as one mapping. Raises HomenodeProblem."""
    files = [(path, _sections(_read_document(path), path))]
    files += [(name, _read_document(name)) for name in _drop_ins(path + ".d")]
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


def _sections(document: Any, path: str) -> Any:
    """*document*, or the section that says the same as the policy object that it is."""
    if not isinstance(document, Mapping) or "kind" not in document:
        return document
    parse_policy(document, source=path)
    names = {kind: policy for policy, kind in KINDS.items()}
    return {"pinning": {"policy": names[document["kind"]], "spec": document["spec"]}}


def _read_document(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_BYTES)
    except (OSError, ValueError) as error:
        raise HomenodeProblem(
            "file", path, str(error), "name a readable file", source="--config-file"
        ) from error
    if not text.lstrip().startswith(("{", "[")) and ":" in text:
        return read_yaml(text, field="(whole file)", limit=MAX_BYTES, source=path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HomenodeProblem(
            "(whole file)", text[:40], f"is not JSON: {error}", "mend the file", source=path
        ) from error
