# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""A kubelet's files, parsed as the kubelet parses them, and merged; on the controller.

PyYAML is there and perhaps not on the node. It reads a bare ``1e9`` as text, a kubelet as a number
that stops it, so numbers follow the kubelet's rule here. Out of scope: fetching the files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Optional

import yaml

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import (
    Layer,
    Sources,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_REMEDY = "correct the file: the kubelet cannot read it either"


class _KubeletLoader(yaml.SafeLoader):
    """YAML as Go's readers take it: no dates, and a number is what looks like one."""


_KubeletLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_KubeletLoader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789."))


def document(path: str, text: str) -> dict[str, Any]:
    """The settings in one file. Raises HomenodeProblem naming the file, and the line if it can."""
    try:
        content = yaml.load(text, Loader=_KubeletLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f"line {where.line + 1}" if where else "content"
        why = str(getattr(error, "problem", None) or type(error).__name__)
        raise HomenodeProblem(line, "", why, _REMEDY, source=path) from None
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise HomenodeProblem("content", content, "is not a mapping", _REMEDY, source=path)
    return content


def dropin(path: str, text: str) -> dict[str, Any]:
    """A drop-in, which a kubelet takes only with its apiVersion and kind."""
    settings = document(path, text)
    for key, wanted in (
        ("apiVersion", "kubelet.config.k8s.io/v1beta1"),
        ("kind", "KubeletConfiguration"),
    ):
        if settings.get(key) != wanted:
            why = "makes the kubelet refuse to start"
            remedy = f"write {key}: {wanted}"
            raise HomenodeProblem(key, settings.get(key, ""), why, remedy, source=path)
    return settings


def checkpoint(text: Optional[str]) -> object:
    """A state file's content; its text where that is no JSON, None where there is no file."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def sources(found: Mapping[str, Any], distribution: str, version: str) -> dict[str, Any]:
    """What the module of the same purpose has fetched, parsed: the result's ``sources``."""
    base = found["config_file"]
    return {
        "base": None if base is None else document(base["path"], base["content"]),
        "base_path": None if base is None else base["path"],
        "dropins": [
            {"path": file["path"], "settings": dropin(file["path"], file["content"])}
            for file in found["dropins"]
        ],
        "flags": list(found["flags"]),
        "distribution": distribution,
        "version": version,
        "checkpoints": {name: checkpoint(text) for name, text in found["checkpoints"].items()},
    }


def as_sources(parsed: Mapping[str, Any]) -> Sources:
    """The same for the model."""
    base = parsed["base"]
    return Sources(
        base=None if base is None else Layer(parsed["base_path"], base),
        dropins=tuple(Layer(file["path"], file["settings"]) for file in parsed["dropins"]),
        flags=tuple(parsed["flags"]),
        distribution=parsed["distribution"],
        version=parsed["version"],
    )
