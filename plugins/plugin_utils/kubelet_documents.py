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
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional

import yaml

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet import rancher
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.defaults import (
    RANCHER_DROPINS,
    version_of,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.distributions import (
    TABLE,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.effective import (
    Layer,
    Sources,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.flags import (
    name_and_value,
)
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import (
    HomenodeProblem,
    Problem,
)

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
        content = _as_json(text) or yaml.load(text, Loader=_KubeletLoader)
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


def _as_json(text: str) -> object:
    """What a kubelet reads as JSON, tabs and all; None for anything else."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


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


def pairs(path: str, text: str) -> list[tuple[str, Any]]:
    """The keys and values of one file in order, a key that is written twice included.

    Raises HomenodeProblem as ``document`` does.
    """
    document(path, text)
    loader = _KubeletLoader(text)
    try:
        root = loader.get_single_node()
        found = () if root is None else root.value
        return [
            (str(loader.construct_object(key)), loader.construct_object(value, deep=True))
            for key, value in found
        ]
    finally:
        loader.dispose()


class Reading:
    """What was fetched from a node, parsed; *problems* grows with each file that cannot be."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.found = found
        self.problems = [Problem(**problem) for problem in found.get("problems", ())]

    def base(self, file: Optional[Mapping[str, str]]) -> Optional[dict[str, Any]]:
        """The file behind ``--config``."""
        return None if file is None else self._parsed(document, file)

    def dropins(self, files: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
        """Drop-ins with their paths, without those that cannot be parsed."""
        read = [(file["path"], self._parsed(dropin, file)) for file in files]
        return [{"path": path, "settings": found} for path, found in read if found is not None]

    def pairs(self, files: Iterable[Mapping[str, str]]) -> list[tuple[str, Any]]:
        """Files of RKE2 or k3s, by name."""
        read = [(file["path"], self._parsed(pairs, file)) for file in files]
        return [(path, found) for path, found in read if found is not None]

    def _parsed(self, parse: Callable[[str, str], Any], file: Mapping[str, str]) -> Any:
        try:
            return parse(file["path"], file["content"])
        except HomenodeProblem as error:
            self.problems.append(error.problem)
            return None

    def sources(self, version: str) -> dict[str, Any]:
        """The result's ``sources``. Raises HomenodeProblem for flags that are none."""
        found = self.found
        base, dropins, flags = found["config_file"], found["dropins"], found["flags"]
        own: list[str] = []
        if "rancher" in found:
            base, dropins, flags, own = self._rancher(version)
        parsed = self.base(base)
        return {
            "base": parsed,
            "base_path": None if parsed is None else base["path"],
            "dropins": self.dropins(dropins),
            "flags": flags,
            "own_args": own,
            "distribution": found["distribution"],
            "version": version,
            "checkpoints": {name: checkpoint(text) for name, text in found["checkpoints"].items()},
        }

    def _rancher(
        self, version: str
    ) -> tuple[Optional[Mapping[str, str]], list[Mapping[str, str]], list[str], list[str]]:
        """Base, drop-ins, the user's flags and ours, as RKE2 or k3s hands them on."""
        found, files = self.found, self.found["rancher"]
        merged = rancher.settings(self.pairs(files["documents"]))
        if files["data_dir_guessed"] and not self.problems:
            _same("data-dir", files["data_dir"], merged.get("data-dir"), found["distribution"])
        ours = rancher.settings(self.pairs([files["own"]] if files["own"] else []))
        flags = list(found["flags"] or files["arguments"] or rancher.kubelet_args(merged))
        named = dict(map(name_and_value, flags))
        root = TABLE[found["distribution"]].root_dir
        if (
            found["flags"] is None
            and not self.problems
            and named.get("root-dir", root) != found["state_dir"]
        ):
            _same("root-dir", found["state_dir"], named.get("root-dir"), found["distribution"])
        own = list(rancher.kubelet_args(ours))
        base = files["named"] if "config" in named else None
        below = files["named_dir"] if "config-dir" in named else []
        if version_of(version) < RANCHER_DROPINS:
            return base, [file for file in below if file["path"].endswith(".conf")], flags, own
        copies = _copied(found["dropin_dir"], named, base, below)
        left = [file for file in found["dropins"] if file["path"] not in copies]
        ordered = sorted([*left, *copies.values()], key=lambda file: file["path"].split("/"))
        handed = [flag for flag in flags if name_and_value(flag)[0] not in ("config", "config-dir")]
        return None, ordered, handed, own


def _copied(
    folder: str,
    named: Mapping[str, str],
    base: Optional[Mapping[str, str]],
    below: Iterable[Mapping[str, str]],
) -> dict[str, Mapping[str, str]]:
    """What RKE2 and k3s copy into their folder of drop-ins when they start."""
    copies = {}
    if base is not None and not base["path"].startswith(folder):
        copies["10-cli-config.conf"] = base["content"]
    start = named.get("config-dir", "").rstrip("/")
    for file in below if start and not start.startswith(folder) else ():
        if file["path"].endswith(".conf"):
            copies[f"20-cli-config-dir{file['path'][len(start) :]}"] = file["content"]
    return {
        f"{folder}/{name}": {"path": f"{folder}/{name}", "content": content}
        for name, content in copies.items()
    }


def _same(key: str, guessed: str, said: object, distribution: str) -> None:
    """Raise HomenodeProblem where the node looked into another folder than the files say."""
    known = TABLE[distribution]
    default = known.data_dir if key == "data-dir" else known.root_dir
    if str(said or default).rstrip("/") != guessed:
        why = f"was taken for {guessed}, because of the way in which it is written"
        remedy = "write it in one line, without anchors, or name the folder as an option"
        raise HomenodeProblem(key, said or "", why, remedy, source=known.config)


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
